// SPDX-License-Identifier: MIT
//
// The calls about threads: futexes, scheduling, names.

#include <linux/calls/calls.h>
#include <linux/files/server.h>
#include <linux/interface/errors.h>
#include <linux/memory/guest_copy.h>
#include <linux/memory/memory.h>
#include <linux/process/futex.h>
#include <linux/process/process.h>
#include <linux/process/table.h>
#include <linux/system/machine.h>
#include <linux/time/clock.h>

#include <runtime/system_calls.h>
#include <string.h>

#define FUTEX_WAIT        0
#define FUTEX_WAKE        1
#define FUTEX_REQUEUE     3
#define FUTEX_CMP_REQUEUE 4
#define FUTEX_WAKE_OP     5
#define FUTEX_LOCK_PI     6
#define FUTEX_UNLOCK_PI   7
#define FUTEX_TRYLOCK_PI  8
#define FUTEX_WAIT_BITSET 9
#define FUTEX_WAKE_BITSET 10
#define FUTEX_LOCK_PI2    13
#define FUTEX_OPERATION   0x7f
#define FUTEX_REALTIME    0x100
#define FUTEX_ANY_BIT     UINT32_MAX

// The deadline of a wait: FUTEX_WAIT takes a duration, the others a time of one of the clocks.
static int64_t futex_deadline(
	struct thread *thread, uint32_t operation, guest_address_t timeout, uint64_t *deadline)
{
	if (timeout == 0 || (operation & FUTEX_OPERATION) == FUTEX_WAIT)
		return clock_timespec_deadline(thread, timeout, deadline);
	int64_t error = clock_read_timespec(thread, timeout, deadline);
	if (!error && (operation & FUTEX_REALTIME))
		*deadline = clock_from_wall(*deadline);
	return error;
}

// A kick ends this wait, or the next if it comes before it.
static int64_t wait_for_futex(
	struct thread *thread, guest_address_t address, uint32_t value, uint64_t deadline)
{
	handle_t space = thread->process->memory->space;

	thread->state->interruptible = 1;
	enum error error = thread_interrupted(thread) ? ERR_CANCELLED
						      : futex_wait(space, address, value, deadline);
	thread->state->interruptible = 0;
	if (error == ERR_CANCELLED)
		return deadline == DEADLINE_NEVER ? -LINUX_ERESTART : -LINUX_EINTR;
	return error_to_linux(error);
}

static int64_t requeue_futex(struct thread *thread, guest_address_t address, uint32_t wake, uint64_t move,
	guest_address_t target, uint32_t expected)
{
	uint64_t count = 0;
	enum error error = futex_requeue(
		thread->process->memory->space, address, expected, wake, target, move, &count);

	return error == ERR_OK ? (int64_t)count : error_to_linux(error);
}

// FUTEX_WAKE_OP's number: what to do with the second word in bits 31 to 28, with what in 23 to 12; how to compare what it was
// in bits 27 to 24, with what in 11 to 0. Both numbers are signed.
static int32_t signed_field(uint32_t code, unsigned lowest)
{
	return (int32_t)(code << (20 - lowest)) >> 20;
}

static bool operate(uint32_t code, uint32_t old, uint32_t *new)
{
	uint32_t argument = (uint32_t)signed_field(code, 12);

	if (code >> 31)
		argument = (uint32_t)1 << (argument & 31);
	switch (code >> 28 & 7) {
	case 0:
		*new = argument;
		return true;
	case 1:
		*new = old + argument;
		return true;
	case 2:
		*new = old | argument;
		return true;
	case 3:
		*new = old & ~argument;
		return true;
	case 4:
		*new = old ^ argument;
		return true;
	default:
		return false;
	}
}

static bool compare(uint32_t code, int32_t old, bool *holds)
{
	int32_t argument = signed_field(code, 0);
	const bool results[] = {old == argument, old != argument,
		old<argument, old <= argument, old> argument, old >= argument};
	uint32_t comparison = code >> 24 & 15;

	if (comparison >= sizeof(results))
		return false;
	*holds = results[comparison];
	return true;
}

// Changes the second word; wakes who wait at the first, and at the second too if it was as asked for.
static int64_t change_and_wake(struct thread *thread, guest_address_t address, uint32_t count,
	guest_address_t target, uint64_t target_count, uint32_t code)
{
	uint32_t old, new;
	int64_t error, woken, more;
	bool holds;

	do {
		if (copy_from_guest(thread, &old, target, sizeof(old)))
			return -LINUX_EFAULT;
		if (!operate(code, old, &new) || !compare(code, (int32_t)old, &holds))
			return -LINUX_ENOSYS;
		error = futex_replace(thread, target, old, new);
	} while (error == -LINUX_EAGAIN);
	if (error)
		return error;
	woken = futex_wake_guest(thread, address, count);
	more = woken >= 0 && holds ? futex_wake_guest(thread, target, target_count) : 0;
	return more < 0 ? more : woken + more;
}

int64_t linux_futex(struct thread *thread, guest_address_t address, uint32_t operation, uint32_t value,
	uint64_t timeout, guest_address_t target, uint32_t expected)
{
	uint64_t deadline;
	int64_t error;

	switch (operation & FUTEX_OPERATION) {
	case FUTEX_WAIT_BITSET:
	case FUTEX_WAKE_BITSET:
		if (expected == 0)
			return -LINUX_EINVAL;
		// Whom it is for is not known, so all wake up, and wait again unless they find what they wait for.
		if (expected != FUTEX_ANY_BIT && (operation & FUTEX_OPERATION) == FUTEX_WAKE_BITSET && value)
			value = INT32_MAX;
		break;
	case FUTEX_REQUEUE:
		if (copy_from_guest(thread, &expected, address, sizeof(expected)))
			return -LINUX_EFAULT;
		break;
	default:
		break;
	}
	switch (operation & FUTEX_OPERATION) {
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
		error = futex_deadline(thread, operation, timeout, &deadline);
		return error ? error : wait_for_futex(thread, address, value, deadline);
	case FUTEX_WAKE:
	case FUTEX_WAKE_BITSET:
		return futex_wake_guest(thread, address, value);
	case FUTEX_LOCK_PI:
		operation |= FUTEX_REALTIME;
		// fallthrough
	case FUTEX_LOCK_PI2:
		error = futex_deadline(thread, operation, timeout, &deadline);
		return error ? error : futex_lock(thread, address, deadline, false);
	case FUTEX_TRYLOCK_PI:
		return futex_lock(thread, address, 0, true);
	case FUTEX_UNLOCK_PI:
		return futex_unlock(thread, address);
	case FUTEX_WAKE_OP:
		return change_and_wake(thread, address, value, target, (uint32_t)timeout, expected);
	case FUTEX_REQUEUE:
	case FUTEX_CMP_REQUEUE:
		return requeue_futex(thread, address, value, timeout, target, expected);
	default:
		return -LINUX_ENOSYS;
	}
}

int64_t linux_sched_yield(struct thread *thread)
{
	(void)thread;
	thread_yield();
	return 0;
}

// 0, or -LINUX_ESRCH: no such thread.
static int64_t check_thread(int32_t id)
{
	pthread_mutex_lock(&process_lock);
	bool exists = id == 0 || id_thread(id);
	pthread_mutex_unlock(&process_lock);
	return exists ? 0 : -LINUX_ESRCH;
}

// Threads run wherever there is room: a mask is accepted, and that is all.
int64_t linux_sched_setaffinity(struct thread *thread, int32_t id)
{
	(void)thread;
	return check_thread(id);
}

int64_t linux_sched_getaffinity(struct thread *thread, int32_t id, uint64_t length, guest_address_t mask)
{
	uint64_t cpus = machine_cpus();
	int64_t error = check_thread(id);

	if (error)
		return error;
	if (length < sizeof(cpus) || length % sizeof(cpus) != 0)
		return -LINUX_EINVAL;
	return copy_to_guest(thread, mask, &cpus, sizeof(cpus)) ? -LINUX_EFAULT : (int64_t)sizeof(cpus);
}

// The one policy is the ordinary one, whose only priority is 0.
int64_t linux_sched_getscheduler(struct thread *thread, int32_t id)
{
	(void)thread;
	return check_thread(id);
}

int64_t linux_sched_getparam(struct thread *thread, int32_t id, guest_address_t parameters)
{
	static const int32_t priority;
	int64_t error = check_thread(id);

	return error ? error : copy_to_guest(thread, parameters, &priority, sizeof(priority));
}

// Nice values all are 0, which getpriority tells as 20.
int64_t linux_getpriority(struct thread *thread)
{
	(void)thread;
	return 20;
}

int64_t linux_setpriority(struct thread *thread)
{
	(void)thread;
	return 0;
}

int64_t linux_getcpu(struct thread *thread, guest_address_t cpu, guest_address_t node)
{
	static const uint32_t no_node;
	struct thread_info info;

	if (thread_info(HANDLE_SELF, &info) != ERR_OK)
		return -LINUX_EINVAL;
	if (cpu != 0 && copy_to_guest(thread, cpu, &info.cpu, sizeof(info.cpu)))
		return -LINUX_EFAULT;
	return node != 0 ? copy_to_guest(thread, node, &no_node, sizeof(no_node)) : 0;
}

static int64_t set_name(struct thread *thread, guest_address_t address)
{
	char name[THREAD_NAME_LENGTH];
	int64_t length = copy_string_from_guest(thread, name, sizeof(name), address);

	if (length < 0 && length != -LINUX_ENAMETOOLONG)
		return length;
	name[THREAD_NAME_LENGTH - 1] = 0;
	pthread_mutex_lock(&process_lock);
	memcpy(thread->name, name, sizeof(name));
	pthread_mutex_unlock(&process_lock);
	return 0;
}

int64_t linux_prctl(struct thread *thread, int32_t option, uint64_t argument)
{
	switch (option) {
	case LINUX_PR_SET_NAME:
		return set_name(thread, argument);
	case LINUX_PR_GET_NAME:
		return copy_to_guest(thread, argument, thread->name, sizeof(thread->name));
	case LINUX_PR_GET_DUMPABLE:
		return 1;
	case LINUX_PR_SET_PDEATHSIG:
	case LINUX_PR_SET_DUMPABLE:
	case LINUX_PR_SET_NO_NEW_PRIVS:
	case LINUX_PR_GET_NO_NEW_PRIVS:
		return 0;
	default:
		return -LINUX_EINVAL;
	}
}

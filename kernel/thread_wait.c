// SPDX-License-Identifier: MIT
//
// Waiting and waking. The state word says whether a thread waits and which of its waits it is; who changes it
// from BLOCKED or SLEEPING to READY ends that wait, and nobody else does.

#include <arch/thread.h>
#include <kernel/assert.h>
#include <kernel/cpu.h>
#include <kernel/ipc.h>
#include <kernel/scheduler.h>
#include <kernel/thread.h>

#define STATE_MASK ((uint64_t)0xff)

static uint64_t next_number(const struct thread *thread, enum thread_state state)
{
	uint64_t word = atomic_load_explicit(&thread->state, memory_order_relaxed);

	return (word & ~STATE_MASK) + STATE_MASK + 1 + state;
}

// Everything the one who ends the wait looks at is in place. Sequentially consistent, since whoever kills or
// kicks sets a flag and then looks at the state, and the thread looks at the flag in trap_exit, after this.
static void begin_wait(
	struct thread *thread, const struct wait_operations *operations, void *wait_object, uint64_t number)
{
	__atomic_store_n(&thread->wait_operations, operations, __ATOMIC_RELAXED);
	thread->wait_object = wait_object;
	atomic_store(&thread->state, number);
}

uint64_t thread_prepare_wait(const struct wait_operations *operations, void *wait_object,
	enum thread_state state, uint64_t deadline)
{
	struct cpu *cpu = cpu_self();
	struct thread *thread = cpu->current;
	uint64_t number = next_number(thread, state);

	assert(!cpu->blocked && thread_get_state(thread) == THREAD_RUNNING);
	cpu->blocked = true;
	cpu_set_work(cpu);
	if (deadline != DEADLINE_NEVER)
		thread_hinder(thread, HINDRANCE_DEADLINE);
	// Armed first: it cannot expire before this CPU lets interrupts in, but who kills or kicks the thread ends a wait
	// without a queue as soon as it has begun.
	timeout_arm(&thread->timeout, deadline);
	begin_wait(thread, operations, wait_object, number);
	return number;
}

void thread_prepare_unstated_wait(void)
{
	struct cpu *cpu = cpu_self();

	assert(!cpu->blocked && thread_get_state(cpu->current) == THREAD_RUNNING);
	cpu->blocked = true;
	cpu_set_work(cpu);
}

void thread_state_wait(struct thread *thread, const struct wait_operations *operations, void *wait_object)
{
	begin_wait(thread, operations, wait_object, next_number(thread, THREAD_BLOCKED));
}

static bool is_waiting(uint64_t word)
{
	return (word & STATE_MASK) == THREAD_BLOCKED || (word & STATE_MASK) == THREAD_SLEEPING;
}

static bool claim(struct thread *thread, uint64_t word)
{
	return atomic_compare_exchange_strong(&thread->state, &word, (word & ~STATE_MASK) | THREAD_READY);
}

bool thread_claim(struct thread *thread)
{
	bool claimed = thread_claim_wait(thread, atomic_load(&thread->state));

	// If it fails, another has ended that wait. It may wait again since, but that is another wait.
	assert(!claimed || thread->wait_operations != &ipc_answer_wait);
	return claimed;
}

bool thread_claim_wait(struct thread *thread, uint64_t number)
{
	return is_waiting(number) && claim(thread, number);
}

// The reference is the binding's: see struct caller.
static __attribute__((noinline)) bool claim_bound(struct thread *thread, uint64_t word)
{
	if (!object_try_get(&thread->object))
		return false;
	if (claim(thread, word))
		return true;
	object_put(&thread->object);
	return false;
}

// Claims for one who ends the wait otherwise than it was meant to end. `word` is what the state was a moment ago, so what is read of
// that wait afterwards is good if it can be claimed.
static inline bool claim_from_outside(struct thread *thread, uint64_t word)
{
	if (!is_waiting(word))
		return false;
	return __atomic_load_n(&thread->wait_operations, __ATOMIC_RELAXED) == &ipc_answer_wait
		? claim_bound(thread, word)
		: claim(thread, word);
}

uint64_t thread_continue_wait(
	struct thread *thread, const struct wait_operations *operations, void *wait_object)
{
	uint64_t number = next_number(thread, THREAD_BLOCKED);
	bool timed = thread->timeout.deadline != DEADLINE_NEVER;

	assert(thread_get_state(thread) == THREAD_READY);
	begin_wait(thread, operations, wait_object, number);
	// Who found the thread claimed left it alone, and will not come again. That wait may be over by now, and another one be under way.
	if (atomic_load(&thread->killed))
		thread_abort_wait_number(thread, number, ERR_CANCELLED);
	else if (timed && atomic_load(&thread->timeout.queue) == NULL)
		thread_abort_wait_number(thread, number, ERR_TIMED_OUT);
	else
		guest_check_kick(thread);
	return number;
}

static void cancel_timeout(struct thread *thread)
{
	if (thread->timeout.deadline != DEADLINE_NEVER)
		timeout_cancel_sync(&thread->timeout);
}

void thread_wake(struct thread *thread)
{
	assert(thread_get_state(thread) == THREAD_READY);
	cancel_timeout(thread);
	thread_unhinder(thread, HINDRANCE_DEADLINE);
	scheduler_enqueue(thread);
}

void thread_wake_with(struct thread *thread, enum error error, uint64_t value)
{
	arch_syscall_set_result(
		&thread->arch, (struct syscall_result){.error = (uint64_t)error, .value = value});
	thread_wake(thread);
}

static void cancel_claimed(struct thread *thread, enum error error)
{
	const struct wait_operations *operations = thread->wait_operations;

	if (operations->cancel)
		operations->cancel(thread);
	if (operations->fail)
		operations->fail(thread, error);
	else
		arch_syscall_set_result(
			&thread->arch, (struct syscall_result){.error = (uint64_t)error, .value = 0});
}

static bool leave_wait(struct thread *thread, uint64_t word, enum error error)
{
	if (!claim_from_outside(thread, word))
		return false;
	cancel_claimed(thread, error);
	return true;
}

bool thread_leave_wait(struct thread *thread)
{
	ipc_wait_in_list(thread);
	if (!leave_wait(thread, atomic_load(&thread->state), ERR_CANCELLED))
		return false;
	cancel_timeout(thread);
	return true;
}

bool thread_leave_wait_number(struct thread *thread, uint64_t number)
{
	return thread_is_waiting(thread, number) && leave_wait(thread, number, ERR_CANCELLED);
}

static bool abort_wait(struct thread *thread, uint64_t word, enum error error)
{
	if (!leave_wait(thread, word, error))
		return false;
	thread_wake(thread);
	return true;
}

bool thread_abort_wait(struct thread *thread, enum error error)
{
	ipc_wait_in_list(thread);
	return abort_wait(thread, atomic_load(&thread->state), error);
}

bool thread_abort_wait_number(struct thread *thread, uint64_t number, enum error error)
{
	return thread_is_waiting(thread, number) && abort_wait(thread, number, error);
}

// SPDX-License-Identifier: MIT
//
// The calls around signals: what is to be done about them, and sending them.

#include <linux/calls/calls.h>
#include <linux/calls/dispatch.h>
#include <linux/interface/errors.h>
#include <linux/memory/guest_copy.h>
#include <linux/process/delivery.h>
#include <linux/process/process.h>
#include <linux/process/signal.h>
#include <linux/process/table.h>
#include <linux/time/clock.h>

#define SET_SIZE 8 // bytes of a set of signals

static bool signal_valid(int32_t signal)
{
	return signal > 0 && signal <= LINUX_SIGNAL_COUNT;
}

int64_t linux_rt_sigaction(
	struct thread *thread, int32_t signal, guest_address_t action, guest_address_t old, uint64_t set_size)
{
	struct signal_actions *actions = thread->process->actions;
	struct linux_signal_action wanted, previous;

	if (set_size != SET_SIZE || !signal_valid(signal))
		return -LINUX_EINVAL;
	if (action != 0 && (signal == LINUX_SIGKILL || signal == LINUX_SIGSTOP))
		return -LINUX_EINVAL;
	if (action != 0 && copy_from_guest(thread, &wanted, action, sizeof(wanted)))
		return -LINUX_EFAULT;
	pthread_mutex_lock(&process_lock);
	pthread_mutex_lock(&actions->lock);
	previous = actions->action[signal];
	if (action != 0)
		actions->action[signal] = wanted;
	pthread_mutex_unlock(&actions->lock);
	if (action != 0 && signal_effect(&wanted, signal) == SIGNAL_NONE)
		signal_forget(thread->process, signal);
	pthread_mutex_unlock(&process_lock);
	return old != 0 ? copy_to_guest(thread, old, &previous, sizeof(previous)) : 0;
}

int64_t linux_rt_sigprocmask(
	struct thread *thread, uint32_t how, guest_address_t set, guest_address_t old, uint64_t set_size)
{
	uint64_t previous = thread->signals_blocked;
	uint64_t signals;

	if (set_size != SET_SIZE || (set != 0 && how > LINUX_SIG_SETMASK))
		return -LINUX_EINVAL;
	if (set != 0) {
		if (copy_from_guest(thread, &signals, set, sizeof(signals)))
			return -LINUX_EFAULT;
		if (how == LINUX_SIG_BLOCK)
			signals |= previous;
		else if (how == LINUX_SIG_UNBLOCK)
			signals = previous & ~signals;
		signal_set_blocked(thread, signals);
	}
	return old != 0 ? copy_to_guest(thread, old, &previous, sizeof(previous)) : 0;
}

int64_t linux_rt_sigpending(struct thread *thread, guest_address_t set, uint64_t set_size)
{
	uint64_t pending = thread->signals.pending | thread->process->signals.pending;

	return set_size <= SET_SIZE ? copy_to_guest(thread, set, &pending, set_size) : -LINUX_EINVAL;
}

// Waits for a signal with others blocked than usual, until its handler returns.
int64_t linux_rt_sigsuspend(struct thread *thread, guest_address_t set, uint64_t set_size)
{
	int64_t error = signals_block_for_wait(thread, set, set_size);

	while (!error)
		error = wait_sleep(thread, DEADLINE_NEVER);
	return error == -LINUX_ERESTART ? -LINUX_EINTR : error;
}

// Takes one of the awaited signals, the lowest first; 0: none is pending.
static int32_t take_awaited(struct thread *thread, uint64_t awaited, struct signal_cause *cause)
{
	int32_t found = 0;

	pthread_mutex_lock(&process_lock);
	for (int32_t signal = 1; signal <= LINUX_SIGNAL_COUNT && found == 0; signal++) {
		if ((awaited & signal_bit(signal)) && signal_take(thread, signal, cause))
			found = signal;
	}
	pthread_mutex_unlock(&process_lock);
	return found;
}

int64_t linux_rt_sigtimedwait(struct thread *thread, guest_address_t set, guest_address_t information,
	guest_address_t timeout, uint64_t set_size)
{
	uint64_t awaited, deadline;
	struct signal_cause cause;
	int32_t signal;

	if (set_size != SET_SIZE)
		return -LINUX_EINVAL;
	if (copy_from_guest(thread, &awaited, set, sizeof(awaited)))
		return -LINUX_EFAULT;
	int64_t error = clock_timespec_deadline(thread, timeout, &deadline);
	thread->signals_awaited = awaited;
	while ((signal = take_awaited(thread, awaited, &cause)) == 0 && !error)
		error = wait_sleep(thread, deadline);
	thread->signals_awaited = 0;
	if (signal == 0) {
		if (error == -LINUX_ETIMEDOUT)
			return -LINUX_EAGAIN;
		return error == -LINUX_ERESTART ? -LINUX_EINTR : error;
	}
	struct linux_signal_information description = signal_describe(signal, &cause);
	if (information != 0 && copy_to_guest(thread, information, &description, sizeof(description)))
		return -LINUX_EFAULT;
	return signal;
}

// A frame that makes no sense is a fault of the guest.
int64_t linux_rt_sigreturn(struct thread *thread)
{
	static const struct signal_cause cause = {.code = LINUX_SI_KERNEL};

	if (signal_return(thread) && !signal_deliver_fault(thread, LINUX_SIGSEGV, &cause)) {
		pthread_mutex_lock(&process_lock);
		process_end(thread->process, wait_status_signal(LINUX_SIGSEGV));
		pthread_mutex_unlock(&process_lock);
	}
	return CALL_REGISTERS_SET;
}

int64_t linux_sigaltstack(struct thread *thread, guest_address_t stack, guest_address_t old)
{
	struct linux_sigaltstack previous = thread->signal_stack, wanted;

	if (stack != 0) {
		if (copy_from_guest(thread, &wanted, stack, sizeof(wanted)))
			return -LINUX_EFAULT;
		if (wanted.flags & ~LINUX_SS_DISABLE)
			return -LINUX_EINVAL;
		if (!(wanted.flags & LINUX_SS_DISABLE) && wanted.size < LINUX_MINSIGSTKSZ)
			return -LINUX_ENOMEM;
		thread->signal_stack = wanted;
	}
	return old != 0 ? copy_to_guest(thread, old, &previous, sizeof(previous)) : 0;
}

// Whether a process may send signals to another. process_lock is held.
static bool may_signal(const struct process *from, const struct process *to)
{
	const struct credentials *own = &from->credentials, *others = &to->credentials;

	return own->effective_user == 0 || own->effective_user == others->real_user ||
		own->real_user == others->real_user || own->real_user == others->saved_user ||
		own->effective_user == others->saved_user;
}

// Which processes kill means. `group` 0: all but the first and the caller's own.
struct kill_request {
	struct process *from;
	int32_t group;
	int32_t signal;
	struct signal_cause cause;
	bool found;
	bool sent;
};

static bool kill_if_meant(struct process *process, void *context)
{
	struct kill_request *request = context;

	if (request->group != 0 ? process->group != request->group
				: process == request->from || process->id == 1)
		return true;
	request->found = true;
	if (may_signal(request->from, process)) {
		request->sent = true;
		if (request->signal != 0)
			signal_send(process, request->signal, &request->cause);
	}
	return true;
}

static struct signal_cause own_cause(const struct thread *thread, int32_t code)
{
	return (struct signal_cause){
		.code = code,
		.process = thread->process->id,
		.user = thread->process->credentials.real_user,
	};
}

// process_lock is held in these three.
static int64_t kill_one(struct thread *thread, struct process *process, int32_t signal)
{
	struct signal_cause cause = own_cause(thread, LINUX_SI_USER);

	if (!process)
		return -LINUX_ESRCH;
	if (!may_signal(thread->process, process))
		return -LINUX_EPERM;
	if (signal != 0)
		signal_send(process, signal, &cause);
	return 0;
}

static int64_t kill_many(struct thread *thread, int32_t group, int32_t signal)
{
	struct kill_request request = {
		.from = thread->process,
		.group = group,
		.signal = signal,
		.cause = own_cause(thread, LINUX_SI_USER),
	};

	id_each_process(kill_if_meant, &request);
	if (!request.found)
		return -LINUX_ESRCH;
	return request.sent ? 0 : -LINUX_EPERM;
}

static int64_t kill_meant(struct thread *thread, int32_t id, int32_t signal)
{
	if (id > 0)
		return kill_one(thread, id_process(id), signal);
	if (id == INT32_MIN)
		return -LINUX_ESRCH;
	if (id == 0)
		return kill_many(thread, thread->process->group, signal);
	return kill_many(thread, id == -1 ? 0 : -id, signal);
}

int64_t linux_kill(struct thread *thread, int32_t process, int32_t signal)
{
	if (signal != 0 && !signal_valid(signal))
		return -LINUX_EINVAL;
	pthread_mutex_lock(&process_lock);
	int64_t result = kill_meant(thread, process, signal);
	pthread_mutex_unlock(&process_lock);
	return result;
}

// To one thread; `process` 0: of any process. process_lock is held.
static int64_t kill_found(struct thread *thread, struct thread *target, int32_t process, int32_t signal)
{
	struct signal_cause cause = own_cause(thread, LINUX_SI_TKILL);

	if (!target || (process != 0 && target->process->id != process))
		return -LINUX_ESRCH;
	if (!may_signal(thread->process, target->process))
		return -LINUX_EPERM;
	if (signal != 0)
		signal_send_thread(target, signal, &cause);
	return 0;
}

static int64_t kill_thread(struct thread *thread, int32_t process, int32_t id, int32_t signal)
{
	if ((signal != 0 && !signal_valid(signal)) || id <= 0)
		return -LINUX_EINVAL;
	pthread_mutex_lock(&process_lock);
	int64_t result = kill_found(thread, id_thread(id), process, signal);
	pthread_mutex_unlock(&process_lock);
	return result;
}

int64_t linux_tkill(struct thread *thread, int32_t id, int32_t signal)
{
	return kill_thread(thread, 0, id, signal);
}

int64_t linux_tgkill(struct thread *thread, int32_t process, int32_t id, int32_t signal)
{
	return process > 0 ? kill_thread(thread, process, id, signal) : -LINUX_EINVAL;
}

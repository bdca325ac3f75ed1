// SPDX-License-Identifier: MIT
//
// The calls around signals: what is to be done about them, and sending them.

#include "calls/calls.h"
#include "interface/errors.h"
#include "memory/guest_copy.h"
#include "process/process.h"
#include "process/signal.h"
#include "process/table.h"

#include <string.h>

#define SET_SIZE    8 // bytes of a set of signals
#define UNBLOCKABLE (((uint64_t)1 << (LINUX_SIGKILL - 1)) | ((uint64_t)1 << (LINUX_SIGSTOP - 1)))

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
	pthread_mutex_lock(&actions->lock);
	previous = actions->action[signal];
	if (action != 0)
		actions->action[signal] = wanted;
	pthread_mutex_unlock(&actions->lock);
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
		thread->signals_blocked = signals & ~UNBLOCKABLE;
	}
	return old != 0 ? copy_to_guest(thread, old, &previous, sizeof(previous)) : 0;
}

int64_t linux_rt_sigpending(struct thread *thread, guest_address_t set, uint64_t set_size)
{
	static const uint64_t none;

	return set_size <= SET_SIZE ? copy_to_guest(thread, set, &none, set_size) : -LINUX_EINVAL;
}

// Waits for a signal: those that are not delivered end no wait, so only the end of the process does.
int64_t linux_rt_sigsuspend(struct thread *thread, guest_address_t set, uint64_t set_size)
{
	uint64_t signals;

	if (set_size != SET_SIZE)
		return -LINUX_EINVAL;
	if (copy_from_guest(thread, &signals, set, sizeof(signals)))
		return -LINUX_EFAULT;
	while (wait_sleep(thread, DEADLINE_NEVER) == 0)
		;
	return -LINUX_EINTR;
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
			signal_send(process, request->signal);
	}
	return true;
}

// process_lock is held in these three.
static int64_t kill_one(struct thread *thread, struct process *process, int32_t signal)
{
	if (!process)
		return -LINUX_ESRCH;
	if (!may_signal(thread->process, process))
		return -LINUX_EPERM;
	if (signal != 0)
		signal_send(process, signal);
	return 0;
}

static int64_t kill_many(struct thread *thread, int32_t group, int32_t signal)
{
	struct kill_request request = {.from = thread->process, .group = group, .signal = signal};

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

// A default action is the whole process's, whichever thread is meant. `process` 0: any.
static int64_t kill_thread(struct thread *thread, int32_t process, int32_t id, int32_t signal)
{
	if ((signal != 0 && !signal_valid(signal)) || id <= 0)
		return -LINUX_EINVAL;
	pthread_mutex_lock(&process_lock);
	struct thread *target = id_thread(id);
	bool found = target && (process == 0 || target->process->id == process);
	int64_t result = kill_one(thread, found ? target->process : NULL, signal);
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

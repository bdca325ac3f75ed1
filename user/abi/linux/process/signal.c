// SPDX-License-Identifier: MIT
//
// Signals, from sending to taking.

#include <linux/process/signal.h>

#include <linux/interface/errors.h>
#include <linux/process/process.h>
#include <linux/process/table.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

// What is never ignored, blocked or handled.
#define UNSTOPPABLE (signal_bit(LINUX_SIGKILL) | signal_bit(LINUX_SIGSTOP))

struct signal_actions *signal_actions_create(void)
{
	struct signal_actions *actions = calloc(1, sizeof(*actions));

	if (!actions)
		return NULL;
	actions->references = 1;
	pthread_mutex_init(&actions->lock, NULL);
	return actions;
}

struct signal_actions *signal_actions_copy(struct signal_actions *actions)
{
	struct signal_actions *copy = signal_actions_create();

	if (!copy)
		return NULL;
	pthread_mutex_lock(&actions->lock);
	memcpy(copy->action, actions->action, sizeof(copy->action));
	pthread_mutex_unlock(&actions->lock);
	return copy;
}

struct signal_actions *signal_actions_share(struct signal_actions *actions)
{
	atomic_fetch_add(&actions->references, 1);
	return actions;
}

void signal_actions_release(struct signal_actions *actions)
{
	if (atomic_fetch_sub(&actions->references, 1) == 1)
		free(actions);
}

void signal_actions_reset(struct signal_actions *actions)
{
	pthread_mutex_lock(&actions->lock);
	for (int32_t signal = 1; signal <= LINUX_SIGNAL_COUNT; signal++) {
		uint64_t handler = actions->action[signal].handler;

		memset(&actions->action[signal], 0, sizeof(actions->action[signal]));
		if (handler == LINUX_SIG_IGN)
			actions->action[signal].handler = LINUX_SIG_IGN;
	}
	pthread_mutex_unlock(&actions->lock);
}

struct linux_signal_action signal_action(struct signal_actions *actions, int32_t signal)
{
	pthread_mutex_lock(&actions->lock);
	struct linux_signal_action action = actions->action[signal];
	pthread_mutex_unlock(&actions->lock);
	return action;
}

// Signals that stop a process do nothing: there is no job control.
enum signal_effect signal_effect(const struct linux_signal_action *action, int32_t signal)
{
	if (action->handler == LINUX_SIG_IGN)
		return SIGNAL_NONE;
	if (action->handler != LINUX_SIG_DFL)
		return SIGNAL_HANDLER;
	switch (signal) {
	case LINUX_SIGCHLD:
	case LINUX_SIGCONT:
	case LINUX_SIGURG:
	case LINUX_SIGWINCH:
	case LINUX_SIGSTOP:
	case LINUX_SIGTSTP:
	case LINUX_SIGTTIN:
	case LINUX_SIGTTOU:
		return SIGNAL_NONE;
	default:
		return SIGNAL_END;
	}
}

static bool has_effect(struct process *process, int32_t signal)
{
	struct linux_signal_action action = signal_action(process->actions, signal);

	return signal_effect(&action, signal) != SIGNAL_NONE;
}

static bool is_blocked(struct thread *thread, int32_t signal)
{
	return atomic_load(&thread->signals_blocked) & ~atomic_load(&thread->signals_awaited) &
		signal_bit(signal);
}

// Whether a signal that a thread does not block is of no use to it.
static bool is_useless(struct thread *thread, int32_t signal)
{
	return !has_effect(thread->process, signal) &&
		!(atomic_load(&thread->signals_awaited) & signal_bit(signal));
}

// Makes a signal pending; the first cause counts.
static void enqueue(struct signal_queue *queue, int32_t signal, const struct signal_cause *cause)
{
	if (!(atomic_load(&queue->pending) & signal_bit(signal)))
		queue->causes[signal - 1] = *cause;
	atomic_fetch_or(&queue->pending, signal_bit(signal));
}

// A thread of the process that would take a signal; NULL: all block it.
static struct thread *find_taker(struct process *process, int32_t signal)
{
	list_for_each (node, &process->threads) {
		struct thread *thread = list_entry(node, struct thread, link);

		if (!is_blocked(thread, signal))
			return thread;
	}
	return NULL;
}

void signal_send(struct process *process, int32_t signal, const struct signal_cause *cause)
{
	if (signal == LINUX_SIGKILL) {
		process_end(process, wait_status_signal(signal));
		return;
	}
	if (process->ending || !process->actions)
		return;
	struct thread *taker = find_taker(process, signal);
	if (taker && is_useless(taker, signal))
		return;
	enqueue(&process->signals, signal, cause);
	if (taker)
		thread_interrupt(taker);
}

void signal_send_thread(struct thread *thread, int32_t signal, const struct signal_cause *cause)
{
	struct process *process = thread->process;

	if (signal == LINUX_SIGKILL || process->ending || !process->actions) {
		signal_send(process, signal, cause);
		return;
	}
	if (!is_blocked(thread, signal) && is_useless(thread, signal))
		return;
	enqueue(&thread->signals, signal, cause);
	thread_interrupt(thread);
}

struct group_signal {
	int32_t group;
	int32_t signal;
	const struct signal_cause *cause;
	bool found;
};

static bool send_if_member(struct process *process, void *context)
{
	struct group_signal *request = context;

	if (process->group == request->group) {
		request->found = true;
		signal_send(process, request->signal, request->cause);
	}
	return true;
}

bool signal_send_group(int32_t group, int32_t signal, const struct signal_cause *cause)
{
	struct group_signal request = {.group = group, .signal = signal, .cause = cause};

	id_each_process(send_if_member, &request);
	return request.found;
}

void signal_forget(struct process *process, int32_t signal)
{
	atomic_fetch_and(&process->signals.pending, ~signal_bit(signal));
	list_for_each (node, &process->threads)
		atomic_fetch_and(
			&list_entry(node, struct thread, link)->signals.pending, ~signal_bit(signal));
}

static uint64_t all_pending(struct thread *thread)
{
	return atomic_load(&thread->signals.pending) | atomic_load(&thread->process->signals.pending);
}

uint64_t signal_deliverable(struct thread *thread)
{
	return all_pending(thread) & ~atomic_load(&thread->signals_blocked);
}

bool signal_wakes(struct thread *thread)
{
	uint64_t blocked = atomic_load(&thread->signals_blocked) & ~atomic_load(&thread->signals_awaited);

	return all_pending(thread) & ~blocked;
}

static bool dequeue(struct signal_queue *queue, int32_t signal, struct signal_cause *cause)
{
	if (!(atomic_fetch_and(&queue->pending, ~signal_bit(signal)) & signal_bit(signal)))
		return false;
	*cause = queue->causes[signal - 1];
	return true;
}

bool signal_take(struct thread *thread, int32_t signal, struct signal_cause *cause)
{
	return dequeue(&thread->signals, signal, cause) || dequeue(&thread->process->signals, signal, cause);
}

void signal_set_blocked(struct thread *thread, uint64_t blocked)
{
	atomic_store(&thread->signals_blocked, blocked & ~UNSTOPPABLE);
}

bool signal_child_ended(struct process *child)
{
	struct process *parent = child->parent;
	uint32_t signal = child->wait_status & 0x7f;
	struct signal_cause cause = {
		.code = signal ? LINUX_CLD_KILLED : LINUX_CLD_EXITED,
		.process = child->id,
		.user = child->credentials.real_user,
		.status = (int32_t)(signal ? signal : child->wait_status >> 8),
	};

	if (parent->ending)
		return true;
	struct linux_signal_action action = signal_action(parent->actions, LINUX_SIGCHLD);
	if (child->exit_signal != 0)
		signal_send(parent, child->exit_signal, &cause);
	if (action.handler == LINUX_SIG_IGN || (action.flags & LINUX_SA_NOCLDWAIT))
		return false;
	wait_wake(&parent->child_ended);
	return true;
}

struct linux_signal_information signal_describe(int32_t signal, const struct signal_cause *cause)
{
	struct linux_signal_information information = {.signal = signal, .code = cause->code};

	if (cause->address != 0 || (cause->code > 0 && cause->process == 0)) {
		information.fault_address = cause->address;
	} else {
		information.sender.process = cause->process;
		information.sender.user = cause->user;
		information.sender.status = cause->status;
	}
	return information;
}

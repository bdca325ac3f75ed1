// SPDX-License-Identifier: MIT
//
// Signals and their default actions.

#include "process/signal.h"

#include "interface/errors.h"
#include "process/process.h"
#include "process/table.h"

#include <runtime/format.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define SA_NOCLDWAIT 2

enum default_effect {
	EFFECT_END,
	EFFECT_NONE,
	EFFECT_STOP,
};

static enum default_effect default_effect(int32_t signal)
{
	switch (signal) {
	case LINUX_SIGCHLD:
	case LINUX_SIGCONT:
	case LINUX_SIGURG:
	case LINUX_SIGWINCH:
		return EFFECT_NONE;
	case LINUX_SIGSTOP:
	case LINUX_SIGTSTP:
	case LINUX_SIGTTIN:
	case LINUX_SIGTTOU:
		return EFFECT_STOP;
	default:
		return EFFECT_END;
	}
}

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

static struct linux_signal_action action_of(struct process *process, int32_t signal)
{
	pthread_mutex_lock(&process->actions->lock);
	struct linux_signal_action action = process->actions->action[signal];
	pthread_mutex_unlock(&process->actions->lock);
	return action;
}

void signal_send(struct process *process, int32_t signal)
{
	if (process->ending || !process->actions)
		return;
	uint64_t handler = action_of(process, signal).handler;
	if (handler == LINUX_SIG_IGN)
		return;
	if (handler != LINUX_SIG_DFL) {
		log_print(LOG_DEBUG, "signal %d has a handler in process %d: not delivered", signal,
			process->id);
		return;
	}
	if (default_effect(signal) == EFFECT_END)
		process_end(process, wait_status_signal(signal));
}

struct group_signal {
	int32_t group;
	int32_t signal;
	bool found;
};

static bool send_if_member(struct process *process, void *context)
{
	struct group_signal *request = context;

	if (process->group == request->group) {
		request->found = true;
		if (request->signal != 0)
			signal_send(process, request->signal);
	}
	return true;
}

bool signal_send_group(int32_t group, int32_t signal)
{
	struct group_signal request = {.group = group, .signal = signal};

	id_each_process(send_if_member, &request);
	return request.found;
}

void signal_fault(struct thread *thread, int32_t signal)
{
	pthread_mutex_lock(&process_lock);
	process_end(thread->process, wait_status_signal(signal));
	pthread_mutex_unlock(&process_lock);
}

bool signal_child_ended(struct process *child)
{
	struct process *parent = child->parent;

	if (parent->ending)
		return true;
	struct linux_signal_action action = action_of(parent, LINUX_SIGCHLD);
	if (child->exit_signal != 0)
		signal_send(parent, child->exit_signal);
	if (action.handler == LINUX_SIG_IGN || (action.flags & SA_NOCLDWAIT))
		return false;
	wait_wake(&parent->child_ended);
	return true;
}

// SPDX-License-Identifier: MIT
//
// Signals: what a process wants done about each, and what is done. A signal without a handler has its default
// effect: none, or the end of the process.

#ifndef PROCESS_SIGNAL_H
#define PROCESS_SIGNAL_H

#include "arch/guest.h"
#include "interface/signal.h"

#include <pthread.h>

struct process;
struct thread;

// What to do about each signal; shared by the threads of a process.
struct signal_actions {
	_Atomic uint32_t references;
	pthread_mutex_t lock;
	struct linux_signal_action action[LINUX_SIGNAL_COUNT + 1]; // by number; 0 is unused
};

// All default; NULL: no memory.
struct signal_actions *signal_actions_create(void);
struct signal_actions *signal_actions_copy(struct signal_actions *actions);
struct signal_actions *signal_actions_share(struct signal_actions *actions);
void signal_actions_release(struct signal_actions *actions);

// execve: handlers are gone, what is ignored stays ignored.
void signal_actions_reset(struct signal_actions *actions);

// Sends a signal to a process. process_lock is held.
void signal_send(struct process *process, int32_t signal);

// Sends a signal to all processes of a group. process_lock is held; false: there is none.
bool signal_send_group(int32_t group, int32_t signal);

// Ends a thread's process by a signal that cannot be handled: a fault's.
void signal_fault(struct thread *thread, int32_t signal);

// Tells the parent that a child is a zombie; false: the parent does not want to wait for children.
// process_lock is held.
bool signal_child_ended(struct process *child);

#endif

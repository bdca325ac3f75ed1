// SPDX-License-Identifier: MIT
//
// Signals: what a process wants done about each, and how they get to its threads. A signal is pending from
// when it is sent until a thread takes it on its way back to the guest: see delivery.h.

#ifndef PROCESS_SIGNAL_H
#define PROCESS_SIGNAL_H

#include <linux/arch/guest.h>
#include <linux/interface/signal.h>

#include <pthread.h>

struct process;
struct signal_cause;
struct thread;

// What to do about each signal; shared by the threads of a process.
struct signal_actions {
	_Atomic uint32_t references;
	pthread_mutex_t lock;
	struct linux_signal_action action[LINUX_SIGNAL_COUNT + 1]; // by number; 0 is unused
};

enum signal_effect {
	SIGNAL_END,
	SIGNAL_NONE,
	SIGNAL_HANDLER,
};

static inline uint64_t signal_bit(int32_t signal)
{
	return (uint64_t)1 << (signal - 1);
}

// All default; NULL: no memory.
struct signal_actions *signal_actions_create(void);
struct signal_actions *signal_actions_copy(struct signal_actions *actions);
struct signal_actions *signal_actions_share(struct signal_actions *actions);
void signal_actions_release(struct signal_actions *actions);

// execve: handlers are gone, what is ignored stays ignored.
void signal_actions_reset(struct signal_actions *actions);

// The action of a signal, and the effect that it has.
struct linux_signal_action signal_action(struct signal_actions *actions, int32_t signal);
enum signal_effect signal_effect(const struct linux_signal_action *action, int32_t signal);

// Sends a signal to a process, for any of its threads, or to one thread. process_lock is held.
void signal_send(struct process *process, int32_t signal, const struct signal_cause *cause);
void signal_send_thread(struct thread *thread, int32_t signal, const struct signal_cause *cause);

// Sends a signal to all processes of a group. process_lock is held; false: there is none.
bool signal_send_group(int32_t group, int32_t signal, const struct signal_cause *cause);

// Forgets a signal that is pending for a process or its threads: it is ignored from now on. process_lock is
// held.
void signal_forget(struct process *process, int32_t signal);

// The signals that a thread is to take now, as bits.
uint64_t signal_deliverable(struct thread *thread);

// Whether there is a signal that ends a wait of the thread: one to take, or one that it awaits.
bool signal_wakes(struct thread *thread);

// Takes one of these signals from the thread or its process; false: it is not pending. process_lock is held.
bool signal_take(struct thread *thread, int32_t signal, struct signal_cause *cause);

// Changes which signals a thread does not take. Kill and stop it always takes.
void signal_set_blocked(struct thread *thread, uint64_t blocked);

// Tells the parent that a child is a zombie; false: the parent does not want to wait for children.
// process_lock is held.
bool signal_child_ended(struct process *child);

// What siginfo tells of a signal.
struct linux_signal_information signal_describe(int32_t signal, const struct signal_cause *cause);

#endif

// SPDX-License-Identifier: MIT
//
// Processes and their threads, as Linux programs know them.
//
// A guest's thread is run by one thread of the personality, which alone touches the fields that are not said
// to be guarded. process_lock guards the tree, all ids and what signals change; it is taken before any other
// lock.

#ifndef PROCESS_PROCESS_H
#define PROCESS_PROCESS_H

#include <linux/arch/guest.h>
#include <linux/interface/process.h>
#include <linux/interface/signal.h>
#include <linux/process/wait.h>
#include <linux/support/list.h>

#include <pthread.h>
#include <tern/guest.h>
#include <tern/types.h>

#define THREAD_NAME_LENGTH 16

struct file_table;
struct file_view;
struct guest_memory;
struct native_program;
struct signal_actions;

// Why a signal was sent.
struct signal_cause {
	int32_t code;
	int32_t process, status; // of the sender, or the child
	uint32_t user;
	uint64_t address; // of a fault
};

// Signals that are pending, each at most once, with the cause of the first.
struct signal_queue {
	_Atomic uint64_t pending;                       // bit n - 1: signal n; changed under process_lock
	struct signal_cause causes[LINUX_SIGNAL_COUNT]; // guarded
};

struct thread {
	int32_t id;       // guarded, but for the thread itself
	int32_t first_id; // kept in use as long as it lives
	struct process *process;
	struct list_node link; // in process->threads; guarded
	handle_t native;       // the thread of the personality that runs it
	struct guest_state *state;
	_Atomic uint32_t awake; // see wait.c
	bool ending;            // it alone ends; the process goes on
	struct file_table *files;
	struct file_view *view;
	_Atomic uint64_t signals_blocked; // bit n - 1: signal n; set by the thread itself
	struct signal_queue signals;      // for this thread alone
	uint64_t signals_saved;           // blocked ones to go back to after sigsuspend and its like
	_Atomic uint64_t signals_awaited; // by sigtimedwait, blocked or not
	bool has_signals_saved;
	bool call_rewound; // the guest is about to make the call again that a signal has interrupted
	struct linux_sigaltstack signal_stack;
	guest_address_t clear_tid;             // zeroed and woken when the thread ends; 0: none
	guest_address_t robust_list;           // head of the futexes to release then; 0: none
	struct native_program *native_program; // that it stands for; NULL: it runs a guest
	struct process *vfork_child;           // that still uses this thread's memory; guarded
	void *fpu_state;                       // to start with; NULL: the initial one
	uint64_t fpu_state_size;
	char name[THREAD_NAME_LENGTH];
};

// User and group ids.
struct credentials {
	uint32_t real_user, effective_user, saved_user;
	uint32_t real_group, effective_group, saved_group;
};

// What a process has used, in nanoseconds.
struct usage {
	uint64_t cpu_time;
	uint64_t children_time; // of waited-for children and theirs
};

struct process {
	int32_t id, group, session;  // guarded
	struct process *parent;      // guarded; NULL: nobody waits for it
	struct list_node children;   // guarded
	struct list_node sibling;    // in parent->children, guarded
	struct list_node threads;    // guarded
	unsigned thread_count;       // guarded
	struct thread *vfork_parent; // waits until this process lets go of its memory; guarded
	struct thread
		*_Atomic sole; // the thread that executes a program: all others end; set under process_lock
	_Atomic bool ending;   // its threads end as soon as they look; set under process_lock
	bool zombie;           // guarded
	bool executed;         // has called execve; guarded
	uint32_t wait_status;  // as wait4 tells it; valid when ending; guarded
	int32_t exit_signal;   // to the parent; 0: none
	struct wait_queue child_ended; // for threads that wait for children
	struct guest_memory *memory;   // replaced by execve alone, guarded
	struct signal_actions *actions;
	struct signal_queue signals; // for any of its threads
	struct credentials credentials;
	struct linux_rlimit limits[LINUX_RLIMIT_COUNT];
	struct usage usage;  // of ended threads; guarded
	uint64_t start_time; // of the monotonic clock
};

extern pthread_mutex_t process_lock;

// The first process of a session, with one thread, not started: no parent, an id of its own as process, group
// and session. When it ends, all others are killed; the session has ended when none is left. Memory, actions,
// files and view are NULL. NULL: no memory.
struct thread *process_create_first(void);

// A child of a thread's process with one thread, not started, that shares nothing yet: memory, actions, files
// and view are NULL. NULL: no memory or no ids.
struct thread *process_create_child(struct thread *parent, int32_t exit_signal);

// Another thread of the same process, likewise.
struct thread *process_create_thread(struct thread *creator);

// Undoes the creation of a thread that was never started, and of its process if it is the only one.
void process_discard(struct thread *thread);

// Makes all threads of a process end, with a status as wait4 tells it. process_lock is held.
void process_end(struct process *process, uint32_t wait_status);

// Makes all threads but one end and waits until they have. -LINUX_EINTR: the process is ending instead.
int64_t process_single_thread(struct thread *thread);

// What the last act of each thread is: takes it out of its process, and frees it.
void process_leave(struct thread *thread);

// The session of the processes in a group; 0: there is none. process_lock is held.
int32_t process_group_session(int32_t group);

// Frees a zombie and its id. process_lock is held.
void process_reap(struct process *process);

// Lets the parent that waits in vfork go on. process_lock is held.
void process_release_vfork(struct process *process);

// CPU time of a process, its running threads included. process_lock is held.
uint64_t process_cpu_time(struct process *process);

// Whether the thread has to end.
bool thread_ends(struct thread *thread);

// Whether the thread has to stop waiting: it ends, or has a signal to take.
bool thread_interrupted(struct thread *thread);

// Makes a thread look at what has changed for it, wherever it is. process_lock is held.
void thread_interrupt(struct thread *thread);

static inline uint32_t wait_status_exit(uint32_t code)
{
	return (code & 0xff) << 8;
}

static inline uint32_t wait_status_signal(int32_t signal)
{
	return (uint32_t)signal & 0x7f;
}

#endif

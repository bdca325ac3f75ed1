// SPDX-License-Identifier: MIT
//
// Processes: an address space, a capability table, threads and an exit status.

#ifndef KERNEL_PROCESS_H
#define KERNEL_PROCESS_H

#include <kernel/binding.h>
#include <kernel/capability.h>
#include <kernel/object.h>
#include <kernel/spinlock.h>
#include <tern/info.h>

struct address_space;
struct notification;
struct thread;

struct process {
	struct object object;
	struct spinlock lock;        // guards all below
	struct account *account;     // object.account, which is counted: what it makes is charged to it
	struct address_space *space; // counted; NULL once it has ended
	struct capability_table table;
	struct list_node threads; // struct thread.process_link
	struct list_node link;    // of all processes: RANK_PROCESS_LIST
	unsigned thread_count;    // not yet ended
	uint32_t state;           // enum process_state
	uint32_t reason;          // enum exit_reason
	uint64_t exit_status;
	bool exiting;              // threads are on their way out; no new ones
	_Atomic uint64_t cpu_time; // of ended threads, nanoseconds
	struct binding watch;      // signals its end
	char name[NAME_LENGTH];
};

// Makes a process with an empty space and table, with the creator's reference. NULL: no memory.
struct process *process_create(struct account *account, const char *name);

// The space of a process, counted; NULL: the process is ending.
struct address_space *process_get_space(struct process *process);

// A new thread enters, a thread leaves: the last one ends the process. Errors: BAD_STATE (the process is
// ending).
enum error process_add_thread(struct process *process, struct thread *thread);
void process_remove_thread(struct thread *thread);

// Starts to end a process: the first call sets reason and status; all its threads die. If it has no thread it
// is over on return. False: it was ending already. No lock held; a preemption point.
bool process_terminate(struct process *process, enum exit_reason reason, uint64_t status);

// Called by the last thread of a process on its way out (or by process_terminate): frees space and table,
// reports the end. May be preempted.
void process_finish(struct process *process);

// The process with the lowest id above `after`, counted; NULL: there is none. And of its threads the same.
struct process *process_next(uint64_t after);
struct thread *process_next_thread(struct process *process, uint64_t after);

// What process_info tells of it.
void process_describe(struct process *process, struct process_info *info);

// Calls `visit` for each process, with the list locked.
void process_for_each(void (*visit)(struct process *process, void *context), void *context);

#endif

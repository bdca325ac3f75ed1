// SPDX-License-Identifier: MIT
//
// Processes: an address space, a capability table, threads and an exit status.

#ifndef KERNEL_PROCESS_H
#define KERNEL_PROCESS_H

#include <kernel/capability.h>
#include <kernel/object.h>
#include <kernel/spinlock.h>
#include <tern/info.h>

struct address_space;
struct notification;

struct process {
	struct object object;
	struct spinlock lock;        // guards all below
	struct account *account;     // counted: what it makes is charged to it
	struct address_space *space; // counted; NULL once it has ended
	struct capability_table table;
	struct list_node threads; // struct thread.process_link
	struct list_node link;    // of all processes: RANK_PROCESS_LIST
	unsigned thread_count;    // not yet ended
	uint32_t state;           // enum process_state
	uint32_t reason;          // enum exit_reason
	uint64_t exit_status;
	bool exiting;                 // threads are on their way out; no new ones
	_Atomic uint64_t cpu_time;    // of ended threads, nanoseconds
	struct notification *watcher; // counted; NULL: none
	uint64_t watcher_bits;
	char name[NAME_LENGTH];
};

// Makes a process with an empty space and table, with the creator's reference. NULL: no memory.
struct process *process_create(struct account *account, const char *name);

// Starts to end a process: the first call sets reason and status; all its threads die. If it has no thread it
// is over on return. No lock held.
void process_terminate(struct process *process, enum exit_reason reason, uint64_t status);

// Called by the last thread of a process on its way out (or by process_terminate): frees space and table,
// reports the end. May be preempted.
void process_finish(struct process *process);

// Calls `visit` for each process, with the list locked.
void process_for_each(void (*visit)(struct process *process, void *context), void *context);

#endif

// SPDX-License-Identifier: MIT
//
// The scheduler: 256 fixed priorities, per-CPU run queues, round robin.

#ifndef KERNEL_SCHEDULER_H
#define KERNEL_SCHEDULER_H

#include <kernel/list.h>
#include <kernel/spinlock.h>
#include <stdint.h>

#define PRIORITY_COUNT    256
#define SLICE_NANOSECONDS 5000000

struct thread;

struct run_queue {
	struct spinlock lock;
	uint64_t ready[PRIORITY_COUNT / 64]; // bit: the queue of that priority is not empty
	struct list_node queues[PRIORITY_COUNT];
	unsigned count;
};

void scheduler_init_cpu(struct run_queue *queue);

// Puts a ready thread into the run queue of a CPU it may run on, and makes that CPU reschedule where it has a
// higher priority than what runs there.
void scheduler_enqueue(struct thread *thread);
// Takes a ready thread out of its run queue; false: it was in none.
bool scheduler_dequeue(struct thread *thread);

// Switches to the best ready thread of this CPU. The current thread is enqueued first if it is still RUNNING.
// Returns when it runs again, or at once if it is the best. A thread that blocked has a fresh context and
// does not return. No lock held.
void scheduler_switch(void);

// What every thread does first after a switch, on its own stack: lets go of the thread that ran before.
void scheduler_finish_switch(void);

// The current thread goes to the back of its priority's queue.
void scheduler_yield(void);

// A priority or an affinity changed: move the thread where it belongs. thread->lock is held.
void scheduler_update(struct thread *thread, uint8_t priority, uint64_t affinity);

// trap_timer's part: the slice is over, or a time-out is due.
void scheduler_timer(uint64_t now);
// Programs this CPU's timer for the earlier of slice end (if others of the priority are ready) and the next
// time-out.
void scheduler_program_timer(void);

// The body of idle threads.
_Noreturn void scheduler_idle(void);

#endif

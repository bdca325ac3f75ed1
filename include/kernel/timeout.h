// SPDX-License-Identifier: MIT
//
// Time-outs: per-CPU queues ordered by deadline (intrusive pairing heap).

#ifndef KERNEL_TIMEOUT_H
#define KERNEL_TIMEOUT_H

#include <kernel/heap.h>
#include <kernel/spinlock.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define TIMEOUT_PAUSE 20000 // nanoseconds

struct timeout_queue;

struct timeout {
	struct heap_node node;
	uint64_t deadline;
	// Called on the CPU that armed it, no lock held, when it is no longer armed.
	void (*expire)(struct timeout *timeout);
	struct timeout_queue *_Atomic queue;      // NULL: not armed
	struct timeout_queue *_Atomic last_queue; // in which it expired last
};

struct timeout_queue {
	struct spinlock lock;
	struct heap_node *first;
	_Atomic uint64_t next; // what the timer is to be set for; the queue's CPU reads it without the lock
	struct timeout *_Atomic running; // whose expire is being called
};

void timeout_queue_init(struct timeout_queue *queue);

// Arms on this CPU. It must not be armed. DEADLINE_NEVER arms nothing.
void timeout_arm(struct timeout *timeout, uint64_t deadline);
// Disarms, on whatever CPU; false: it was not armed (it may be expiring right now).
bool timeout_cancel(struct timeout *timeout);
// Of one that was not armed: waits until no other CPU is in its expire. No lock held that expire takes.
void timeout_wait(struct timeout *timeout);
// Disarms, or waits so.
void timeout_cancel_sync(struct timeout *timeout);
// When this CPU's timer is to ring for them, DEADLINE_NEVER: none is armed.
uint64_t timeout_next(void);
// Expires what is due on this CPU, at most 16 at a time. Where more are due soon after that, the timer rings for them TIMEOUT_PAUSE later:
// those that are armed anew as they expire leave time to threads, however many they are.
void timeout_run(uint64_t now);

#endif

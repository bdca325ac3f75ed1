// SPDX-License-Identifier: MIT
//
// Run queues: the ready threads of a CPU, by priority.

#ifndef KERNEL_RUN_QUEUE_H
#define KERNEL_RUN_QUEUE_H

#include <kernel/list.h>
#include <kernel/spinlock.h>
#include <stdint.h>

#define PRIORITY_COUNT 256

struct thread;

struct run_queue {
	struct spinlock lock;
	uint64_t ready[PRIORITY_COUNT / 64]; // bit: the queue of that priority is not empty
	struct list_node queues[PRIORITY_COUNT];
	unsigned count;
};

void run_queue_init(struct run_queue *queue);

// With the lock held:
void run_queue_insert(struct run_queue *queue, struct thread *thread, bool at_front);
void run_queue_remove(struct run_queue *queue, struct thread *thread);

// The highest priority that has a thread; -1: none.
int run_queue_best(const struct run_queue *queue);
// The first thread of a priority that has one.
struct thread *run_queue_first(const struct run_queue *queue, int priority);

#endif

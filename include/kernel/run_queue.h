// SPDX-License-Identifier: MIT
//
// Run queues: the ready threads of a CPU, by priority.

#ifndef KERNEL_RUN_QUEUE_H
#define KERNEL_RUN_QUEUE_H

#include <kernel/assert.h>
#include <kernel/list.h>
#include <kernel/spinlock.h>
#include <kernel/thread.h>
#include <stdint.h>

#define PRIORITY_COUNT 256

struct run_queue {
	struct spinlock lock;
	uint64_t ready[PRIORITY_COUNT / 64]; // bit: the queue of that priority is not empty
	struct list_node queues[PRIORITY_COUNT];
	unsigned count;
};

void run_queue_init(struct run_queue *queue);

// With the lock held. Each switch does these: they are worth being inline.

static inline __attribute__((always_inline)) void run_queue_insert(
	struct run_queue *queue, struct thread *thread, bool at_front)
{
	struct list_node *list = &queue->queues[thread->priority];

	ASSERT_LOCK_HELD(&queue->lock);
	assert(list_is_empty(&thread->run_link));
	thread->run_priority = thread->priority;
	list_insert_before(at_front ? list->next : list, &thread->run_link);
	queue->ready[thread->run_priority / 64] |= (uint64_t)1 << thread->run_priority % 64;
	queue->count++;
}

static inline __attribute__((always_inline)) void run_queue_remove(
	struct run_queue *queue, struct thread *thread)
{
	struct list_node *list = &queue->queues[thread->run_priority];

	ASSERT_LOCK_HELD(&queue->lock);
	assert(!list_is_empty(&thread->run_link));
	list_remove(&thread->run_link);
	if (list_is_empty(list))
		queue->ready[thread->run_priority / 64] &= ~((uint64_t)1 << thread->run_priority % 64);
	queue->count--;
}

// The highest priority that has a thread; -1: none.
static inline int run_queue_best(const struct run_queue *queue)
{
	for (int word = PRIORITY_COUNT / 64 - 1; word >= 0; word--)
		if (queue->ready[word])
			return word * 64 + 63 - __builtin_clzll(queue->ready[word]);
	return -1;
}

// The first thread of a priority that has one.
static inline struct thread *run_queue_first(const struct run_queue *queue, int priority)
{
	assert(!list_is_empty(&queue->queues[priority]));
	return container_of(queue->queues[priority].next, struct thread, run_link);
}

#endif

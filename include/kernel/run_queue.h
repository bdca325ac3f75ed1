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
	int best; // the highest priority that has a thread; -1: none
	unsigned count;
	uint64_t ready[PRIORITY_COUNT /
		64]; // bit: the queue of that priority, below the best one, is not empty
	struct list_node queues[PRIORITY_COUNT];
};

void run_queue_init(struct run_queue *queue);

// The best queue has emptied, and it was not the last one.
void run_queue_find_best(struct run_queue *queue);

// With the lock held. Each switch does these: they are worth being inline.

static inline void run_queue_mark(struct run_queue *queue, unsigned priority)
{
	queue->ready[priority / 64] |= (uint64_t)1 << priority % 64;
}

static inline void run_queue_unmark(struct run_queue *queue, unsigned priority)
{
	queue->ready[priority / 64] &= ~((uint64_t)1 << priority % 64);
}

static inline __attribute__((always_inline)) void run_queue_insert(
	struct run_queue *queue, struct thread *thread, bool at_front)
{
	uint8_t priority = __atomic_load_n(
		&thread->priority, __ATOMIC_RELAXED); // others may store it, of one that runs
	struct list_node *list = &queue->queues[priority];
	int best = queue->best;

	ASSERT_LOCK_HELD(&queue->lock);
	assert(list_is_empty(&thread->run_link));
	thread->run_priority = priority;
	list_insert_before(at_front ? list->next : list, &thread->run_link);
	queue->count++;
	if (priority > best) {
		queue->best = priority;
		if (best >= 0)
			run_queue_mark(queue, (unsigned)best);
	} else if (priority < best) {
		run_queue_mark(queue, priority);
	}
}

static inline __attribute__((always_inline)) void run_queue_remove(
	struct run_queue *queue, struct thread *thread)
{
	uint8_t priority = thread->run_priority;

	ASSERT_LOCK_HELD(&queue->lock);
	assert(!list_is_empty(&thread->run_link));
	list_remove(&thread->run_link);
	if (--queue->count == 0)
		queue->best = -1;
	else if (!list_is_empty(&queue->queues[priority]))
		return;
	else if (priority == queue->best)
		run_queue_find_best(queue);
	else
		run_queue_unmark(queue, priority);
}

// The highest priority that has a thread; -1: none.
static inline int run_queue_best(const struct run_queue *queue)
{
	return *(const volatile int *)&queue->best;
}

// The first thread of a priority that has one.
static inline struct thread *run_queue_first(const struct run_queue *queue, int priority)
{
	assert(!list_is_empty(&queue->queues[priority]));
	return container_of(queue->queues[priority].next, struct thread, run_link);
}

#endif

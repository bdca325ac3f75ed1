// SPDX-License-Identifier: MIT
//
// Run queues: a list for each priority and a bit for each list that is not empty.

#include <kernel/assert.h>
#include <kernel/run_queue.h>
#include <kernel/thread.h>

void run_queue_init(struct run_queue *queue)
{
	spin_init(&queue->lock, RANK_RUN_QUEUE);
	for (unsigned i = 0; i < PRIORITY_COUNT; i++)
		list_init(&queue->queues[i]);
}

void run_queue_insert(struct run_queue *queue, struct thread *thread, bool at_front)
{
	struct list_node *list = &queue->queues[thread->priority];

	ASSERT_LOCK_HELD(&queue->lock);
	assert(list_is_empty(&thread->run_link));
	thread->run_priority = thread->priority;
	if (at_front)
		list_push_front(list, &thread->run_link);
	else
		list_push_back(list, &thread->run_link);
	queue->ready[thread->run_priority / 64] |= (uint64_t)1 << thread->run_priority % 64;
	queue->count++;
}

void run_queue_remove(struct run_queue *queue, struct thread *thread)
{
	ASSERT_LOCK_HELD(&queue->lock);
	assert(!list_is_empty(&thread->run_link));
	list_remove(&thread->run_link);
	if (list_is_empty(&queue->queues[thread->run_priority]))
		queue->ready[thread->run_priority / 64] &= ~((uint64_t)1 << thread->run_priority % 64);
	queue->count--;
}

int run_queue_best(const struct run_queue *queue)
{
	for (int word = PRIORITY_COUNT / 64 - 1; word >= 0; word--)
		if (queue->ready[word])
			return word * 64 + 63 - __builtin_clzll(queue->ready[word]);
	return -1;
}

struct thread *run_queue_first(const struct run_queue *queue, int priority)
{
	assert(!list_is_empty(&queue->queues[priority]));
	return container_of(queue->queues[priority].next, struct thread, run_link);
}

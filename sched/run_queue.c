// SPDX-License-Identifier: MIT
//
// Run queues: a list for each priority and a bit for each list that is not empty, but for the best one. What is done with them
// often is in run_queue.h.

#include <kernel/run_queue.h>

void run_queue_init(struct run_queue *queue)
{
	spin_init(&queue->lock, RANK_RUN_QUEUE);
	queue->best = -1;
	for (unsigned i = 0; i < PRIORITY_COUNT; i++)
		list_init(&queue->queues[i]);
}

void run_queue_find_best(struct run_queue *queue)
{
	unsigned word = PRIORITY_COUNT / 64 - 1;

	while (queue->ready[word] == 0)
		word--;
	queue->best = (int)(word * 64 + 63) - __builtin_clzll(queue->ready[word]);
	run_queue_unmark(queue, (unsigned)queue->best);
}

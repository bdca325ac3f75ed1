// SPDX-License-Identifier: MIT
//
// Run queues: a list for each priority and a bit for each list that is not empty. What is done with them is in run_queue.h.

#include <kernel/run_queue.h>

void run_queue_init(struct run_queue *queue)
{
	spin_init(&queue->lock, RANK_RUN_QUEUE);
	for (unsigned i = 0; i < PRIORITY_COUNT; i++)
		list_init(&queue->queues[i]);
}

// SPDX-License-Identifier: MIT
//
// Run queues against a model: an array of threads in the order in which they must come.

#include "core_machine.h"
#include <kernel/cpu.h>
#include <kernel/run_queue.h>
#include <string.h>

#define THREADS 300
#define STEPS   200000

static struct thread threads[THREADS];
static struct thread *order[THREADS]; // queued ones, best first
static unsigned count;
static struct run_queue queue;

static void model_insert(struct thread *thread, bool at_front)
{
	unsigned i = 0;

	while (i < count &&
		(order[i]->run_priority > thread->priority ||
			(!at_front && order[i]->run_priority == thread->priority)))
		i++;
	memmove(&order[i + 1], &order[i], (count - i) * sizeof(order[0]));
	order[i] = thread;
	count++;
}

static void model_remove(struct thread *thread)
{
	unsigned i = 0;

	while (order[i] != thread)
		i++;
	count--;
	memmove(&order[i], &order[i + 1], (count - i) * sizeof(order[0]));
}

static void toggle(struct thread *thread)
{
	bool at_front = random_below(2);

	spin_lock(&queue.lock);
	if (list_is_empty(&thread->run_link)) {
		run_queue_insert(&queue, thread, at_front);
		model_insert(thread, at_front);
	} else {
		run_queue_remove(&queue, thread);
		model_remove(thread);
	}
	spin_unlock(&queue.lock);
}

static void compare(void)
{
	int best = run_queue_best(&queue);

	CHECK(queue.count == count);
	if (count == 0) {
		CHECK(best == -1);
		return;
	}
	CHECK(best == order[0]->run_priority);
	CHECK(run_queue_first(&queue, best) == order[0]);
}

int main(void)
{
	core_machine_start(1);
	random_seed(3);
	run_queue_init(&queue);
	for (unsigned i = 0; i < THREADS; i++) {
		list_init(&threads[i].run_link);
		threads[i].priority = (uint8_t)random_below(PRIORITY_COUNT);
	}
	for (unsigned i = 0; i < STEPS; i++) {
		struct thread *thread = &threads[random_below(THREADS)];

		// A priority may change while the thread is queued: it stays where it is.
		if (random_below(8) == 0)
			thread->priority = (uint8_t)(random_below(2) ? random_below(PRIORITY_COUNT)
								     : random_below(4));
		toggle(thread);
		compare();
	}
	while (count > 0) {
		toggle(order[0]);
		compare();
	}
	return 0;
}

// SPDX-License-Identifier: MIT
//
// Time-outs: a heap by deadline for each CPU.

#include <arch/time.h>
#include <kernel/assert.h>
#include <kernel/cpu.h>
#include <kernel/list.h>
#include <kernel/scheduler.h>
#include <kernel/timeout.h>
#include <tern/types.h>

#define RUN_STEP 16      // time-outs expired in one interrupt
#define RUN_LONG 1000000 // nanoseconds, longer than that takes

static struct timeout *first_of(const struct timeout_queue *queue)
{
	return queue->first ? container_of(queue->first, struct timeout, node) : NULL;
}

void timeout_queue_init(struct timeout_queue *queue)
{
	*queue = (struct timeout_queue){.lock = SPINLOCK_INITIALIZER(RANK_TIMEOUT), .next = DEADLINE_NEVER};
}

// The queue's lock is held.
static void note_first(struct timeout_queue *queue)
{
	atomic_store_explicit(
		&queue->next, queue->first ? queue->first->key : DEADLINE_NEVER, memory_order_relaxed);
}

void timeout_arm(struct timeout *timeout, uint64_t deadline)
{
	struct timeout_queue *queue = &cpu_self()->timeouts;
	bool is_first;

	timeout->deadline = deadline;
	if (deadline == DEADLINE_NEVER)
		return;
	spin_lock(&queue->lock);
	assert(timeout->queue == NULL);
	heap_insert(&queue->first, &timeout->node, deadline);
	note_first(queue);
	atomic_store_explicit(&timeout->queue, queue, memory_order_release);
	is_first = queue->first == &timeout->node;
	spin_unlock(&queue->lock);
	if (is_first)
		scheduler_program_timer();
}

// The queue's lock is held.
static void take_out(struct timeout_queue *queue, struct timeout *timeout)
{
	ASSERT_LOCK_HELD(&queue->lock);
	heap_remove(&queue->first, &timeout->node);
	note_first(queue);
	atomic_store_explicit(&timeout->queue, NULL, memory_order_release);
}

bool timeout_cancel(struct timeout *timeout)
{
	struct timeout_queue *queue;

	while ((queue = atomic_load_explicit(&timeout->queue, memory_order_acquire))) {
		bool mine;

		spin_lock(&queue->lock);
		mine = atomic_load_explicit(&timeout->queue, memory_order_relaxed) == queue;
		if (mine)
			take_out(queue, timeout);
		spin_unlock(&queue->lock);
		if (mine)
			return true;
	}
	return false;
}

void timeout_wait(struct timeout *timeout)
{
	struct timeout_queue *queue = atomic_load_explicit(&timeout->last_queue, memory_order_acquire);

	if (queue == NULL || queue == &cpu_self()->timeouts)
		return;
	while (atomic_load_explicit(&queue->running, memory_order_acquire) == timeout)
		spin_wait();
}

void timeout_cancel_sync(struct timeout *timeout)
{
	if (!timeout_cancel(timeout))
		timeout_wait(timeout);
}

// Only this CPU arms here: what another one takes out meanwhile makes the answer too early, never too late.
uint64_t timeout_next(void)
{
	return atomic_load_explicit(&cpu_self()->timeouts.next, memory_order_relaxed);
}

// The first time-out, taken out and marked as running, if it is due.
static struct timeout *take_due(struct timeout_queue *queue, uint64_t now)
{
	struct timeout *timeout;

	spin_lock(&queue->lock);
	timeout = first_of(queue);
	if (timeout && timeout->deadline > now)
		timeout = NULL;
	if (timeout) {
		atomic_store_explicit(&queue->running, timeout, memory_order_relaxed);
		atomic_store_explicit(&timeout->last_queue, queue, memory_order_relaxed);
		take_out(queue, timeout);
	}
	spin_unlock(&queue->lock);
	return timeout;
}

// Until a thread arms or cancels: it has run then.
static void pause_before_next(struct timeout_queue *queue)
{
	uint64_t end = arch_time_now() + TIMEOUT_PAUSE;

	spin_lock(&queue->lock);
	if (queue->first && queue->first->key < end)
		atomic_store_explicit(&queue->next, end, memory_order_relaxed);
	spin_unlock(&queue->lock);
}

void timeout_run(uint64_t now)
{
	struct timeout_queue *queue = &cpu_self()->timeouts;
	struct timeout *timeout;

	for (unsigned i = 0; i < RUN_STEP && (timeout = take_due(queue, now)); i++) {
		timeout->expire(timeout);
		atomic_store_explicit(&queue->running, NULL, memory_order_release);
	}
	if (timeout_next() < now + RUN_LONG)
		pause_before_next(queue);
}

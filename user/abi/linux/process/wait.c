// SPDX-License-Identifier: MIT
//
// Waiting: each thread has one word, `awake`, that is set before it is woken, so no wake-up is lost between
// its looking and its sleeping.

#include <linux/process/wait.h>

#include <linux/interface/errors.h>
#include <linux/process/process.h>

#include <runtime/system_calls.h>
#include <stdatomic.h>

void wait_queue_init(struct wait_queue *queue)
{
	pthread_mutex_init(&queue->lock, NULL);
	list_init(&queue->entries);
}

void wait_join(struct wait_entry *entry, struct thread *thread, struct wait_queue *queue)
{
	entry->queue = queue;
	entry->thread = thread;
	pthread_mutex_lock(&queue->lock);
	list_append(&queue->entries, &entry->link);
	pthread_mutex_unlock(&queue->lock);
}

void wait_leave(struct wait_entry *entry)
{
	pthread_mutex_lock(&entry->queue->lock);
	list_remove(&entry->link);
	pthread_mutex_unlock(&entry->queue->lock);
}

int64_t wait_sleep(struct thread *thread, uint64_t deadline)
{
	enum error error = ERR_OK;

	while (!atomic_load(&thread->awake) && error != ERR_TIMED_OUT) {
		if (thread_interrupted(thread))
			return -LINUX_ERESTART;
		error = futex_wait(HANDLE_SELF, (uint64_t)(uintptr_t)&thread->awake, 0, deadline);
	}
	if (!atomic_exchange(&thread->awake, 0))
		return -LINUX_ETIMEDOUT;
	return thread_interrupted(thread) ? -LINUX_ERESTART : 0;
}

void wait_wake_thread(struct thread *thread)
{
	uint64_t woken;

	if (!atomic_exchange(&thread->awake, 1))
		futex_wake(HANDLE_SELF, (uint64_t)(uintptr_t)&thread->awake, 1, &woken);
}

void wait_wake(struct wait_queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	list_for_each (node, &queue->entries)
		wait_wake_thread(list_entry(node, struct wait_entry, link)->thread);
	pthread_mutex_unlock(&queue->lock);
}

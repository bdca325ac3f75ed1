// SPDX-License-Identifier: MIT
//
// How the thread of a guest waits for something: it joins the queues of all that may come, looks whether
// there is something to do, and sleeps until one of the queues is woken, its deadline passes or a signal ends
// the wait.
//
//     wait_join(&entry, thread, &queue);
//     while ((result = try_it()) == -LINUX_EAGAIN) {
//             result = wait_sleep(thread, deadline);
//             if (result < 0)
//                     break;
//     }
//     wait_leave(&entry);

#ifndef PROCESS_WAIT_H
#define PROCESS_WAIT_H

#include <linux/support/list.h>

#include <pthread.h>
#include <stdint.h>

struct thread;

struct wait_queue {
	pthread_mutex_t lock;
	struct list_node entries;
};

#define WAIT_QUEUE_INITIAL(queue)                                        \
	{                                                                \
		PTHREAD_MUTEX_INITIALIZER, LIST_INITIAL((queue).entries) \
	}

struct wait_entry {
	struct list_node link;
	struct wait_queue *queue;
	struct thread *thread;
};

void wait_queue_init(struct wait_queue *queue);

void wait_join(struct wait_entry *entry, struct thread *thread, struct wait_queue *queue);
void wait_leave(struct wait_entry *entry);

// Sleeps until something happened since the last return. 0, -LINUX_ETIMEDOUT, or -LINUX_ERESTART where the
// thread has a signal to take: the call then ends with that, or with -LINUX_EINTR if it is one that is never
// made again.
int64_t wait_sleep(struct thread *thread, uint64_t deadline);

// Lets all threads in the queue look again.
void wait_wake(struct wait_queue *queue);

// Lets one thread look again.
void wait_wake_thread(struct thread *thread);

#endif

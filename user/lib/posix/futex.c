// SPDX-License-Identifier: MIT
//
// Futexes as musl calls them: waiting, waking, moving, and locks that inherit priority, whose words have the ids of their owners.

#include "posix.h"
#include <errno.h>
#include <runtime/mutex.h>
#include <runtime/system_calls.h>
#include <runtime/thread.h>
#include <stdatomic.h>
#include <time.h>

// The operations of Linux's futex call; the private flag makes no difference here.
enum {
	FUTEX_OPERATION_WAIT = 0,
	FUTEX_OPERATION_WAKE = 1,
	FUTEX_OPERATION_REQUEUE = 3,
	FUTEX_OPERATION_LOCK = 6,
	FUTEX_OPERATION_UNLOCK = 7,
	FUTEX_OPERATION_MASK = 0x7f,
};

// With FUTEX_WAITERS all there is in the word of a lock.
#define FUTEX_OWNER_DIED ((uint32_t)1 << 30)
#define FUTEX_OWNER      ((uint32_t)0x3fffffff)

static struct mutex lock = MUTEX_INITIAL;
static struct thread_record *threads;

void posix_futex_add(struct thread_record *record, int id)
{
	mutex_lock(&lock);
	record->id = id;
	record->next = threads;
	threads = record;
	mutex_unlock(&lock);
}

void posix_futex_remove(handle_t thread)
{
	mutex_lock(&lock);
	for (struct thread_record **at = &threads; *at != NULL; at = &(*at)->next) {
		if ((*at)->handle == thread) {
			*at = (*at)->next;
			break;
		}
	}
	mutex_unlock(&lock);
}

// HANDLE_NONE: it is the first thread, which has no handle.
static handle_t handle_of(uint32_t id)
{
	handle_t handle = HANDLE_NONE;
	mutex_lock(&lock);
	for (const struct thread_record *record = threads; record != NULL; record = record->next) {
		if ((uint32_t)record->id == id)
			handle = record->handle;
	}
	mutex_unlock(&lock);
	return handle;
}

static long lock_word(_Atomic uint32_t *word, uint64_t deadline)
{
	uint32_t id = (uint32_t)posix_gettid(), value = atomic_load(word), marked;
	for (;;) {
		enum error error = ERR_MISMATCH;
		if ((value & FUTEX_OWNER) == id)
			return -EDEADLK;
		if ((value & FUTEX_OWNER) == 0) {
			if (atomic_compare_exchange_strong(word, &value, value | id))
				return 0;
			continue;
		}
		marked = value | FUTEX_WAITERS;
		if (atomic_compare_exchange_strong(word, &value, marked))
			error = futex_wait_owned(HANDLE_SELF, (uintptr_t)word, marked,
				handle_of(value & FUTEX_OWNER), id, deadline);
		if (error == ERR_OK)
			return 0;
		if (error == ERR_PEER_CLOSED &&
			atomic_compare_exchange_strong(word, &marked, id | FUTEX_WAITERS | FUTEX_OWNER_DIED))
			return 0;
		if (error != ERR_PEER_CLOSED && error != ERR_MISMATCH && error != ERR_BAD_HANDLE)
			return posix_error(error);
		value = atomic_load(word);
	}
}

static long unlock_word(_Atomic uint32_t *word)
{
	uint32_t value;
	uint64_t count;
	enum error error;
	do {
		value = atomic_load(word);
		if ((value & FUTEX_OWNER) != (uint32_t)posix_gettid())
			return -EPERM;
		error = futex_hand_over(HANDLE_SELF, (uintptr_t)word, value, 0, &count);
	} while (error == ERR_MISMATCH);
	return posix_error(error);
}

static uint64_t deadline_of(const struct timespec *timeout)
{
	uint64_t now;
	if (timeout == NULL)
		return DEADLINE_NEVER;
	if ((uint64_t)timeout->tv_sec > UINT32_MAX)
		return DEADLINE_NEVER;
	clock_get(&now);
	return now + (uint64_t)timeout->tv_sec * 1000000000 + (uint64_t)timeout->tv_nsec;
}

long posix_futex(
	uintptr_t address, int operation, uint32_t value, const struct timespec *timeout, uintptr_t target)
{
	uint64_t count = 0;
	enum error error;
	switch (operation & FUTEX_OPERATION_MASK) {
	case FUTEX_OPERATION_WAIT:
		error = futex_wait(HANDLE_SELF, address, value, deadline_of(timeout));
		break;
	case FUTEX_OPERATION_WAKE:
		error = futex_wake(HANDLE_SELF, address, value, &count);
		break;
	case FUTEX_OPERATION_REQUEUE: // the number to move travels in place of the timeout
		do {
			uint32_t now = *(volatile uint32_t *)address;
			error = futex_requeue(
				HANDLE_SELF, address, now, value, target, (uintptr_t)timeout, &count);
		} while (error == ERR_MISMATCH);
		break;
	case FUTEX_OPERATION_LOCK:
		return lock_word((_Atomic uint32_t *)address, posix_time_of_day_deadline(timeout));
	case FUTEX_OPERATION_UNLOCK:
		return unlock_word((_Atomic uint32_t *)address);
	default:
		return -ENOSYS;
	}
	return error == ERR_OK ? (long)count : posix_error(error);
}

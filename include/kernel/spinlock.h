// SPDX-License-Identifier: MIT
//
// Spin locks. Always taken with interrupts disabled. Every lock has a rank; a debug build asserts that ranks
// rise as locks are taken on a CPU, so the order in lock_ranks.def is the lock order of the kernel. Two locks of one
// rank are taken with spin_lock_nested, lower address first.
//
// Whoever comes first takes a free lock. An order of arrival (tickets) would be fair, but where CPUs are
// virtual, one that its host has not scheduled stops all that stand behind it.

#ifndef KERNEL_SPINLOCK_H
#define KERNEL_SPINLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <tern/lock_rank.h>

struct spinlock {
	atomic_uint taken;
	uint32_t rank;
	uint32_t owner; // index of the holder's CPU + 1, 0: free; debug builds
};

#define SPINLOCK_INITIALIZER(lock_rank) \
	{                               \
		.rank = (lock_rank)     \
	}

void spin_init(struct spinlock *lock, enum lock_rank rank);
static inline void spin_lock(struct spinlock *lock);
static inline void spin_lock_nested(struct spinlock *lock);
// Takes a lock that another CPU has just held.
void spin_lock_contended(struct spinlock *lock);

static inline bool spin_try_lock(struct spinlock *lock);
static inline void spin_unlock(struct spinlock *lock);

// One turn of any wait for another CPU with interrupts disabled: lets it go on, and answers its TLB
// shootdowns.
void spin_wait(void);

// Whether this CPU holds the lock (always true in release builds: only for assertions).
bool spin_is_held(const struct spinlock *lock);
// Whether this CPU holds no lock (always true in release builds).
bool spin_none_held(void);

// Keep the list of what a CPU holds, and look whether ranks rise; nothing in release builds.
#ifdef TERN_DEBUG
void spin_check_order(const struct spinlock *lock, bool nested);
void spin_note_taken(struct spinlock *lock);
void spin_note_released(struct spinlock *lock);
#else
static inline void spin_check_order(const struct spinlock *lock, bool nested)
{
	(void)lock;
	(void)nested;
}

static inline void spin_note_taken(struct spinlock *lock)
{
	(void)lock;
}

static inline void spin_note_released(struct spinlock *lock)
{
	(void)lock;
}
#endif

// Always inline: the fast path calls no function that returns.
static inline __attribute__((always_inline)) bool spin_try_lock(struct spinlock *lock)
{
	if (atomic_fetch_or_explicit(&lock->taken, 1, memory_order_acquire) & 1)
		return false;
	spin_note_taken(lock);
	return true;
}

static inline void spin_lock(struct spinlock *lock)
{
	spin_check_order(lock, false);
	if (__builtin_expect(!spin_try_lock(lock), 0))
		spin_lock_contended(lock);
}

static inline void spin_lock_nested(struct spinlock *lock)
{
	spin_check_order(lock, true);
	if (__builtin_expect(!spin_try_lock(lock), 0))
		spin_lock_contended(lock);
}

static inline void spin_unlock(struct spinlock *lock)
{
	spin_note_released(lock);
	atomic_store_explicit(&lock->taken, 0, memory_order_release);
}

#define ASSERT_LOCK_HELD(lock) assert(spin_is_held(lock))
#define ASSERT_NO_LOCKS_HELD() assert(spin_none_held())

#endif

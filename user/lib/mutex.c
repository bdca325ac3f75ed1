// SPDX-License-Identifier: MIT
//
// A mutex in three states: who finds it held marks it contended and waits; who frees a contended one wakes.

#include <runtime/mutex.h>
#include <runtime/system_calls.h>

void mutex_lock(struct mutex *mutex)
{
	uint32_t expected = 0;
	if (atomic_compare_exchange_strong_explicit(
		    &mutex->state, &expected, 1, memory_order_acquire, memory_order_relaxed))
		return;
	while (atomic_exchange_explicit(&mutex->state, 2, memory_order_acquire) != 0)
		futex_wait(HANDLE_SELF, (uintptr_t)&mutex->state, 2, DEADLINE_NEVER);
}

void mutex_unlock(struct mutex *mutex)
{
	uint64_t woken;
	if (atomic_exchange_explicit(&mutex->state, 0, memory_order_release) == 2)
		futex_wake(HANDLE_SELF, (uintptr_t)&mutex->state, 1, &woken);
}

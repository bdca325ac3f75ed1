// SPDX-License-Identifier: MIT
//
// Direct switches, from the current thread in its system call to one that waits, without the scheduler: ended wait,
// begun wait, and on to user mode. docs/fast_path.md argues their races.

#ifndef KERNEL_DIRECT_SWITCH_H
#define KERNEL_DIRECT_SWITCH_H

#include <arch/thread.h>
#include <kernel/cpu.h>
#include <kernel/thread.h>

#define RARE(condition) __builtin_expect((condition), 0)
#define INLINE          static inline __attribute__((always_inline))

#define BLOCKED_STATE(number) ((number) << 8 | THREAD_BLOCKED)

// Whether a thread that waits may run here as soon as it is claimed.
INLINE bool direct_is_unhindered(const struct thread *thread, const struct cpu *cpu)
{
	return __atomic_load_n(&thread->place, __ATOMIC_RELAXED) == cpu->place;
}

// Ends a thread's wait and makes it run. Whoever wants it to stop announces that in the CPU's work word before he
// looks whether it is on a CPU; we look at that word last. A thread that another has claimed may be anywhere: it is left alone.
INLINE bool direct_claim(struct thread *thread, uint64_t waiting)
{
	if (RARE(!atomic_compare_exchange_strong(
		    &thread->state, &waiting, waiting - THREAD_BLOCKED + THREAD_RUNNING)))
		return false;
	atomic_store_explicit(&thread->on_cpu, true, memory_order_relaxed);
	return true;
}

// The current thread waits from now on: its frame is what others may change.
INLINE void direct_begin_wait(struct thread *self, const struct wait_operations *operations, uint64_t state)
{
	arch_thread_reset_context(&self->arch, thread_resume_user);
	self->wait_operations = operations;
	atomic_store(&self->state, state);
}

#endif

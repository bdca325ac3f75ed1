// SPDX-License-Identifier: MIT
//
// Direct switches by the scheduler's rules: to the thread that scheduler_switch would choose, in one step from user mode
// to user mode. They have the cases that matter: both threads run on their own time, which no budget limits, the other one
// waits at the door of user mode on this CPU, and nothing else is to be done. What does not fit goes the general way with
// nothing changed. docs/fast_path.md argues their races.

#ifndef KERNEL_DIRECT_SCHEDULE_H
#define KERNEL_DIRECT_SCHEDULE_H

#include <arch/time.h>
#include <kernel/address_space.h>
#include <kernel/assert.h>
#include <kernel/cpu.h>
#include <kernel/direct_switch.h>
#include <kernel/process.h>
#include <kernel/scheduler.h>

// Whether the current thread can leave directly. The run queue's lock is held: whoever is more urgent and came before has
// set the CPU's work.
INLINE bool direct_can_leave(const struct cpu *cpu, const struct thread *self)
{
	return atomic_load_explicit(&cpu->work, memory_order_relaxed) == 0 && cpu->direct_calls != 0 &&
		cpu->payer == self && self->context == NULL &&
		atomic_load_explicit(&self->hindrances, memory_order_relaxed) == 0;
}

// 0: a thread runs on its own time, without a budget, has a whole slice and not its guest, and nobody wants to stop it. Of
// conditions that mostly hold all are looked at at once.
INLINE uint64_t direct_obstacles(const struct thread *thread)
{
	return (uintptr_t)__atomic_load_n(&thread->context, __ATOMIC_RELAXED) | thread->slice_overrun |
		atomic_load_explicit(&thread->hindrances, memory_order_relaxed) | thread->caller.loans |
		(uintptr_t)thread->guest;
}

// Whether a ready thread can go on directly.
INLINE bool direct_can_resume(const struct thread *thread)
{
	return direct_obstacles(thread) == 0 && arch_thread_is_fresh(&thread->arch);
}

// Nobody else changes the state of a thread that is ready or runs.
INLINE void direct_set_state(struct thread *thread, enum thread_state from, enum thread_state to)
{
	uint64_t word = atomic_load_explicit(&thread->state, memory_order_relaxed);

	assert((word & 0xff) == from);
	atomic_store_explicit(&thread->state, word - from + to, memory_order_relaxed);
}

// The current thread becomes ready again, its system call done.
INLINE void direct_set_ready(struct thread *self)
{
	direct_set_state(self, THREAD_RUNNING, THREAD_READY);
	arch_syscall_set_result(&self->arch, (struct syscall_result){.error = ERR_OK, .value = 0});
}

// The current thread pays for the time up to now, the next one from now on.
INLINE void direct_change_payer(struct cpu *cpu, struct thread *self, struct thread *next, uint64_t now)
{
	// After a recall another CPU may for a moment run on the same account.
	if (!RARE(now <= cpu->payer_since)) {
		__atomic_fetch_add(&self->cpu_time, now - cpu->payer_since, __ATOMIC_RELAXED);
		cpu->payer_since = now;
	}
	object_get(&next->object);
	__atomic_store_n(&cpu->payer, next, __ATOMIC_RELAXED);
	// Never the last one: what runs is held.
	object_put_some(&self->object);
}

// On to user mode of a thread that is current and runs by its state, with all that its frame has.
INLINE _Noreturn void direct_resume(struct cpu *cpu, struct thread *self, struct thread *next)
{
	if (cpu->address_space != next->process->space)
		address_space_load(cpu, next->process->space);
	arch_fpu_switch_directly(&cpu->arch, &self->arch, &next->arch);
	arch_resume_directly(&self->arch, &next->arch);
}

// Goes over to a thread that is in no queue any more, and runs by its state. Lets go of the run queue's lock. `wanted`: somebody waits
// for the end of its slice.
INLINE _Noreturn void direct_go_over(
	struct cpu *cpu, struct thread *self, struct thread *next, uint64_t slice, uint64_t now, bool wanted)
{
	direct_change_payer(cpu, self, next, now);
	cpu->slice_end = now + slice;
	cpu->current = next;
	cpu->context_switches++;
	spin_unlock(&cpu->run_queue.lock);
	if (RARE(now + slice < cpu->timer_deadline) && wanted)
		scheduler_program_timer();
	// Whoever wants the next thread to stop, or gives it a budget, says so before he looks who runs and who pays. The ISA looks
	// at the CPU's work last.
	atomic_thread_fence(memory_order_seq_cst);
	if (RARE(__atomic_load_n(&next->context, __ATOMIC_RELAXED) != NULL))
		cpu_set_reschedule(cpu);
	direct_resume(cpu, self, next);
}

// The same to a ready thread.
INLINE _Noreturn void direct_go_over_to_ready(
	struct cpu *cpu, struct thread *self, struct thread *next, uint64_t now)
{
	direct_set_state(next, THREAD_READY, THREAD_RUNNING);
	atomic_store_explicit(&next->on_cpu, true, memory_order_relaxed);
	direct_go_over(cpu, self, next, next->slice_remaining ? next->slice_remaining : SLICE_NANOSECONDS,
		now, cpu->run_queue.count != 0);
}

#endif

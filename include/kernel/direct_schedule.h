// SPDX-License-Identifier: MIT
//
// Direct switches by the scheduler's rules: to the thread that scheduler_switch would choose, in one step from user mode
// to user mode. They have the cases that matter: both threads run on their own time, which no budget limits, the other one
// waits at the door of user mode on this CPU, and nothing else is to be done. What does not fit goes the general way with
// nothing changed. docs/fast_path.md argues their races.

#ifndef KERNEL_DIRECT_SCHEDULE_H
#define KERNEL_DIRECT_SCHEDULE_H

#include <arch/time.h>
#include <kernel/assert.h>
#include <kernel/cpu.h>
#include <kernel/direct_switch.h>
#include <kernel/process.h>
#include <kernel/scheduler.h>

// Hides from the compiler that a thread was found by one of its links, from which it would compute all the other addresses.
INLINE struct thread *direct_thread(struct thread *thread)
{
	__asm__("" : "+r"(thread));
	return thread;
}

// Whether the current thread can leave directly. The run queue's lock is held: whoever is more urgent and came before has
// set the CPU's work, and so has whoever hinders the thread, or will find that it is not on a CPU.
INLINE bool direct_can_leave(struct cpu *cpu, struct thread *self)
{
	return ONCE(unsigned, cpu->work) == 0 && cpu->payer == self && self->context == NULL;
}

// Whether the current thread, whose priority was read with the lock held, can be queued with it. Who changes it says so in the base one
// first, and looks under the lock whether the thread is queued.
INLINE bool direct_can_queue(const struct thread *self, uint8_t priority)
{
	return priority == ONCE(const uint8_t, self->base_priority);
}

// 0: a thread belongs to this CPU, nobody wants to stop it, it runs on its own time, without a budget, has a whole slice and not
// its guest. Of conditions that mostly hold all are looked at at once.
INLINE uint64_t direct_obstacles(struct thread *thread, const struct cpu *cpu)
{
	return direct_hindrances(thread, cpu) | (uintptr_t)ONCE(void *, thread->context) |
		thread->slice_overrun | thread->caller.loans | (uintptr_t)thread->guest;
}

// Whether a ready thread of this CPU's queue can go on directly.
INLINE bool direct_can_resume(struct thread *thread, const struct cpu *cpu)
{
	return direct_obstacles(thread, cpu) == 0 && arch_thread_is_fresh(&thread->arch);
}

// Nobody else changes the state of a thread that is ready or runs. It is the state word's low byte.
INLINE void direct_set_state(struct thread *thread, enum thread_state from, enum thread_state to)
{
	assert(thread_get_state(thread) == from);
	ONCE(uint8_t, thread->state) = (uint8_t)to;
	(void)from;
}

// The current thread becomes ready again, its system call done.
INLINE void direct_set_ready(struct thread *self)
{
	direct_set_state(self, THREAD_RUNNING, THREAD_READY);
	arch_syscall_set_result(&self->arch, (struct syscall_result){.error = ERR_OK, .value = 0});
}

// The rest of a direct switch where something is rare: an address space or the FPU must be switched in the general way, the timer
// be set, or the next thread has got a budget.
_Noreturn void direct_go_on_slowly(struct cpu *cpu, struct thread *self, struct thread *next);

// On to user mode of a thread that is current and runs by its state, with all that its frame has. No function is called from here that
// returns: so nothing has to be kept for after it.
INLINE _Noreturn void direct_resume(struct cpu *cpu, struct thread *self, struct thread *next)
{
	struct address_space *space = next->space;

	if ((cpu->address_space != space && RARE(!direct_load(cpu, space))) ||
		RARE(arch_fpu_must_switch(&cpu->arch, &self->arch, &next->arch)))
		direct_go_on_slowly(cpu, self, next);
	arch_resume_directly(cpu, &self->arch, &next->arch);
}

// Goes over to a thread that is in no queue any more, and runs by its state. Lets go of the run queue's lock. `wanted`: somebody waits
// for the end of its slice.
INLINE _Noreturn void direct_go_over(
	struct cpu *cpu, struct thread *self, struct thread *next, uint64_t slice, uint64_t now, bool wanted)
{
	uint64_t slice_end = now + slice;

	// The current thread pays for the time up to now, if another CPU has not charged more already: then it gets that back. After a
	// recall another CPU may for a moment run on the same account.
	__atomic_fetch_add(&self->cpu_time, now - cpu->payer_since, __ATOMIC_RELAXED);
	cpu->payer_since = now;
	cpu->slice_end = slice_end;
	cpu->current = next;
	cpu->payer = next;
	cpu->context_switches++;
	spin_unlock(&cpu->run_queue.lock);
	// Whoever wants the next thread to stop, or gives it a budget, says so before he looks who runs and who pays. The ISA looks
	// at the CPU's work last.
	atomic_thread_fence(memory_order_seq_cst);
	if (RARE((slice_end < cpu->timer_deadline && wanted) || ONCE(void *, next->context) != NULL))
		direct_go_on_slowly(cpu, self, next);
	direct_resume(cpu, self, next);
}

// The same to a ready thread.
INLINE _Noreturn void direct_go_over_to_ready(
	struct cpu *cpu, struct thread *self, struct thread *next, uint64_t now, bool wanted)
{
	direct_set_state(next, THREAD_READY, THREAD_RUNNING);
	ONCE(bool, next->on_cpu) = true;
	direct_go_over(cpu, self, next, next->slice_remaining ? next->slice_remaining : SLICE_NANOSECONDS,
		now, wanted);
}

#endif

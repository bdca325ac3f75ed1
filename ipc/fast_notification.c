// SPDX-License-Identifier: MIT
//
// Signals and waits in the cases that matter: a waiter of this CPU that does not come first is put into its run queue at once; one
// of higher priority is switched to directly; and a wait while another thread is ready switches to that. See
// direct_schedule.h.

#include <kernel/direct_schedule.h>
#include <kernel/fast_path.h>
#include <kernel/ipc.h>

// Takes the waiter's wait away from it. All below: the locks of notification and run queue are held.
INLINE void end_wait(struct notification *notification, struct thread *waiter, uint64_t bits)
{
	list_remove(&waiter->wait_link);
	bits |= notification->word;
	notification->word = 0;
	spin_unlock(&notification->lock);
	waiter->priority = waiter->base_priority;
	arch_syscall_set_result(&waiter->arch, (struct syscall_result){.error = ERR_OK, .value = bits});
}

// As scheduler_enqueue does it. False: another has ended that wait.
INLINE bool wake(struct notification *notification, struct cpu *cpu, struct thread *waiter, uint64_t bits)
{
	uint64_t state = atomic_load_explicit(&waiter->state, memory_order_relaxed);

	if (RARE((state & 0xff) != THREAD_BLOCKED ||
		    !atomic_compare_exchange_strong(
			    &waiter->state, &state, state - THREAD_BLOCKED + THREAD_READY)))
		return false;
	end_wait(notification, waiter, bits);
	run_queue_insert(&cpu->run_queue, waiter, false);
	if (cpu->run_queue.count == 1)
		cpu->slice_end = arch_time_now() + SLICE_NANOSECONDS;
	spin_unlock(&cpu->run_queue.lock);
	if (RARE(cpu->slice_end < cpu->timer_deadline))
		scheduler_program_timer();
	return true;
}

// Returns where another has ended that wait, or the current thread's slice.
INLINE void go_over_to_waiter(struct notification *notification, struct cpu *cpu, struct thread *self,
	struct thread *waiter, uint64_t bits)
{
	uint64_t state = atomic_load_explicit(&waiter->state, memory_order_relaxed), now = arch_time_now();

	if (RARE(cpu->slice_end <= now || (state & 0xff) != THREAD_BLOCKED || !direct_claim(waiter, state)))
		return;
	end_wait(notification, waiter, bits);
	self->slice_remaining = cpu->slice_end - now;
	run_queue_insert(&cpu->run_queue, self, true);
	direct_set_ready(self);
	// On a single CPU nobody waits for the end of its slice.
	direct_go_over(cpu, self, waiter, SLICE_NANOSECONDS, now, cpu_count > 1);
}

bool notification_signal_directly(struct notification *notification, uint64_t bits)
{
	struct cpu *cpu = cpu_self();
	struct thread *self = cpu->current, *waiter;
	bool done = false;

	if (RARE(!spin_try_lock(&notification->lock)))
		return false;
	waiter = container_of(notification->waiters.next, struct thread, wait_link);
	if (RARE(list_is_empty(&notification->waiters) || notification->endpoint ||
		    waiter->cpu != cpu->index || direct_obstacles(waiter) != 0 ||
		    !spin_try_lock(&cpu->run_queue.lock)))
		goto general;
	if (waiter->base_priority <= self->priority)
		done = wake(notification, cpu, waiter, bits);
	else if (direct_can_leave(cpu, self))
		go_over_to_waiter(notification, cpu, self, waiter, bits);
	if (done)
		return true;
	spin_unlock(&cpu->run_queue.lock);
general:
	spin_unlock(&notification->lock);
	return false;
}

void notification_wait_directly(struct notification *notification, const struct wait_operations *operations)
{
	struct cpu *cpu = cpu_self();
	struct thread *self = cpu->current, *next;
	int best;

	if (RARE(!spin_try_lock(&cpu->run_queue.lock)))
		return;
	best = run_queue_best(&cpu->run_queue);
	if (best < 0 || RARE(!direct_can_leave(cpu, self)))
		goto general;
	next = run_queue_first(&cpu->run_queue, best);
	if (RARE(!direct_can_resume(next)))
		goto general;
	run_queue_remove(&cpu->run_queue, next);
	list_push_back(&notification->waiters, &self->wait_link);
	self->wait_object = notification;
	self->slice_remaining = 0;
	direct_begin_wait(self, operations, direct_next_wait(self));
	spin_unlock(&notification->lock);
	direct_go_over_to_ready(cpu, self, next, arch_time_now());
general:
	spin_unlock(&cpu->run_queue.lock);
}

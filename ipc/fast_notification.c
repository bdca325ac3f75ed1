// SPDX-License-Identifier: MIT
//
// Signals and waits in the cases that matter: a waiter of this CPU that does not come first is put into its run queue at once; one
// of higher priority is switched to directly; and a wait while another thread is ready switches to that. See
// direct_schedule.h.

#include <kernel/capability.h>
#include <kernel/direct_schedule.h>
#include <kernel/ipc.h>
#include <kernel/syscall.h>

// Ends the wait of the first waiter, which has been claimed. All below: the locks of notification and run queue are held.
INLINE void end_wait(
	struct notification *notification, struct thread *waiter, uint8_t base_priority, uint64_t bits)
{
	struct list_node *waiters = &notification->waiters, *second = waiter->wait_link.next;

	// Nobody waits while there are bits.
	assert(notification->word == 0 && waiters->next == &waiter->wait_link);
	// Nobody takes a claimed one out again, so its own links need no care.
	waiters->next = second;
	second->previous = waiters;
	spin_unlock(&notification->lock);
	waiter->priority = base_priority;
	arch_syscall_set_result(&waiter->arch, (struct syscall_result){.error = ERR_OK, .value = bits});
}

// As scheduler_enqueue does it. False: another has ended that wait.
INLINE bool wake(struct notification *notification, struct cpu *cpu, struct thread *waiter,
	uint8_t base_priority, uint64_t bits)
{
	uint64_t waiting = direct_present_wait(waiter);

	if (RARE(!atomic_compare_exchange_strong(
		    &waiter->state, &waiting, waiting - THREAD_BLOCKED + THREAD_READY)))
		return false;
	end_wait(notification, waiter, base_priority, bits);
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
	struct thread *waiter, uint8_t base_priority, uint64_t bits)
{
	uint64_t now = arch_time_now(), slice_end = cpu->slice_end;

	if (RARE(slice_end <= now || !direct_claim_waiting(waiter)))
		return;
	end_wait(notification, waiter, base_priority, bits);
	self->slice_remaining = slice_end - now;
	run_queue_insert(&cpu->run_queue, self, true);
	direct_set_ready(self);
	// On a single CPU nobody waits for the end of its slice.
	direct_go_over(cpu, self, waiter, SLICE_NANOSECONDS, now, cpu_count > 1);
}

static __attribute__((noinline, cold)) struct syscall_result signal_another(handle_t handle, uint64_t bits)
{
	if (direct_find(&thread_current()->signal_target, handle, OBJECT_NOTIFICATION, RIGHT_SEND))
		return fast_notification_signal(handle, bits, 0, 0, 0, 0);
	return sys_notification_signal(handle, bits);
}

struct syscall_result fast_notification_signal(SYSCALL_ENTRY_PARAMETERS)
{
	handle_t handle = a0;
	uint64_t bits = a1;
	struct cpu *cpu = cpu_self();
	struct thread *self = cpu->current, *waiter;
	struct notification *notification;
	uint8_t base_priority, priority;

	if (RARE(!direct_is_target(&self->signal_target, handle)))
		return signal_another(handle, bits);
	notification = self->signal_target.notification;
	if (self->signal_target.badge)
		bits = self->signal_target.badge;
	if (RARE(bits == 0 || !spin_try_lock(&notification->lock)))
		return sys_notification_signal(handle, bits);
	if (RARE(notification->endpoint != NULL))
		goto general;
	if (list_is_empty(&notification->waiters)) {
		notification->word |= bits;
		spin_unlock(&notification->lock);
		return SYSCALL_OK;
	}
	waiter = direct_thread(container_of(notification->waiters.next, struct thread, wait_link));
	if (RARE(direct_obstacles(waiter, cpu) != 0 || !spin_try_lock(&cpu->run_queue.lock)))
		goto general;
	base_priority = waiter->base_priority;
	priority = ONCE(uint8_t, self->priority);
	if (base_priority <= priority) {
		if (wake(notification, cpu, waiter, base_priority, bits))
			return SYSCALL_OK;
	} else if (direct_can_leave(cpu, self) && direct_can_queue(self, priority)) {
		go_over_to_waiter(notification, cpu, self, waiter, base_priority, bits);
	}
	spin_unlock(&cpu->run_queue.lock);
general:
	spin_unlock(&notification->lock);
	return sys_notification_signal(handle, bits);
}

static __attribute__((noinline, cold)) struct syscall_result wait_for_another(
	handle_t handle, uint64_t deadline)
{
	if (direct_find(&thread_current()->wait_target, handle, OBJECT_NOTIFICATION, RIGHT_RECEIVE))
		return fast_notification_wait(handle, deadline, 0, 0, 0, 0);
	return sys_notification_wait(handle, deadline);
}

// Goes over to the thread that comes next; returns where that must be done in the general way.
INLINE void wait_directly(struct notification *notification, struct cpu *cpu, struct thread *self)
{
	struct thread *next;
	int best;

	if (RARE(!spin_try_lock(&cpu->run_queue.lock)))
		return;
	best = run_queue_best(&cpu->run_queue);
	if (best < 0 || RARE(!direct_can_leave(cpu, self)))
		goto general;
	next = direct_thread(run_queue_first(&cpu->run_queue, best));
	if (RARE(!direct_can_resume(next, cpu)))
		goto general;
	run_queue_remove(&cpu->run_queue, next);
	list_push_back(&notification->waiters, &self->wait_link);
	self->wait_object = notification;
	self->slice_remaining = 0;
	direct_begin_wait(self, &notification_wait_operations, direct_next_wait(self));
	spin_unlock(&notification->lock);
	direct_go_over_to_ready(cpu, self, next, arch_time_now(), cpu->run_queue.count != 0);
general:
	spin_unlock(&cpu->run_queue.lock);
}

struct syscall_result fast_notification_wait(SYSCALL_ENTRY_PARAMETERS)
{
	handle_t handle = a0;
	uint64_t deadline = a1;
	struct cpu *cpu = cpu_self();
	struct thread *self = cpu->current;
	struct notification *notification;
	uint64_t word;

	if (RARE(!direct_is_target(&self->wait_target, handle)))
		return wait_for_another(handle, deadline);
	notification = self->wait_target.notification;
	if (RARE(!spin_try_lock(&notification->lock)))
		return sys_notification_wait(handle, deadline);
	word = notification->word;
	if (word != 0)
		notification->word = 0;
	else if (deadline == DEADLINE_NEVER && !object_has_ended(&notification->object))
		wait_directly(notification, cpu, self);
	spin_unlock(&notification->lock);
	return word != 0 ? SYSCALL_VALUE(word) : sys_notification_wait(handle, deadline);
}

// SPDX-License-Identifier: MIT
//
// Yields that switch directly, and what is rare of all direct switches. See direct_schedule.h.

#include <kernel/cpu.h>
#include <kernel/direct_schedule.h>
#include <kernel/syscall.h>

// --- Yields

// Who becomes ready just now comes later.
struct syscall_result fast_thread_yield(SYSCALL_ENTRY_PARAMETERS)
{
	struct cpu *cpu = cpu_self();
	struct thread *self = cpu->current, *next;
	struct list_node *queue;
	uint8_t priority;

	if (RARE(!spin_try_lock(&cpu->run_queue.lock)))
		return sys_thread_yield();
	priority = ONCE(uint8_t, self->priority);
	queue = &cpu->run_queue.queues[priority];
	next = direct_thread(container_of(queue->next, struct thread, run_link));
	if (list_is_empty(queue) ||
		RARE(!direct_can_leave(cpu, self) || !direct_can_queue(self, priority) ||
			!direct_can_resume(next, cpu))) {
		spin_unlock(&cpu->run_queue.lock);
		return sys_thread_yield();
	}
	// One goes and one comes: the queue is as long as before.
	list_remove(&next->run_link);
	list_push_back(queue, &self->run_link);
	self->run_priority = priority;
	self->slice_remaining = 0;
	direct_set_ready(self);
	direct_go_over_to_ready(cpu, self, next, arch_time_now(), true);
}

// --- What is rare

__attribute__((cold)) _Noreturn void direct_go_on_slowly(
	struct cpu *cpu, struct thread *self, struct thread *next)
{
	scheduler_program_timer();
	if (ONCE(void *, next->context) != NULL)
		cpu_set_reschedule(cpu);
	address_space_load(cpu, next->space);
	arch_fpu_switch_directly(&cpu->arch, &self->arch, &next->arch);
	arch_resume_directly(cpu, &self->arch, &next->arch);
}

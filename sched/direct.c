// SPDX-License-Identifier: MIT
//
// Yields that switch directly. See direct_schedule.h.

#include <kernel/cpu.h>
#include <kernel/direct_schedule.h>
#include <kernel/fast_path.h>

void scheduler_yield_directly(void)
{
	struct cpu *cpu = cpu_self();
	struct thread *self = cpu->current, *next;
	struct list_node *queue = &cpu->run_queue.queues[self->priority];

	if (RARE(!spin_try_lock(&cpu->run_queue.lock)))
		return;
	next = container_of(queue->next, struct thread, run_link);
	if (RARE(list_is_empty(queue) || !direct_can_leave(cpu, self) || !direct_can_resume(next))) {
		spin_unlock(&cpu->run_queue.lock);
		return;
	}
	// One goes and one comes: the queue is as long as before.
	list_remove(&next->run_link);
	list_push_back(queue, &self->run_link);
	self->run_priority = self->priority;
	self->slice_remaining = 0;
	direct_set_ready(self);
	direct_go_over_to_ready(cpu, self, next, arch_time_now());
}

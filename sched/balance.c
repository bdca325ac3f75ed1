// SPDX-License-Identifier: MIT
//
// Balance between CPUs: new threads start where least is to do, and idle CPUs steal. A thread that wakes
// stays where it was, but for a server that is called: it goes to its caller (see loan.c).

#include <arch/smp.h>
#include <kernel/cpu.h>
#include <kernel/scheduler.h>
#include <kernel/thread.h>

bool scheduler_may_run(const struct thread *thread, const struct cpu *cpu)
{
	return cpu->online && (thread->affinity >> cpu->index & 1);
}

void scheduler_place(struct thread *thread)
{
	unsigned least = UINT32_MAX;

	for (unsigned i = 0; i < cpu_count; i++) {
		unsigned load = cpus[i].run_queue.count + (cpus[i].current != cpus[i].idle);

		if (scheduler_may_run(thread, &cpus[i]) && load < least) {
			least = load;
			thread->cpu = (uint16_t)i;
		}
	}
}

// A thread of another CPU's queue that may run here and whose stack is not in use; taken out.
static struct thread *take_from(struct cpu *victim, const struct cpu *cpu)
{
	struct run_queue *queue = &victim->run_queue;
	struct thread *found = NULL;
	int best;

	spin_lock(&queue->lock);
	best = run_queue_best(queue);
	if (best >= 0) {
		struct thread *thread = run_queue_first(queue, best);

		if (scheduler_may_run(thread, cpu) && !atomic_load(&thread->on_cpu)) {
			run_queue_remove(queue, thread);
			thread->cpu = (uint16_t)cpu->index;
			found = thread;
		}
	}
	spin_unlock(&queue->lock);
	return found;
}

// An idle CPU keeps one thread, which it is about to run: else two of them could steal it from each other for ever.
static bool has_to_spare(const struct cpu *victim)
{
	return victim->online && victim->run_queue.count > (victim->current == victim->idle ? 1U : 0U);
}

bool scheduler_steal(struct cpu *cpu)
{
	for (unsigned i = 1; i < cpu_count; i++) {
		struct cpu *victim = &cpus[(cpu->index + i) % cpu_count];
		struct thread *thread;

		if (!has_to_spare(victim))
			continue;
		thread = take_from(victim, cpu);
		if (thread) {
			scheduler_enqueue(thread);
			return true;
		}
	}
	return false;
}

void scheduler_wake_idle(void)
{
	for (unsigned i = 0; i < cpu_count; i++)
		if (cpus[i].online && cpus[i].current == cpus[i].idle && cpus[i].run_queue.count == 0) {
			arch_ipi_send(&cpus[i]);
			return;
		}
}

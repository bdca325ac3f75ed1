// SPDX-License-Identifier: MIT
//
// Idle threads: one for each CPU, which run when no other can.

#include <arch/cpu.h>
#include <kernel/cpu.h>
#include <kernel/latency.h>
#include <kernel/log.h>
#include <kernel/object.h>
#include <kernel/scheduler.h>

void scheduler_idle(void)
{
	for (;;) {
		struct cpu *cpu = cpu_self();

		cpu_note_quiescent();
		if (log_watcher_due())
			log_signal_watcher();
		if (object_reap_pending())
			object_reap();
		if (cpu->run_queue.count > 0 || scheduler_steal(cpu)) {
			scheduler_switch();
			// It got the CPU while others are ready: to let interrupts in.
			if (cpu->run_queue.count > 0)
				preemption_point();
		} else if (object_reap_pending()) {
			// The other CPUs have been asked to be quiescent: it will not take long.
			preemption_point();
		} else {
			scheduler_program_timer();
			latency_end((uintptr_t)scheduler_idle);
			arch_cpu_idle();
			latency_end((uintptr_t)scheduler_idle); // of an interrupt
			latency_begin("idle");
		}
	}
}

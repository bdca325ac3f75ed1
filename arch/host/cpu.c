// SPDX-License-Identifier: MIT
//
// The machine on the build machine: one CPU at a time, a clock that the test sets.

#include <arch/cpu.h>
#include <arch/smp.h>
#include <arch/time.h>
#include <kernel/cpu.h>
#include <stdlib.h>

struct cpu *host_cpu = &cpus[0];
bool host_irq_enabled;
uint64_t host_time;

void arch_halt(void)
{
	abort();
}

void arch_timer_set(uint64_t deadline)
{
	host_cpu->arch.timer_deadline = deadline;
}

void arch_ipi_send(struct cpu *cpu)
{
	cpu->ipis++;
}

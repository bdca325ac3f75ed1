// SPDX-License-Identifier: MIT
//
// The machine on the build machine: each thread is a CPU, a clock that the test sets.

#include <arch/cpu.h>
#include <arch/smp.h>
#include <arch/time.h>
#include <kernel/cpu.h>
#include <stdlib.h>

_Thread_local struct cpu *host_cpu = &cpus[0];
_Thread_local bool host_irq_enabled;
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
	__atomic_fetch_add(&cpu->ipis, 1, __ATOMIC_RELAXED);
}

// SPDX-License-Identifier: MIT
//
// This CPU on the build machine: the test says which one a thread stands for (host_cpu); interrupts are a
// flag that nobody looks at.

#ifndef ISA_CPU_H
#define ISA_CPU_H

#include <sched.h>

extern _Thread_local struct cpu *host_cpu;
extern _Thread_local bool host_irq_enabled;

static inline void arch_irq_disable(void)
{
	host_irq_enabled = false;
}

static inline void arch_irq_enable(void)
{
	host_irq_enabled = true;
}

static inline bool arch_irq_enabled(void)
{
	return host_irq_enabled;
}

static inline uintptr_t arch_irq_save(void)
{
	uintptr_t state = host_irq_enabled;

	host_irq_enabled = false;
	return state;
}

static inline void arch_irq_restore(uintptr_t state)
{
	host_irq_enabled = state != 0;
}

static inline struct cpu *arch_cpu_self(void)
{
	return host_cpu;
}

static inline void arch_cpu_relax(void)
{
	sched_yield();
}

static inline void arch_cpu_idle(void)
{
}

#endif

// SPDX-License-Identifier: MIT
//
// This CPU and its interrupts.

#ifndef ISA_CPU_H
#define ISA_CPU_H

#define RFLAGS_INTERRUPT ((uintptr_t)1 << 9)

static inline void arch_irq_disable(void)
{
	__asm__ volatile("cli" : : : "memory");
}

static inline void arch_irq_enable(void)
{
	// STI takes effect after the next instruction, which must not be the CLI of arch_irq_disable.
	__asm__ volatile("sti; nop" : : : "memory");
}

static inline uintptr_t arch_irq_flags(void)
{
	uintptr_t flags;

	__asm__ volatile("pushfq; popq %0" : "=r"(flags) : : "memory");
	return flags;
}

static inline bool arch_irq_enabled(void)
{
	return (arch_irq_flags() & RFLAGS_INTERRUPT) != 0;
}

static inline uintptr_t arch_irq_save(void)
{
	uintptr_t flags = arch_irq_flags();

	arch_irq_disable();
	return flags;
}

static inline void arch_irq_restore(uintptr_t state)
{
	if (state & RFLAGS_INTERRUPT)
		arch_irq_enable();
}

static inline struct cpu *arch_cpu_self(void)
{
	struct cpu *cpu;

	// Volatile: a thread may be on another CPU after each switch.
	__asm__ volatile("movq %%gs:%c1, %0" : "=r"(cpu) : "i"(CPU_SELF));
	return cpu;
}

static inline void arch_cpu_relax(void)
{
	__asm__ volatile("pause" : : : "memory");
}

static inline void arch_cpu_idle(void)
{
	// STI takes effect after the next instruction: no interrupt can come before HLT waits for it.
	__asm__ volatile("sti; hlt; cli" : : : "memory");
}

#endif

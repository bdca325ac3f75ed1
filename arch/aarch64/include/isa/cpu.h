// SPDX-License-Identifier: MIT
//
// The inline part of arch/cpu.h. Of PSTATE.DAIF only I is ever cleared in the kernel.

#ifndef ISA_CPU_H
#define ISA_CPU_H

#include <isa/registers.h>

#define DAIF_IRQ ((uintptr_t)1 << 7)

static inline void arch_irq_disable(void)
{
	__asm__ volatile("msr daifset, #2" : : : "memory");
}

static inline void arch_irq_enable(void)
{
	__asm__ volatile("msr daifclr, #2" : : : "memory");
}

static inline bool arch_irq_enabled(void)
{
	return (read_system_register(daif) & DAIF_IRQ) == 0;
}

static inline uintptr_t arch_irq_save(void)
{
	uintptr_t state = read_system_register(daif);

	arch_irq_disable();
	return state;
}

static inline void arch_irq_restore(uintptr_t state)
{
	if ((state & DAIF_IRQ) == 0)
		arch_irq_enable();
}

static inline struct cpu *arch_cpu_self(void)
{
	return (struct cpu *)read_system_register(tpidr_el1);
}

static inline void arch_cpu_relax(void)
{
	__asm__ volatile("yield" : : : "memory");
}

// WFI ends on a pending interrupt though it is masked.
static inline void arch_cpu_idle(void)
{
	data_barrier(sy);
	__asm__ volatile("wfi" : : : "memory");
	arch_irq_enable();
	instruction_barrier();
	arch_irq_disable();
}

// Shorter than what compilers make of it.
#define ARCH_EXCHANGE_IF
static inline __attribute__((always_inline)) bool arch_exchange_if(
	volatile void *word, uint64_t expected, uint64_t value)
{
	uint64_t seen;

	if (__builtin_constant_p(expected) && expected == 0)
		__asm__ goto volatile("1: ldaxr %0, [%1]; cbnz %0, %l3; stlxr %w0, %2, [%1]; cbnz %w0, 1b"
				      : "=&r"(seen)
				      : "r"(word), "r"(value)
				      : "memory"
				      : other);
	else
		__asm__ goto volatile(
			"1: ldaxr %0, [%1]; cmp %0, %2; b.ne %l4; stlxr %w0, %3, [%1]; cbnz %w0, 1b"
			: "=&r"(seen)
			: "r"(word), "r"(expected), "r"(value)
			: "memory", "cc"
			: other);
	return true;
other:
	return false;
}

#define ARCH_EXCHANGE_ABOVE
static inline __attribute__((always_inline)) uint64_t arch_exchange_above(
	volatile void *word, uint64_t limit, uint64_t value)
{
	uint64_t seen;
	uint32_t failed;
	bool above;

	__asm__ volatile("1: ldaxr %0, [%3]; cmp %0, %4; b.ls 2f; stlxr %w1, %5, [%3]; cbnz %w1, 1b; 2:"
			 : "=&r"(seen), "=&r"(failed), "=@cchi"(above)
			 : "r"(word), "rI"(limit), "r"(value)
			 : "memory");
	if (!above)
		return 0;
	if (seen == 0)
		__builtin_unreachable();
	return seen;
}

#endif

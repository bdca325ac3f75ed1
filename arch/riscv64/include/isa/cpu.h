// SPDX-License-Identifier: MIT

#ifndef ISA_CPU_H
#define ISA_CPU_H

#include <isa/csr.h>

static inline void arch_irq_disable(void)
{
	csr_clear(sstatus, SSTATUS_SIE);
}

static inline void arch_irq_enable(void)
{
	csr_set(sstatus, SSTATUS_SIE);
}

static inline bool arch_irq_enabled(void)
{
	return (csr_read(sstatus) & SSTATUS_SIE) != 0;
}

static inline uintptr_t arch_irq_save(void)
{
	uintptr_t state;

	__asm__ volatile("csrrci %0, sstatus, %1" : "=r"(state) : "i"(SSTATUS_SIE) : "memory");
	return state & SSTATUS_SIE;
}

static inline void arch_irq_restore(uintptr_t state)
{
	csr_set(sstatus, state);
}

static inline struct cpu *arch_cpu_self(void)
{
	struct cpu *cpu;

	// Volatile: a thread may be on another CPU after each switch.
	__asm__ volatile("mv %0, tp" : "=r"(cpu));
	return cpu;
}

// The ISA's part of it.
static inline struct arch_cpu *isa_cpu(void)
{
	return (struct arch_cpu *)arch_cpu_self();
}

#define RELAX_BEFORE_SLEEP 1024

// Waits a few microseconds, or until an interrupt is pending (time.c).
void isa_relax_sleep(void);

// `pause` does for another hart of the core. It does not make an emulator that runs all harts in one thread
// go on with the next one, nor free a processor of the host for the hart that is waited for: only `wfi` does
// either, so a long wait sleeps now and then.
static inline void arch_cpu_relax(void)
{
	__asm__ volatile(".insn i 0x0f, 0, x0, x0, 0x010" : : : "memory"); // pause (Zihintpause)
	if (++isa_cpu()->relax_count % RELAX_BEFORE_SLEEP == 0)
		isa_relax_sleep();
}

static inline void arch_cpu_idle(void)
{
	// wfi ends when an interrupt is pending, enabled in sstatus or not.
	__asm__ volatile("wfi" : : : "memory");
	arch_irq_enable();
	arch_irq_disable();
}

// Shorter than what compilers make of it.
#define ARCH_EXCHANGE_IF
static inline __attribute__((always_inline)) bool arch_exchange_if(
	volatile void *word, uint64_t expected, uint64_t value)
{
	uint64_t seen;

	__asm__ goto volatile("1: lr.d.aq %0, (%1); bne %0, %z2, %l4; sc.d.rl %0, %z3, (%1); bnez %0, 1b"
			      : "=&r"(seen)
			      : "r"(word), "rJ"(expected), "rJ"(value)
			      : "memory"
			      : other);
	return true;
other:
	return false;
}

#endif

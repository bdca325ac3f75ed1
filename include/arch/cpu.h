// SPDX-License-Identifier: MIT
//
// The HAL contract: this CPU and its interrupts.
//
// The kernel runs with interrupts disabled from entry to exit. Only arch_cpu_idle and preemption points let
// them in.

#ifndef ARCH_CPU_H
#define ARCH_CPU_H

#include <arch/types.h>

struct cpu;

// Disables interrupts; nothing if they are.
static inline void arch_irq_disable(void);
// Enables interrupts. Only preemption points call it, holding no lock.
static inline void arch_irq_enable(void);
// Whether interrupts are enabled.
static inline bool arch_irq_enabled(void);
// Disables interrupts and returns what arch_irq_restore needs.
static inline uintptr_t arch_irq_save(void);
static inline void arch_irq_restore(uintptr_t state);

// The per-CPU structure of the CPU that runs this (GS base, TPIDR_EL1, tp). Interrupts disabled: else the
// answer may be stale.
static inline struct cpu *arch_cpu_self(void);

// Sets the per-CPU pointer and loads the per-CPU tables (GDT, TSS, vectors). Once on each CPU, before
// anything uses arch_cpu_self. struct arch_cpu is at the address of `cpu`.
void arch_cpu_init(struct cpu *cpu);

// In a spin wait: lets the other hardware thread, or under an emulator the other CPU, go on.
static inline void arch_cpu_relax(void);

// Interrupts are disabled. Waits until one is pending, taking no wake-up for lost, lets it in, and returns
// with them disabled.
static inline void arch_cpu_idle(void);

// Stops this CPU for good, interrupts disabled.
_Noreturn void arch_halt(void);

// Fills `buffer` with up to `length` bytes from a hardware source of entropy; the value is how many (0: there
// is none).
size_t arch_entropy(void *buffer, size_t length);

// Powers the machine off, or resets it. Returns only if it cannot.
void arch_power_off(void);
void arch_reset(void);

// I/O ports; false where the ISA has none. `width` is 1, 2 or 4.
bool arch_io_port_read(uint16_t port, unsigned width, uint32_t *data);
bool arch_io_port_write(uint16_t port, unsigned width, uint32_t data);

// Where an ISA defines ARCH_EXCHANGE_IF it has arch_exchange_if(word, expected, value): a strong compare-and-swap of 64 bits, acquire and
// release, in fewer instructions than compilers make of theirs.

#include <isa/cpu.h>

#endif

// SPDX-License-Identifier: MIT
//
// This hart: per-CPU pointer, trap vector, emergency stack; what the ISA does not have.

#include "internal.h"
#include <arch/cpu.h>
#include <kernel/cpu.h>

#define EMERGENCY_STACK_SIZE 8192

static uint8_t emergency_stacks[ARCH_CPU_MAX][EMERGENCY_STACK_SIZE] __attribute__((aligned(16)));

void arch_cpu_init(struct cpu *cpu)
{
	cpu->arch.emergency_stack = (uintptr_t)emergency_stacks[cpu - cpus] + EMERGENCY_STACK_SIZE;
	__asm__ volatile("mv tp, %0" : : "r"(cpu));
	csr_write(sscratch, 0);
	// The fault that turned to virtual addresses has left SPP set.
	csr_clear(sstatus, SSTATUS_SIE | SSTATUS_SPP | SSTATUS_FS | SSTATUS_VS | SSTATUS_SUM);
	csr_write(stvec, (uintptr_t)trap_entry);
	// User mode may read time and count instructions.
	csr_write(scounteren, SCOUNTEREN_ALL);
	csr_write(sie, SIE_SOFTWARE | SIE_TIMER | SIE_EXTERNAL);
}

_Noreturn void arch_halt(void)
{
	arch_irq_disable();
	csr_write(sie, 0);
	for (;;)
		__asm__ volatile("wfi");
}

// Zkr's seed CSR is not for this mode unless the firmware gives it away, which none is known to do; the boot
// loader's rng-seed is what there is.
size_t arch_entropy(void *buffer, size_t length)
{
	(void)buffer;
	(void)length;
	return 0;
}

bool arch_io_port_read(uint16_t port, unsigned width, uint32_t *data)
{
	(void)port;
	(void)width;
	(void)data;
	return false;
}

bool arch_io_port_write(uint16_t port, unsigned width, uint32_t data)
{
	(void)port;
	(void)width;
	(void)data;
	return false;
}

// SPDX-License-Identifier: MIT
//
// The HAL contract: other CPUs.

#ifndef ARCH_SMP_H
#define ARCH_SMP_H

#include <arch/types.h>

struct cpu;

// Starts the CPU with hardware id `hardware_id` (from boot_machine): it calls cpu_main(cpu) on `stack_top`
// with the kernel's page tables, interrupts disabled and arch_cpu_init(cpu) done. False where it does not
// answer.
bool arch_cpu_start(struct cpu *cpu, uint64_t hardware_id, vaddr_t stack_top);

// Makes trap_ipi come on another CPU. Orders all writes before it.
void arch_ipi_send(struct cpu *cpu);

#endif

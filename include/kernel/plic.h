// SPDX-License-Identifier: MIT
//
// The platform-level interrupt controller of RISC-V machines.

#ifndef KERNEL_PLIC_H
#define KERNEL_PLIC_H

#include <arch/types.h>
#include <kernel/fdt.h>

struct plic {
	paddr_t physical;
	uint64_t length; // bytes of its registers
	uint32_t line_count;
	vaddr_t base; // where the registers are mapped; the ISA fills it in
};

// Finds it in the device tree; false: there is none that makes sense.
bool plic_find(const struct fdt *fdt, struct plic *plic);

// Makes it the interrupt controller, all lines masked. boot_machine's CPUs are known; those that it has no
// context for get no interrupts.
void plic_init(const struct fdt *fdt, const struct plic *plic);

#endif

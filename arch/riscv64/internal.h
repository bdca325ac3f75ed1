// SPDX-License-Identifier: MIT
//
// What the files of this ISA share with each other alone.

#ifndef RISCV64_INTERNAL_H
#define RISCV64_INTERNAL_H

#include <arch/types.h>
#include <isa/csr.h>
#include <kernel/fdt.h>

// --- boot.c

extern struct fdt isa_device_tree;

// --- entry.S, switch.S, usercopy.S

void trap_entry(void);
_Noreturn void isa_enter_user(struct arch_frame *frame);
void isa_switch(struct arch_thread *previous, struct arch_thread *next);
bool isa_has_stimecmp(void);

// --- fpu.c

// Before a switch: FPU registers stay in the hart; the next thread has them on only if they are its own.
void isa_fpu_switch(struct arch_thread *previous, struct arch_thread *next);
// On the first use after a switch: gives the FPU to the current thread; false: this hart has none.
bool isa_fpu_take(struct arch_thread *thread);

// --- mmu_kernel.c

// Builds the kernel's page tables for an image at physical address `image` and loads them.
void isa_mmu_boot(paddr_t image);
// Maps registers of a device for the kernel itself; returns where, 0: no room.
vaddr_t isa_map_device(paddr_t base, uint64_t length);
paddr_t isa_image_to_phys(const void *address);

extern uint64_t isa_kernel_root[];

// --- mmu.c

void isa_asid_init(void);

// --- sbi.c

struct sbi_result {
	long error; // 0: done
	long value;
};

#define SBI_TIME 0x54494d45
#define SBI_IPI  0x735049
#define SBI_HSM  0x48534d
#define SBI_SRST 0x53525354

// Calls function `function` of an extension (RISC-V SBI specification, chapter 3).
struct sbi_result sbi_call(long extension, long function, uint64_t a0, uint64_t a1, uint64_t a2);
bool sbi_has(long extension);
// Makes the firmware's console the early console.
void sbi_console_init(void);

#endif

// SPDX-License-Identifier: MIT
//
// What the parts of this ISA need of each other.

#ifndef ISA_INTERNAL_H
#define ISA_INTERNAL_H

#include <arch/types.h>
#include <isa/mmu.h>
#include <kernel/cpu.h>
#include <kernel/fdt.h>

// boot.S: symbols of the image and its tables; kernel.ld: the bounds of its parts.
extern uint8_t image_start[], data_start[], image_end[];
extern uint64_t kernel_root[], empty_root[];
extern uint8_t boot_secondary[];

// C code's start: `device_tree` and `image` are physical addresses.
_Noreturn void boot_main(paddr_t device_tree, paddr_t image);
_Noreturn void secondary_main(struct arch_cpu *cpu);

static inline struct arch_cpu *this_cpu(void)
{
	return &arch_cpu_self()->arch;
}

// mmu.c. Translates addresses of the kernel image.
paddr_t image_to_phys(const void *address);
// Begins the direct map with the image's data segment. Before every other function of mmu.c.
void mmu_init(paddr_t image);
// Adds [base, base + length), widened to pages, to the direct map, as RAM or as device registers: what is
// mapped already stays. False: out of early page tables, or outside the direct map.
bool mmu_map_direct(paddr_t base, uint64_t length, unsigned access);
// Maps device registers; NULL as above.
void *mmu_map_device(paddr_t base, uint64_t length);

// thread.c. The current thread has done one step, and does another when it goes on unless its registers are written. False: it is
// not stepped; one that is, and left the CPU directly, had the CPU told so.
bool thread_step_done(void);

// fpu.c. The current thread used the FPU while it was off.
void fpu_first_use(void);
void fpu_save_registers(struct fpu_state *state);
void fpu_load_registers(const struct fpu_state *state);

// psci.c
void psci_init(const struct fdt *fdt);
bool psci_cpu_on(uint64_t hardware_id, paddr_t entry, uint64_t context);

// entry.S and its handlers in trap.c
extern uint8_t exception_vectors[];
void exception_interrupt(void);
void exception_system_error(uint64_t syndrome);
void exception_user(uint64_t syndrome);
void exception_kernel(struct arch_frame *frame, uint64_t syndrome);
_Noreturn void exception_stack_overflow(struct arch_frame *frame);
_Noreturn void exception_unexpected(struct arch_frame *frame, uint64_t syndrome);

#endif

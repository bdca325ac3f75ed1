// SPDX-License-Identifier: MIT
//
// What the files of this ISA, and the drivers that belong to it, share among themselves.

#ifndef ISA_INTERNAL_H
#define ISA_INTERNAL_H

#include <arch/types.h>

struct cpu;
struct fault;

// --- Linker script and assembly

extern const uint8_t kernel_image_start[], kernel_text_start[], kernel_rodata_start[], kernel_data_start[],
	kernel_image_end[];
extern const uint8_t trap_stubs[][16];
extern uint64_t boot_root[];
extern const uint8_t boot_stack_guard[];

void syscall_entry(void);
void switch_stacks(struct arch_thread *previous, struct arch_thread *next);

// --- cpu.c

// Finds the features and prepares the code for them. Once, on the boot CPU, while the kernel's text is still
// writable.
void cpu_features_init(void);
// Sets the control registers of this CPU.
void cpu_control_init(void);

// --- mmu_boot.c

// The kernel's root table; its upper half is that of every address space.
extern paddr_t kernel_root;

// Builds the final page tables over `ranges` of RAM and loads them.
struct boot_range;
void mmu_boot_init(const struct boot_range *ranges, size_t count);
// Maps device registers, uncached, until kernel_main runs; where they appear in the direct map. NULL:
// impossible address.
volatile void *mmu_boot_map_device(paddr_t physical, size_t length);
// A zeroed page that boot_machine.memory no longer has.
paddr_t boot_allocate_page(void);

// --- tlb.c

unsigned pcid_allocate(void);

// --- fpu.c

void fpu_init_cpu(void);
// The current thread's first use of the FPU; false: it has used it before.
bool fpu_first_use(void);

// --- boot.c

// Where other CPUs start: a page below 1 MiB; 0: none.
extern paddr_t trampoline_page;

// --- trap.c and smp.c

void trap_from_user(struct arch_frame *frame);
void trap_from_kernel(struct arch_frame *frame);
_Noreturn void trap_emergency(struct arch_frame *frame);
extern _Atomic vaddr_t application_stack;
_Noreturn void application_main(void);
// `magic` MULTIBOOT2_LOADER_MAGIC: Multiboot2 information, else PVH's.
_Noreturn void boot_main(paddr_t information, uint32_t magic);

// --- time.c

// Waits; for hardware that needs time.
void delay_microseconds(uint64_t microseconds);
// The timer interrupt of this CPU.
void timer_interrupt(void);

// The current thread's part.
static inline struct arch_thread *isa_thread(void)
{
	struct arch_thread *thread;

	__asm__ volatile("movq %%gs:%c1, %0" : "=r"(thread) : "i"(CPU_CURRENT));
	return thread;
}

static inline struct arch_cpu *isa_cpu_self(void)
{
	struct arch_cpu *cpu;

	__asm__("movq %%gs:%c1, %0" : "=r"(cpu) : "i"(CPU_SELF));
	return cpu;
}

#endif

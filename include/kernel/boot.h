// SPDX-License-Identifier: MIT
//
// What an ISA finds out about the machine before kernel_main, from the device tree or the ACPI tables.

#ifndef KERNEL_BOOT_H
#define KERNEL_BOOT_H

#include <arch/types.h>
#include <tern/boot.h>

#define BOOT_MEMORY_RANGES 32

struct cpu;

struct boot_range {
	paddr_t base;
	uint64_t length;
};

struct boot_machine {
	// RAM that may be allocated: whole pages, without firmware, kernel image, device tree, archive and
	// the ISA's early tables. All in the direct map.
	struct boot_range memory[BOOT_MEMORY_RANGES];
	size_t memory_count;
	struct boot_range archive; // length 0: none
	struct boot_device devices[BOOT_DEVICES];
	size_t device_count;
	uint64_t cpu_hardware_ids[ARCH_CPU_MAX]; // the boot CPU first
	size_t cpu_count;
	uint32_t interrupt_lines; // lines are [0, interrupt_lines)
	char command_line[BOOT_COMMAND_LINE];
	uint8_t seed[64]; // entropy from the boot loader (rng-seed); zero where none
};

// Filled by the ISA before it calls kernel_main.
extern struct boot_machine boot_machine;

// The core's entry, on the boot CPU: stack, per-CPU pointer, page tables (direct map, W^X kernel), early
// console and interrupt controller are up, arch_time_init done; interrupts disabled.
_Noreturn void kernel_main(void);

// The entry of every other CPU, likewise.
_Noreturn void cpu_main(struct cpu *cpu);

#endif

// SPDX-License-Identifier: MIT
//
// RAM as a PC's boot loader tells it, and what of it may be allocated.

#ifndef KERNEL_BOOT_RAM_H
#define KERNEL_BOOT_RAM_H

#include <kernel/boot.h>

// An entry of the memory map that PVH and Multiboot2 both use (from BIOS function e820).
struct boot_ram_entry {
	uint64_t address;
	uint64_t length;
	uint32_t type;
	uint32_t reserved;
};

struct boot_ram {
	struct boot_range ranges[BOOT_MEMORY_RANGES]; // whole pages
	size_t count;
};

// What a boot loader has told.
struct boot_loader {
	struct boot_ram ram;
	paddr_t rsdp; // of ACPI; 0: not told
};

// `bytes` at a physical address, all below `mapped`; NULL where they are not.
const void *boot_bytes(paddr_t address, uint64_t bytes, uint64_t mapped);

// Reads a map: RAM below ARCH_DIRECT_MAP_SIZE, without what another entry says is not RAM. Entries are
// `entry_size` bytes apart.
void boot_ram_read(struct boot_ram *ram, const void *entries, size_t count, size_t entry_size);

// Fills boot_machine.memory: all RAM but boot_machine.archive and `used`.
void boot_ram_offer(const struct boot_ram *ram, const struct boot_range *used, size_t used_count);

// Copies the command line and names the archive, both below `mapped`; bad ones are dropped.
void boot_set_command_line(paddr_t address, uint64_t mapped);
void boot_set_archive(paddr_t address, uint64_t length, uint64_t mapped);

#endif

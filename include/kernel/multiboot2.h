// SPDX-License-Identifier: MIT
//
// The boot information of Multiboot2 (specification 2.0), as GRUB gives it on BIOS and UEFI machines.

#ifndef KERNEL_MULTIBOOT2_H
#define KERNEL_MULTIBOOT2_H

#include <kernel/boot_ram.h>

#define MULTIBOOT2_LOADER_MAGIC 0x36d76289

// Reads it, and sets command line and archive (the first module) of boot_machine. All that it points to must
// be below `mapped`. Panics where there is none.
void multiboot2_read(paddr_t information, uint64_t mapped, struct boot_loader *loader);

#endif

// SPDX-License-Identifier: MIT
//
// The start information of the PVH boot protocol (Xen, public/arch-x86/hvm/start_info.h).

#ifndef KERNEL_PVH_H
#define KERNEL_PVH_H

#include <kernel/boot.h>

struct pvh_machine {
	struct boot_range ram[BOOT_MEMORY_RANGES]; // whole pages
	size_t ram_count;
	paddr_t rsdp; // 0: not told
};

// Reads it, and fills command line, archive and memory of boot_machine; the memory is RAM without the archive
// and without `used`. All that it points to must be below `mapped`. Panics where there is none.
void pvh_read(paddr_t start_info, uint64_t mapped, const struct boot_range *used, size_t used_count,
	struct pvh_machine *machine);

#endif

// SPDX-License-Identifier: MIT
//
// The start information of the PVH boot protocol (Xen, public/arch-x86/hvm/start_info.h).

#ifndef KERNEL_PVH_H
#define KERNEL_PVH_H

#include <kernel/boot_ram.h>

// Reads it, and sets command line and archive of boot_machine. All that it points to must be below `mapped`.
// Panics where there is none.
void pvh_read(paddr_t start_info, uint64_t mapped, struct boot_loader *loader);

#endif

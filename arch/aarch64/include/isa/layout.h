// SPDX-License-Identifier: MIT
//
// The constants of the HAL contract on AArch64: 48-bit addresses, 4 KiB pages. User space is what TTBR0_EL1
// translates, kernel space what TTBR1_EL1 does. Assembly includes this file.

#ifndef ISA_LAYOUT_H
#define ISA_LAYOUT_H

#define ARCH_NAME "aarch64"

#define ARCH_SPACE_ARCH 64 // address_space.arch, which assembly knows: kernel/guest.c checks it

#define ARCH_USER_START 0x1000
#define ARCH_USER_END   0xfffffffff000

#define ARCH_DIRECT_MAP_BASE 0xffff000000000000
#define ARCH_DIRECT_MAP_SIZE 0x800000000000

#define ARCH_KERNEL_AREA_BASE 0xffff800000000000
#define ARCH_KERNEL_AREA_SIZE 0x8000000000

// The kernel image is linked in the last 2 GiB: see kernel.ld.

#define ARCH_CPU_MAX        8
#define ARCH_TLB_BROADCAST  1
#define ARCH_CODE_BROADCAST 1
#define ARCH_CALL_BIAS      0

#endif

// SPDX-License-Identifier: MIT
//
// The address space on RISC-V, Sv39: user below 2^38, kernel in the top 256 GiB.
//
//   0000000000000000 - 0000003fffffffff   user (256 GiB)
//   ffffffc000000000 - ffffffdfffffffff   direct map of the first 128 GiB of physical addresses (RAM only)
//   ffffffe000000000 - ffffffe1ffffffff   kernel area, for the core to hand out (8 GiB)
//   ffffffff00000000 - ffffffff3fffffff   registers of the devices that the kernel drives itself
//   ffffffff80000000 - ffffffffbfffffff   kernel image
//
// Included by assembly and the linker script too.

#ifndef ISA_LAYOUT_H
#define ISA_LAYOUT_H

#define ARCH_NAME              "riscv64"
#define ARCH_USER_START        0x1000
#define ARCH_USER_END          0x4000000000
#define ARCH_DIRECT_MAP_BASE   0xffffffc000000000
#define ARCH_DIRECT_MAP_SIZE   0x2000000000
#define ARCH_KERNEL_AREA_BASE  0xffffffe000000000
#define ARCH_KERNEL_AREA_SIZE  0x200000000
#define ARCH_DEVICE_BASE       0xffffffff00000000
#define ARCH_DEVICE_SIZE       0x40000000
#define ARCH_KERNEL_IMAGE_BASE 0xffffffff80000000
#define ARCH_CPU_MAX           8
#define ARCH_TLB_BROADCAST     0
#define ARCH_CODE_BROADCAST    0
#define ARCH_CALL_BIAS         0

#endif

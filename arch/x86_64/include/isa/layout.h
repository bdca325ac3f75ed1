// SPDX-License-Identifier: MIT
//
// The virtual address space of x86_64 with four-level page tables, and other constants of the contract.
//
//   0000000000001000 .. 00007ffffffff000  user (the last page stays empty: a SYSCALL at its end would return
//                                         to a non-canonical address)
//   ffff800000000000 .. ffffc00000000000  direct map of RAM; device registers appear in it uncached
//   ffffc00000000000 .. ffffc08000000000  kernel area: stacks and device registers that the core maps
//   ffffffff80000000 .. ffffffffc0000000  kernel image, at its physical address + KERNEL_BASE

#ifndef ISA_LAYOUT_H
#define ISA_LAYOUT_H

#define ARCH_NAME             "x86_64"
#define ARCH_USER_START       0x1000
#define ARCH_USER_END         0x00007ffffffff000
#define ARCH_DIRECT_MAP_BASE  0xffff800000000000
#define ARCH_DIRECT_MAP_SIZE  0x0000400000000000
#define ARCH_KERNEL_AREA_BASE 0xffffc00000000000
#define ARCH_KERNEL_AREA_SIZE 0x0000008000000000
#define ARCH_CPU_MAX          16
#define ARCH_TLB_BROADCAST    0
#define ARCH_CODE_BROADCAST   1
#define ARCH_CALL_BIAS        8

#define KERNEL_BASE      0xffffffff80000000
#define BOOT_MAPPED_SIZE 0x100000000 // what the page tables of boot.S cover of the direct map

#define BOOT_STACK_SIZE 0x4000

#endif

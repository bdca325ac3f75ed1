// SPDX-License-Identifier: MIT
//
// Constants of the contract on the build machine: addresses are the host's own.

#ifndef ISA_LAYOUT_H
#define ISA_LAYOUT_H

#define ARCH_NAME             "host"
#define ARCH_USER_START       0x1000
#define ARCH_USER_END         0x0000800000000000
#define ARCH_DIRECT_MAP_BASE  0x0
#define ARCH_KERNEL_AREA_BASE 0xffffc00000000000
#define ARCH_KERNEL_AREA_SIZE 0x0000008000000000
#define ARCH_CPU_MAX          8
#define ARCH_TLB_BROADCAST    0
#define ARCH_CODE_BROADCAST   0
#define ARCH_CALL_BIAS        0

#endif

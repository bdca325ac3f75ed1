// SPDX-License-Identifier: MIT
//
// Offsets of structure members for assembly. thread.c asserts that they are right.

#ifndef ISA_OFFSETS_H
#define ISA_OFFSETS_H

#define FRAME_SIZE   288
#define FRAME_X19    152
#define FRAME_X27    216
#define FRAME_X29    232
#define FRAME_X30    240
#define FRAME_SP     248
#define FRAME_PC     256
#define FRAME_PSTATE 264
#define FRAME_ZEROED 272

#define THREAD_FRAME       0
#define THREAD_TLS         8
#define THREAD_KERNEL_SP   16
#define THREAD_FRESH_ENTRY 24
#define THREAD_HINDRANCES  56
#define THREAD_ON_CPU      64
#define THREAD_GUEST       72
#define HINDRANCE_STEP_BIT 7
#define THREAD_HOST_TLS    32
#define THREAD_SPACE       120
#define THREAD_GUEST_SPACE 872
#define THREAD_GUEST_STATE 880
#define THREAD_KICKED      904

// struct guest_state
#define GUEST_X(n)        (8 * (n))
#define GUEST_PC          256
#define GUEST_TPIDR       272 // and the reason
#define GUEST_SYSTEM_CALL 1   // GUEST_EXIT_SYSCALL

#define CPU_FPU_OWNER       0
#define CPU_EMERGENCY_STACK 8
#define CPU_BOOT_STACK      16
#define CPU_ZEROS           48
#define CPU_DIRECT_CALLS    64
#define CPU_HANDLERS        72
#define CPU_WORK            80
#define CPU_CURRENT         88
#define CPU_ASID_ACTIVE     24
#define CPU_ASID_GENERATION 32
#define CPU_ADDRESS_SPACE   120

// See tlb.c.
#define ASID_NUMBER_BITS 16
#define ASID_NUMBER_MASK ((1 << ASID_NUMBER_BITS) - 1)
#define TTBR_ASID_SHIFT  48

// PSTATE in user mode: EL0, AArch64, FIQ masked (nobody uses it), all else let in. The flags, BTYPE, SSBS,
// DIT and TCO are the user's.
#define PSTATE_USER      (1 << 6)
#define PSTATE_USER_BITS 0xf3001c00
#define PSTATE_STEP_BIT  21

// CPACR_EL1 that lets user mode and kernel use the FPU. Else it is 0: SVE and SME always trap.
#define CPACR_FPU (3 << 20)

// MDSCR_EL1: user mode has no debug communication channel; it is stepped.
#define MDSCR_USER (1 << 12)
#define MDSCR_STEP (1 << 0)

#endif

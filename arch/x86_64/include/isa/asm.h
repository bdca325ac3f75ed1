// SPDX-License-Identifier: MIT
//
// What assembly and C agree on: offsets (checked by static assertions in thread.c), selectors, vectors.

#ifndef ISA_ASM_H
#define ISA_ASM_H

#define SELECTOR_KERNEL_CODE 0x08
#define SELECTOR_KERNEL_DATA 0x10
#define SELECTOR_USER_BASE   0x1b // SYSRET adds 8 for the stack and 16 for the code segment
#define SELECTOR_USER_DATA   0x23
#define SELECTOR_USER_CODE   0x2b
#define SELECTOR_TSS         0x30

#define VECTOR_DEBUG         1
#define VECTOR_NMI           2
#define VECTOR_DOUBLE_FAULT  8
#define VECTOR_MACHINE_CHECK 18
#define VECTOR_EXCEPTIONS    32
#define VECTOR_COUNT         256

#define RFLAGS_TRAP_FLAG 0x100
#define DR6_INITIAL      0xffff0ff0

// arch_frame.vector of a frame that SYSRET may return to: its rip and rflags are what rcx and r11 hold then.
#define FRAME_SYSCALL 0x100

#define FRAME_RBX    0
#define FRAME_RBP    8
#define FRAME_RDX    16
#define FRAME_R10    24
#define FRAME_R8     32
#define FRAME_R9     40
#define FRAME_R12    48
#define FRAME_R13    56
#define FRAME_R14    64
#define FRAME_R15    72
#define FRAME_RSI    80
#define FRAME_RDI    88
#define FRAME_RAX    96
#define FRAME_R11    104
#define FRAME_VECTOR 120
#define FRAME_RIP    136
#define FRAME_CS     144
#define FRAME_RFLAGS 152
#define FRAME_RSP    160
#define FRAME_SIZE   176

#define CPU_SELF         0
#define CPU_FRAME        8
#define CPU_USER_STACK   16
#define CPU_RSP0         116
#define CPU_DIRECT_CALLS 17184
#define CPU_WORK         17200
#define CPU_CURRENT      17208

#define THREAD_STACK_POINTER 0
#define THREAD_ENTRY         8
#define THREAD_FRAME         16
#define THREAD_FS_BASE       24
#define THREAD_GS_BASE       32
#define THREAD_ON_CPU        912
#define THREAD_GUEST         920

// struct guest_state; registers in the order of struct registers
#define GUEST_REGISTER(n) (8 * (n))
#define GUEST_RCX         GUEST_REGISTER(2)
#define GUEST_RSP         GUEST_REGISTER(7)
#define GUEST_R11         GUEST_REGISTER(11)
#define GUEST_RIP         GUEST_REGISTER(16)
#define GUEST_RFLAGS      GUEST_REGISTER(17)
#define GUEST_REASON      GUEST_REGISTER(20)
#define GUEST_SYSTEM_CALL 1 // GUEST_EXIT_SYSCALL

#ifdef __ASSEMBLER__

// clang-format off
// CLAC and STAC where the CPU has SMAP: cpu_features_init patches these no-operations.
.macro SMAP_SITE opcode
8888:	.byte 0x0f, 0x1f, 0x00
	.pushsection .smap_sites, "a"
	.quad 8888b
	.byte 0x0f, 0x01, \opcode
	.balign 8
	.popsection
.endm
// clang-format on

#define USER_ACCESS_END   SMAP_SITE 0xca
#define USER_ACCESS_BEGIN SMAP_SITE 0xcb

#endif
#endif

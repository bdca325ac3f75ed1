// SPDX-License-Identifier: MIT
//
// All user-visible registers of a thread on x86_64, but for the floating-point and vector state.

#ifndef TERN_ARCH_REGISTERS_H
#define TERN_ARCH_REGISTERS_H

#include <stdint.h>

struct registers {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp;
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rip;
	uint64_t rflags; // privileged bits are fixed by the kernel
	uint64_t fs_base;
	uint64_t gs_base;
};

#endif

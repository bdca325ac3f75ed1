// SPDX-License-Identifier: MIT
//
// The signal frame of x86_64. The FPU state is that of XSAVE in its standard form, in the frame and as the
// kernel of Tern gives it.

#ifndef ARCH_GUEST_SIGNAL_H
#define ARCH_GUEST_SIGNAL_H

#include <linux/interface/signal.h>

#include <stddef.h>

#define SIGNAL_FRAME_RED_ZONE 128
#define SIGNAL_FRAME_OFFSET   8 // the stack is as after a call
#define SIGNAL_FRAME_FPU_MAX  1024

struct signal_registers {
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp;
	uint64_t rip, rflags;
	uint16_t cs, gs, fs, ss;
	uint64_t error_code, trap, old_mask, fault_address;
	uint64_t fpu; // address of the FPU state
	uint64_t reserved[8];
};
_Static_assert(sizeof(struct signal_registers) == 256, "sigcontext is 256 bytes");

struct signal_frame {
	uint64_t return_address;
	struct {
		struct linux_context_start start;
		struct signal_registers registers;
		uint64_t blocked;
	} context;
	struct linux_signal_information information;
	uint64_t padding[2]; // the state is at a multiple of 64
	uint8_t fpu[SIGNAL_FRAME_FPU_MAX];
};
_Static_assert((offsetof(struct signal_frame, fpu) - SIGNAL_FRAME_OFFSET) % 64 == 0, "XSAVE wants 64 bytes");

#endif

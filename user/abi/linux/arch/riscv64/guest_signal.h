// SPDX-License-Identifier: MIT
//
// The signal frame of RISC-V 64. The FPU state, 32 registers and fcsr, is as the kernel of Tern gives it.

#ifndef ARCH_GUEST_SIGNAL_H
#define ARCH_GUEST_SIGNAL_H

#include <linux/interface/signal.h>

#include <stddef.h>

#define SIGNAL_FRAME_RED_ZONE 0
#define SIGNAL_FRAME_OFFSET   0
#define SIGNAL_FRAME_FPU_MAX  264

struct signal_frame {
	struct linux_signal_information information;
	struct {
		struct linux_context_start start;
		uint64_t blocked;
		uint8_t unused[120]; // of the set of signals
		uint8_t padding[8];
		uint64_t pc;
		uint64_t x[31]; // from x1 on
		uint8_t fpu[SIGNAL_FRAME_FPU_MAX];
		uint8_t more_fpu[528 - SIGNAL_FRAME_FPU_MAX]; // of an FPU that is wider
	} context;
};
_Static_assert(offsetof(struct signal_frame, context.pc) == 128 + 176, "mcontext is at 176");

#endif

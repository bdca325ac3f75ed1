// SPDX-License-Identifier: MIT
//
// The signal frame of AArch64. The FPU state is a record in the space that follows the registers.

#ifndef ARCH_GUEST_SIGNAL_H
#define ARCH_GUEST_SIGNAL_H

#include <linux/interface/signal.h>

#include <stddef.h>

#define SIGNAL_FRAME_RED_ZONE 0
#define SIGNAL_FRAME_OFFSET   0
#define SIGNAL_FRAME_FPU_MAX  528

struct signal_fpu_record {
	uint32_t magic;
	uint32_t size;
	uint32_t status;
	uint32_t control;
	uint64_t v[32][2];
};
_Static_assert(sizeof(struct signal_fpu_record) == 528, "the FPSIMD record is 528 bytes");

struct signal_frame {
	struct linux_signal_information information;
	struct {
		struct linux_context_start start;
		uint64_t blocked;
		uint8_t unused[120]; // of the set of signals
		uint8_t padding[8];
		uint64_t fault_address;
		uint64_t x[31];
		uint64_t sp;
		uint64_t pc;
		uint64_t pstate;
		uint64_t alignment;
		struct signal_fpu_record fpu;
		uint8_t records[4096 - sizeof(struct signal_fpu_record)]; // the next is the last: all zero
	} context;
	uint64_t frame_record[2]; // the interrupted function's frame pointer and return address
};
_Static_assert(offsetof(struct signal_frame, context.fault_address) == 128 + 176, "mcontext is at 176");
_Static_assert(offsetof(struct signal_frame, context.fpu) % 16 == 0, "records are at multiples of 16");

#endif

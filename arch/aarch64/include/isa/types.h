// SPDX-License-Identifier: MIT
//
// What the core embeds without looking inside. The offsets that assembly needs are in offsets.h.

#ifndef ISA_TYPES_H
#define ISA_TYPES_H

#include <stdatomic.h>
#include <stdint.h>

// The registers at an exception. In the frame of a user thread `sp` is SP_EL0.
struct arch_frame {
	uint64_t x[31];
	uint64_t sp;
	uint64_t pc;
	uint64_t pstate;
	uint64_t zeroed; // not 0: so are x2 to x18
	uint64_t unused;
};

// As arch_fpu_get gives it.
struct fpu_state {
	uint64_t v[32][2];
	uint32_t status;  // FPSR
	uint32_t control; // FPCR
	uint64_t reserved;
};

struct arch_thread {
	struct arch_frame *frame;  // it and the next one are loaded as a pair
	uint64_t tls;              // TPIDR_EL0 while the thread is not current
	uint64_t kernel_sp;        // of a context inside the kernel: callee-saved registers are there
	void (*fresh_entry)(void); // where a fresh context starts; NULL: the context is inside the kernel
	uint64_t host_tls;         // that of its own code, while it runs a guest
	struct fpu_state
		*fpu; // its registers while it does not own them: above the frame on its kernel stack
};

struct arch_cpu {
	struct arch_thread *fpu_owner; // whose registers the FPU holds; NULL: nobody's
	uint64_t emergency_stack;      // top of the stack for a kernel stack overflow
	uint64_t boot_stack;           // top of the stack on which a started CPU begins
	// See tlb.c.
	_Atomic uint64_t asid_active;
	_Atomic uint64_t asid_generation;
	uint64_t asid_reserved;
	uint64_t zeros[2]; // for two registers at once
};

struct arch_address_space {
	uint64_t root;         // physical address of the top table
	_Atomic uint64_t asid; // generation above, number in the low 16 bits; 0: none yet
	uint64_t recent_table; // arch/recent_table.h
};

#endif

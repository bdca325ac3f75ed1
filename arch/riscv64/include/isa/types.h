// SPDX-License-Identifier: MIT
//
// What the core embeds of the ISA without looking inside. Offsets that assembly uses are checked in thread.c.

#ifndef ISA_TYPES_H
#define ISA_TYPES_H

#include <stdatomic.h>

struct arch_thread;

// Laid out as struct registers up to x[31].
struct arch_frame {
	uint64_t pc;
	uint64_t x[32];       // x[0] is not used
	uint64_t status;      // sstatus of a trap from kernel mode; 0 in a user frame
	struct arch_cpu *cpu; // user frames: the CPU that the thread runs on
	uint64_t reserved;    // keeps the stack aligned to 16 bytes
};

// f0 to f31 and fcsr, in the layout that thread_read_fpu gives.
struct arch_fpu_state {
	uint64_t f[32];
	uint64_t fcsr;
};

struct arch_thread {
	uint64_t kernel_sp;       // callee-saved registers are pushed there
	void (*entry)(void);      // fresh: where the kernel context starts; NULL: at kernel_sp
	struct arch_frame *frame; // user registers, at the top of the kernel stack
	struct arch_cpu *fpu_cpu; // whose FPU registers are this thread's; NULL: fpu is the truth
	bool fpu_dirty;           // they differ from `fpu`; valid while the thread is switched out
	struct arch_fpu_state fpu;
};

struct arch_cpu {
	uint64_t emergency_stack; // top of it: see trap_entry
	uint64_t scratch;         // of trap_entry
	uint64_t hart_id;
	struct arch_thread *fpu_owner; // whose FPU registers are in the hart; NULL: nobody's
	uint64_t timer_ticks;          // what the timer is set to; UINT64_MAX: nothing
	uint64_t asid_base;   // the generation that the TLB has entries of: its ASIDs without their numbers
	uint64_t asid_mask;   // of their numbers: the same on all harts
	uint32_t relax_count; // calls of arch_cpu_relax
};

struct arch_address_space {
	paddr_t root;
	_Atomic uint64_t asid; // generation and number: see mmu.c
	uint64_t satp;         // without the number
	uint64_t recent_table; // arch/recent_table.h
};

#endif

// SPDX-License-Identifier: MIT
//
// What the core embeds without looking inside.

#ifndef ISA_TYPES_H
#define ISA_TYPES_H

#include <isa/asm.h>
#include <stdalign.h>

struct cpu;

#define MESSAGE_FRAME_WORDS 8

// In the order in which entry.S pushes it.
struct arch_frame {
	uint64_t rbx, rbp;
	union {
		struct {
			uint64_t rdx, r10, r8, r9, r12, r13, r14, r15;
		};
		uint64_t message_words[MESSAGE_FRAME_WORDS];
	};
	uint64_t rsi, rdi, rax, r11, rcx;
	uint64_t vector; // or FRAME_SYSCALL
	uint64_t error_code;
	uint64_t rip, cs, rflags, rsp, ss;
};

// Room for XSAVE's standard format with x87, SSE and AVX state.
#define FPU_STATE_SIZE  832
#define FPU_STATE_ALIGN 64

struct arch_thread {
	uint64_t stack_pointer; // of the kernel context, when switched out
	void (*entry)(void);    // not NULL: the context is fresh
	struct arch_frame *frame;
	uint64_t fs_base, gs_base;           // of user mode, while the thread does not run
	uint64_t host_fs_base, host_gs_base; // of its own code, while it runs a guest
	uint8_t fpu_used;                    // FPU_USED...; 0: never
	alignas(FPU_STATE_ALIGN) uint8_t fpu[FPU_STATE_SIZE];
};

struct arch_address_space {
	paddr_t root;
	unsigned pcid;         // 0: none of its own
	uint64_t recent_table; // arch/recent_table.h
};

struct task_state {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t io_map_base;
} __attribute__((packed));

#define GDT_ENTRIES          8
#define PCID_COUNT           4096
#define EMERGENCY_STACK_SIZE 8192
#define DEBUG_STACK_WORDS    8

// An emergency stack ends with the CPU's own pointer, so that its handler need not trust GS.
struct emergency_stack {
	alignas(16) uint8_t stack[EMERGENCY_STACK_SIZE - 16];
	struct cpu *cpu;
	uint64_t unused;
};

struct arch_cpu {
	struct cpu *self;
	struct arch_frame *frame; // of the current thread, for SYSCALL
	uint64_t user_stack;      // the user's stack pointer for the first instructions of a SYSCALL
	bool fpu_disabled;        // CR0.TS is set
	uint32_t apic_id;
	uint64_t timer_deadline;
	uint64_t gdt[GDT_ENTRIES];
	alignas(16) struct task_state task_state;
	_Atomic uint64_t pcid_stale[PCID_COUNT / 64]; // bit: flush the PCID when it is loaded next
	alignas(16) uint64_t
		debug_stack[DEBUG_STACK_WORDS]; // for the first instructions of a debug exception
	struct emergency_stack double_fault_stack;
	struct emergency_stack interrupt_stack; // non-maskable interrupts and machine checks
};

#endif

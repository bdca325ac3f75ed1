// SPDX-License-Identifier: MIT
//
// What the tests must know about AArch64.

#ifndef ISA_H
#define ISA_H

#include <stdint.h>
#include <tern/arch/registers.h>
#include <tern/syscall_numbers.h>

#define ISA_STACK_BIAS     0
#define ISA_DIVIDE_FAULTS  0
#define ISA_KERNEL_ADDRESS 0xffff800000000000
#define ISA_FREE_LINE      100 // an interrupt line that no device drives
#define ISA_TLB_BROADCAST  1   // a CPU makes the others forget a translation without interrupting them

static inline void isa_privileged_instruction(void)
{
	__asm__ volatile("msr ttbr0_el1, xzr");
}

static inline void isa_illegal_instruction(void)
{
	__asm__ volatile("udf #0");
}

static inline void isa_breakpoint(void)
{
	__asm__ volatile("brk #0");
}

// Where to go on after a breakpoint at a program counter that its fault message tells.
static inline uint64_t isa_after_breakpoint(uint64_t program_counter)
{
	return program_counter + 4;
}

// Software step.
#define ISA_STEP_FLAG(registers) ((registers)->pstate)
#define ISA_STEP_BIT             ((uint64_t)1 << 21)

// The word at the thread's TLS base.
static inline uint64_t isa_tls_word(void)
{
	const uint64_t *base;

	__asm__ volatile("mrs %0, tpidr_el0" : "=r"(base));
	return *base;
}

// --- Floating point: 32 registers of two words, FPCR and FPSR

#define ISA_FPU_CONTROL 64
#define ISA_FPU_STATUS  65
#define ISA_FPU_WORDS   66

struct isa_fpu {
	uint64_t words[ISA_FPU_WORDS];
} __attribute__((aligned(16)));

// Makes of any words a state that can be loaded and raises no exception. Rounding modes and flags are what the words say.
static inline void isa_fpu_make_valid(struct isa_fpu *state)
{
	state->words[ISA_FPU_CONTROL] &= 0x7c00000;
	state->words[ISA_FPU_STATUS] &= 0x800001f;
}

// That of a thread that has not used it yet.
static inline void isa_fpu_make_initial(struct isa_fpu *state)
{
	for (unsigned i = 0; i < ISA_FPU_WORDS; i++)
		state->words[i] = 0;
}

#define ISA_FPU_EACH                                                                                         \
	".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, " \
	"25, 26, 27, 28, 29, 30, 31\n"

static inline void isa_fpu_load(const struct isa_fpu *state)
{
	__asm__ volatile(
		ISA_FPU_EACH "ldr q\\n, [%0, #16 * \\n]\n"
			     ".endr\n"
			     "msr fpcr, %1; msr fpsr, %2"
		:
		: "r"(state->words), "r"(state->words[ISA_FPU_CONTROL]), "r"(state->words[ISA_FPU_STATUS])
		: "memory");
}

static inline void isa_fpu_store(struct isa_fpu *state)
{
	__asm__ volatile(ISA_FPU_EACH "str q\\n, [%2, #16 * \\n]\n"
				      ".endr\n"
				      "mrs %0, fpcr; mrs %1, fpsr"
			 : "=&r"(state->words[ISA_FPU_CONTROL]), "=&r"(state->words[ISA_FPU_STATUS])
			 : "r"(state->words)
			 : "memory");
}

// Makes a system call without arguments with a pattern in every register, and tells what is wrong afterwards:
// 1: a callee-saved register changed, 2: another one is not zero.
static inline uint64_t isa_registers_after_call(uint64_t number, uint64_t pattern)
{
	register uint64_t x8 __asm__("x8") = number;
	register uint64_t x0 __asm__("x0") = pattern;

	__asm__ volatile("stp x0, x29, [sp, #-16]!\n"
			 "mov x1, x0; mov x2, x0; mov x3, x0; mov x4, x0; mov x5, x0; mov x6, x0; mov x7, "
			 "x0; mov x9, x0\n"
			 "mov x10, x0; mov x11, x0; mov x12, x0; mov x13, x0; mov x14, x0; mov x15, x0; mov "
			 "x16, x0; mov x17, x0\n"
			 "mov x19, x0; mov x20, x0; mov x21, x0; mov x22, x0; mov x23, x0; mov x24, x0; mov "
			 "x25, x0; mov x26, x0\n"
			 "mov x27, x0; mov x28, x0; mov x29, x0; svc #0\n"
			 "orr x0, x1, x2; orr x0, x0, x3; orr x0, x0, x4; orr x0, x0, x5; orr x0, x0, x6; "
			 "orr x0, x0, x7\n"
			 "orr x0, x0, x8; orr x0, x0, x9; orr x0, x0, x10; orr x0, x0, x11; orr x0, x0, x12; "
			 "orr x0, x0, x13\n"
			 "orr x0, x0, x14; orr x0, x0, x15; orr x0, x0, x16; orr x0, x0, x17; cmp x0, #0; "
			 "cset x0, ne; lsl x0, x0, #1\n"
			 "mov x2, x29; ldp x1, x29, [sp], #16\n"
			 "eor x2, x2, x1; eor x19, x19, x1; orr x2, x2, x19; eor x20, x20, x1; orr x2, x2, "
			 "x20; eor x21, x21, x1; orr x2, x2, x21\n"
			 "eor x22, x22, x1; orr x2, x2, x22; eor x23, x23, x1; orr x2, x2, x23; eor x24, "
			 "x24, x1; orr x2, x2, x24\n"
			 "eor x25, x25, x1; orr x2, x2, x25; eor x26, x26, x1; orr x2, x2, x26; eor x27, "
			 "x27, x1; orr x2, x2, x27\n"
			 "eor x28, x28, x1; orr x2, x2, x28; cmp x2, #0; cset x2, ne; orr x0, x0, x2"
			 : "+r"(x0), "+r"(x8)
			 :
			 : "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x9", "x10", "x11", "x12", "x13", "x14",
			 "x15", "x16", "x17", "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27",
			 "x28", "x30", "cc", "memory");
	return x0;
}

// --- Guest code

#define ISA_GUEST_SYSCALL 0x01, 0x00, 0x00, 0xd4
#define ISA_GUEST_SPIN    0x00, 0x00, 0x00, 0x14
#define ISA_GUEST_LOAD    0x00, 0x00, 0x40, 0xf9 // from the address in the first argument's register

#define ISA_GUEST_PRIVILEGED 0x1f, 0x20, 0x18, 0xd5 // MSR TTBR0_EL1, XZR

#define ISA_PROGRAM_COUNTER(registers) ((registers)->pc)
#define ISA_FIRST_ARGUMENT(registers)  ((registers)->x[0])
#define ISA_STACK_POINTER(registers)   ((registers)->sp)

// Gives every general register a value of its own.
static inline void isa_fill_registers(struct registers *registers)
{
	for (unsigned i = 0; i < 31; i++)
		registers->x[i] = 0x1000 + i;
}

// --- Flags

#define ISA_FLAGS(registers) ((registers)->pstate)
#define ISA_FLAGS_FIXED      ((uint64_t)0)
#define ISA_FLAGS_CHOSEN     ((uint64_t)0xf3201c00) // N Z C V, TCO, DIT, SS, SSBS, BTYPE
#define ISA_FLAGS_FAULT      ((uint64_t)0x3001c00)  // not of every CPU: all but N Z C V and SS
#define ISA_PRIVILEGED_FAULT FAULT_ILLEGAL_INSTRUCTION

// All, none, all but SS; and what is dangerous alone: EL1 with either stack pointer, EL2, AArch32, DAIF, IL.
static const uint64_t isa_flags_tried[] = {
	UINT64_MAX, 0, ~ISA_STEP_BIT, 0x4, 0x5, 0x9, 0x10, 0x3c0, 0x100000};
// For code that goes on: as little of them as makes it run with interrupts off.
#define ISA_FLAGS_MASKED ((uint64_t)0x3c0)

// Makes other values those that fit in: any does.
static inline void isa_make_valid(struct registers *registers)
{
	(void)registers;
}

// As they are after a system call, which the kernel returns from in another way: it does not here.
static inline void isa_make_as_after_call(struct registers *registers)
{
	(void)registers;
}

// What the system-call instruction itself changes is made as it was: nothing here but what the kernel fixes.
static inline void isa_forget_syscall(struct registers *registers, const struct registers *before)
{
	registers->pstate = before->pstate;
}

// --- A system call with chosen registers: x0 to x29 (registers.S)

#define ISA_CALL_REGISTERS 30
#define ISA_CALL_PRESERVED (0x7ff << 19)
enum {
	ISA_CALL_NUMBER = 8,
	ISA_CALL_HANDLE = 0,
	ISA_CALL_INFO = 1,
	ISA_CALL_ERROR = 0,
	ISA_CALL_BADGE = 8,
	ISA_CALL_VALUE = 1,
};
static const unsigned isa_call_words[4] = {2, 3, 4, 5};

void isa_call_with_registers(uint64_t registers[ISA_CALL_REGISTERS]);
// A privileged instruction that leaves the registers as they are, and then an illegal one.
void isa_privileged_code(void);

#endif

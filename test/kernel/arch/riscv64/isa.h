// SPDX-License-Identifier: MIT
//
// What the tests must know about RISC-V.

#ifndef ISA_H
#define ISA_H

#include <stdint.h>
#include <tern/arch/registers.h>
#include <tern/syscall_numbers.h>

#define ISA_STACK_BIAS     0
#define ISA_DIVIDE_FAULTS  0
#define ISA_KERNEL_ADDRESS 0xffffffff80200000
#define ISA_FREE_LINE      60 // an interrupt line that no device drives
#define ISA_TLB_BROADCAST  0  // 1: a CPU makes the others forget a translation without interrupting them

static inline void isa_privileged_instruction(void)
{
	__asm__ volatile("csrw satp, zero");
}

static inline void isa_illegal_instruction(void)
{
	__asm__ volatile("unimp");
}

static inline void isa_breakpoint(void)
{
	__asm__ volatile("ebreak");
}

// Where to go on after a breakpoint at a program counter that its fault message tells: EBREAK has a compressed form.
static inline uint64_t isa_after_breakpoint(uint64_t program_counter)
{
	return program_counter + ((*(const uint16_t *)program_counter & 3) == 3 ? 4 : 2);
}

// Supervisor mode cannot have user mode stepped.
#define ISA_STEP_FLAG(registers) ((registers)->pc)
#define ISA_STEP_BIT             ((uint64_t)0)

// The word at the thread's TLS base.
static inline uint64_t isa_tls_word(void)
{
	const uint64_t *base;

	__asm__ volatile("mv %0, tp" : "=r"(base));
	return *base;
}

// --- Floating point: 32 registers and fcsr

#define ISA_FPU_CONTROL 32
#define ISA_FPU_WORDS   33

struct isa_fpu {
	uint64_t words[ISA_FPU_WORDS];
};

// Makes of any words a state that can be loaded. Rounding mode and flags are what the words say.
static inline void isa_fpu_make_valid(struct isa_fpu *state)
{
	state->words[ISA_FPU_CONTROL] &= 0x7f; // modes 4 to 7 are not all defined
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
	__asm__ volatile(ISA_FPU_EACH "fld f\\n, 8 * \\n(%0)\n"
				      ".endr\n"
				      "fscsr %1"
			 :
			 : "r"(state->words), "r"(state->words[ISA_FPU_CONTROL])
			 : "memory");
}

static inline void isa_fpu_store(struct isa_fpu *state)
{
	__asm__ volatile(ISA_FPU_EACH "fsd f\\n, 8 * \\n(%1)\n"
				      ".endr\n"
				      "frcsr %0"
			 : "=&r"(state->words[ISA_FPU_CONTROL])
			 : "r"(state->words)
			 : "memory");
}

// Makes a system call without arguments with a pattern in every register, and tells what is wrong afterwards:
// 1: a callee-saved register changed, 2: another one is not zero.
static inline uint64_t isa_registers_after_call(uint64_t number, uint64_t pattern)
{
	register uint64_t a7 __asm__("a7") = number;
	register uint64_t a0 __asm__("a0") = pattern;

	__asm__ volatile(
		"addi sp, sp, -16; sd a0, 0(sp); sd s0, 8(sp)\n"
		"mv a1, a0; mv a2, a0; mv a3, a0; mv a4, a0; mv a5, a0; mv a6, a0\n"
		"mv t0, a0; mv t1, a0; mv t2, a0; mv t3, a0; mv t4, a0; mv t5, a0; mv t6, a0; mv ra, a0\n"
		"mv s0, a0; mv s1, a0; mv s2, a0; mv s3, a0; mv s4, a0; mv s5, a0; mv s6, a0; mv s7, a0; mv "
		"s8, a0; mv s9, a0; mv s10, a0; mv s11, a0\n"
		"ecall\n"
		"or a0, a1, a2; or a0, a0, a3; or a0, a0, a4; or a0, a0, a5; or a0, a0, a6; or a0, a0, a7\n"
		"or a0, a0, t0; or a0, a0, t1; or a0, a0, t2; or a0, a0, t3; or a0, a0, t4; or a0, a0, t5; "
		"or a0, a0, t6\n"
		"snez a0, a0; slli a0, a0, 1; mv a2, s0; ld a1, 0(sp); ld s0, 8(sp); addi sp, sp, 16\n"
		"xor a2, a2, a1; xor s1, s1, a1; or a2, a2, s1; xor s2, s2, a1; or a2, a2, s2; xor s3, s3, "
		"a1; or a2, a2, s3\n"
		"xor s4, s4, a1; or a2, a2, s4; xor s5, s5, a1; or a2, a2, s5; xor s6, s6, a1; or a2, a2, "
		"s6; xor s7, s7, a1; or a2, a2, s7\n"
		"xor s8, s8, a1; or a2, a2, s8; xor s9, s9, a1; or a2, a2, s9; xor s10, s10, a1; or a2, a2, "
		"s10; xor s11, s11, a1; or a2, a2, s11\n"
		"snez a2, a2; or a0, a0, a2"
		: "+r"(a0), "+r"(a7)
		:
		: "ra", "a1", "a2", "a3", "a4", "a5", "a6", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "s1",
		"s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "memory");
	return a0;
}

// --- Guest code

#define ISA_GUEST_SYSCALL 0x73, 0x00, 0x00, 0x00
#define ISA_GUEST_SPIN    0x6f, 0x00, 0x00, 0x00
#define ISA_GUEST_LOAD    0x03, 0x35, 0x05, 0x00 // from the address in the first argument's register

#define ISA_GUEST_PRIVILEGED 0x73, 0x10, 0x00, 0x18 // CSRW satp, zero

#define ISA_PROGRAM_COUNTER(registers) ((registers)->pc)
#define ISA_FIRST_ARGUMENT(registers)  ((registers)->x[10])
#define ISA_STACK_POINTER(registers)   ((registers)->x[2])

// Gives every general register a value of its own.
static inline void isa_fill_registers(struct registers *registers)
{
	for (unsigned i = 1; i < 32; i++)
		registers->x[i] = 0x1000 + i;
}

// --- Flags: there are none, x0 stands for them

#define ISA_FLAGS(registers) ((registers)->x[0])
#define ISA_FLAGS_FIXED      ((uint64_t)0)
#define ISA_FLAGS_CHOSEN     ((uint64_t)0)
#define ISA_FLAGS_FAULT      ((uint64_t)0)
#define ISA_PRIVILEGED_FAULT FAULT_ILLEGAL_INSTRUCTION

static const uint64_t isa_flags_tried[] = {UINT64_MAX, 0};
#define ISA_FLAGS_MASKED UINT64_MAX

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

// What the system-call instruction itself changes is made as it was: nothing here.
static inline void isa_forget_syscall(struct registers *registers, const struct registers *before)
{
	registers->x[0] = before->x[0];
}

// --- A system call with chosen registers: x0 to x31, of which the first five stay out of it (registers.S)

#define ISA_CALL_REGISTERS 32
#define ISA_CALL_PRESERVED (0x1f | (3 << 8) | (0x3ff << 18))
enum {
	ISA_CALL_NUMBER = 17,
	ISA_CALL_HANDLE = 10,
	ISA_CALL_INFO = 11,
	ISA_CALL_ERROR = 10,
	ISA_CALL_VALUE = 11,
	ISA_CALL_BADGE = 17
};
static const unsigned isa_call_words[4] = {12, 13, 14, 15};

void isa_call_with_registers(uint64_t registers[ISA_CALL_REGISTERS]);
// A privileged instruction that leaves the registers as they are, and then an illegal one.
void isa_privileged_code(void);

#endif

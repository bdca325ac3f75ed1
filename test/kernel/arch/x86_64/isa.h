// SPDX-License-Identifier: MIT
//
// What the tests must know about x86_64.

#ifndef ISA_H
#define ISA_H

#include <stdbool.h>
#include <stdint.h>
#include <tern/arch/registers.h>
#include <tern/syscall_numbers.h>

#define ISA_STACK_BIAS     8 // a function is entered with its return address pushed
#define ISA_DIVIDE_FAULTS  1
#define ISA_KERNEL_ADDRESS 0xffffffff80100000
#define ISA_FREE_LINE      21 // an interrupt line that no device drives
#define ISA_TLB_BROADCAST  0  // 1: a CPU makes the others forget a translation without interrupting them

static inline void isa_privileged_instruction(void)
{
	__asm__ volatile("cli");
}

static inline void isa_illegal_instruction(void)
{
	__asm__ volatile("ud2");
}

static inline void isa_breakpoint(void)
{
	__asm__ volatile("int3");
}

// Where to go on after a breakpoint at a program counter that its fault message tells.
static inline uint64_t isa_after_breakpoint(uint64_t program_counter)
{
	return program_counter;
}

#define ISA_STEP_FLAG(registers) ((registers)->rflags)
#define ISA_STEP_BIT             ((uint64_t)1 << 8)

// The word at the thread's TLS base.
static inline uint64_t isa_tls_word(void)
{
	uint64_t word;

	__asm__ volatile("movq %%fs:0, %0" : "=r"(word));
	return word;
}

// --- Floating point: what FXSAVE has of x87 and SSE, and the upper halves of AVX's registers

#define ISA_FPU_FXSAVE 64
#define ISA_FPU_WORDS  (ISA_FPU_FXSAVE + 32)
#define ISA_FPU_X87    4  // two words each, 16 bits used of the second
#define ISA_FPU_END    52 // of the SSE registers
#define ISA_FPU_MXCSR  3

struct isa_fpu {
	uint64_t words[ISA_FPU_WORDS];
} __attribute__((aligned(16)));

// Whether CPU and kernel have AVX.
static inline bool isa_has_avx(void)
{
	uint32_t eax = 1, ebx, ecx = 0, edx;

	__asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	if ((ecx >> 27 & 3) != 3)
		return false;
	__asm__ volatile("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
	return (eax & 6) == 6;
}

// Clears what the state does not have: pointers to the last x87 instruction, MXCSR's mask, reserved words.
static inline void isa_fpu_clear_unused(struct isa_fpu *state)
{
	state->words[0] &= 0xffffffffffff;
	state->words[1] = state->words[2] = 0;
	state->words[ISA_FPU_MXCSR] &= 0xffffffff;
	for (unsigned i = 0; i < 8; i++)
		state->words[ISA_FPU_X87 + 2 * i + 1] &= 0xffff;
	for (unsigned i = ISA_FPU_END; i < ISA_FPU_FXSAVE; i++)
		state->words[i] = 0;
	for (unsigned i = ISA_FPU_FXSAVE; i < ISA_FPU_WORDS && !isa_has_avx(); i++)
		state->words[i] = 0;
}

// Makes of any words a state that can be loaded and raises no exception. Rounding modes and flags are what the words say.
static inline void isa_fpu_make_valid(struct isa_fpu *state)
{
	uint64_t control = state->words[0];

	state->words[0] = 0x037f | (control & 0xc00) | 0xff00000000; // registers 0 to 7 are valid
	state->words[ISA_FPU_MXCSR] = 0x1f80 | (control & 0x603f);
	isa_fpu_clear_unused(state);
}

// That of a thread that has not used it yet.
static inline void isa_fpu_make_initial(struct isa_fpu *state)
{
	for (unsigned i = 0; i < ISA_FPU_WORDS; i++)
		state->words[i] = 0;
	state->words[0] = 0x037f;
	state->words[ISA_FPU_MXCSR] = 0x1f80;
}

static inline void isa_fpu_load(const struct isa_fpu *state)
{
	__asm__ volatile("fxrstor64 (%0)" : : "r"(state->words) : "memory");
	if (isa_has_avx())
		__asm__ volatile(".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
				 "vinsertf128 $1, 16 * \\n(%0), %%ymm\\n, %%ymm\\n\n"
				 ".endr"
				 :
				 : "r"(state->words + ISA_FPU_FXSAVE)
				 : "memory");
}

static inline void isa_fpu_store(struct isa_fpu *state)
{
	__asm__ volatile("fxsave64 (%0)" : : "r"(state->words) : "memory");
	if (isa_has_avx())
		__asm__ volatile(".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
				 "vextractf128 $1, %%ymm\\n, 16 * \\n(%0)\n"
				 ".endr"
				 :
				 : "r"(state->words + ISA_FPU_FXSAVE)
				 : "memory");
	isa_fpu_clear_unused(state);
}

// Makes a system call without arguments with a pattern in every register, and tells what is wrong afterwards:
// 1: a callee-saved register changed, 2: another one is not zero.
static inline uint64_t isa_registers_after_call(uint64_t number, uint64_t pattern)
{
	uint64_t wrong;

	// Below the stack pointer the compiler may keep things (the red zone).
	__asm__ volatile("leaq -128(%%rsp), %%rsp; pushq %%rbp; movq %%rsi, %%rbp\n"
			 "movq %%rsi, %%rbx; movq %%rsi, %%r12; movq %%rsi, %%r13; movq %%rsi, %%r14; movq "
			 "%%rsi, %%r15\n"
			 "movq %%rsi, %%rdi; movq %%rsi, %%rdx; movq %%rsi, %%r8; movq %%rsi, %%r9; movq "
			 "%%rsi, %%r10\n"
			 "pushq %%rsi; syscall; popq %%rcx\n"
			 "movq %%rdi, %%rax; orq %%rsi, %%rax; orq %%rdx, %%rax; orq %%r8, %%rax; orq %%r9, "
			 "%%rax; orq %%r10, %%rax\n"
			 "setnz %%al; movzbl %%al, %%eax; shlq $1, %%rax\n"
			 "xorq %%rcx, %%rbx; xorq %%rcx, %%rbp; orq %%rbp, %%rbx; xorq %%rcx, %%r12; orq "
			 "%%r12, %%rbx\n"
			 "xorq %%rcx, %%r13; orq %%r13, %%rbx; xorq %%rcx, %%r14; orq %%r14, %%rbx; xorq "
			 "%%rcx, %%r15; orq %%r15, %%rbx\n"
			 "setnz %%bl; movzbl %%bl, %%ebx; orq %%rbx, %%rax; popq %%rbp; leaq "
			 "128(%%rsp), %%rsp"
			 : "=a"(wrong), "+S"(pattern)
			 : "0"(number)
			 : "rbx", "rcx", "rdx", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
			 "cc", "memory");
	return wrong;
}

// --- Guest code

#define ISA_GUEST_SYSCALL 0x0f, 0x05
#define ISA_GUEST_SPIN    0xeb, 0xfe
#define ISA_GUEST_LOAD    0x48, 0x8b, 0x07 // from the address in the first argument's register

#define ISA_GUEST_PRIVILEGED 0xfa // CLI

#define ISA_PROGRAM_COUNTER(registers) ((registers)->rip)
#define ISA_FIRST_ARGUMENT(registers)  ((registers)->rdi)
#define ISA_STACK_POINTER(registers)   ((registers)->rsp)

// Gives every general register a value of its own.
static inline void isa_fill_registers(struct registers *registers)
{
	uint64_t *general[] = {&registers->rax, &registers->rbx, &registers->rcx, &registers->rdx,
		&registers->rsi, &registers->rdi, &registers->rbp, &registers->r8, &registers->r9,
		&registers->r10, &registers->r11, &registers->r12, &registers->r13, &registers->r14,
		&registers->r15};

	for (unsigned i = 0; i < sizeof(general) / sizeof(general[0]); i++)
		*general[i] = 0x1000 + i;
}

// --- Flags

#define ISA_FLAGS(registers) ((registers)->rflags)
#define ISA_FLAGS_FIXED      ((uint64_t)0x202)    // IF, and bit 1
#define ISA_FLAGS_CHOSEN     ((uint64_t)0x240dd5) // CF PF AF ZF SF TF DF OF AC ID
#define ISA_FLAGS_FAULT      ((uint64_t)1 << 16)  // RF, which a fault sets
#define ISA_PRIVILEGED_FAULT FAULT_PROTECTION

// All, none, all but TF; and what is dangerous alone: interrupts off, all of I/O allowed, NT and VM.
static const uint64_t isa_flags_tried[] = {UINT64_MAX, 0, ~ISA_STEP_BIT, 0x3000, 0x4000, 0x20000};
// For code that goes on: as little of them as makes it run with interrupts off.
#define ISA_FLAGS_MASKED ((uint64_t)0x3000)

// Makes other values those that fit in.
static inline void isa_make_valid(struct registers *registers)
{
	registers->fs_base &= 0x7fffffffffff;
	registers->gs_base &= 0x7fffffffffff;
}

// As they are after a system call, which the kernel returns from in another way.
static inline void isa_make_as_after_call(struct registers *registers)
{
	registers->rflags &= ~ISA_STEP_BIT; // SYSRET traps before the next instruction
	registers->rcx = registers->rip;
	registers->r11 = (registers->rflags & ISA_FLAGS_CHOSEN) | ISA_FLAGS_FIXED;
}

// What the system-call instruction itself changes is made as it was.
static inline void isa_forget_syscall(struct registers *registers, const struct registers *before)
{
	registers->rcx = before->rcx;
	registers->r11 = before->r11;
	registers->rflags = before->rflags;
}

// --- A system call with chosen registers: rax rbx rdx rsi rdi rbp r8 r9 r10 r12 r13 r14 r15 (registers.S)

#define ISA_CALL_REGISTERS 13
#define ISA_CALL_PRESERVED ((1 << 1) | (1 << 5) | (0xf << 9))
enum {
	ISA_CALL_NUMBER = 0,
	ISA_CALL_HANDLE = 4,
	ISA_CALL_INFO = 3,
	ISA_CALL_ERROR = 0,
	ISA_CALL_BADGE = 4,
	ISA_CALL_VALUE = 2,
};
static const unsigned isa_call_words[4] = {2, 8, 6, 7};

void isa_call_with_registers(uint64_t registers[ISA_CALL_REGISTERS]);
// A privileged instruction that leaves the registers as they are, and then an illegal one.
void isa_privileged_code(void);

#endif

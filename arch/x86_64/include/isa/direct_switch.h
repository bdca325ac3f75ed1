// SPDX-License-Identifier: MIT
//
// Message registers and the quick ways of direct switches.

#ifndef ISA_DIRECT_SWITCH_H
#define ISA_DIRECT_SWITCH_H

#include <isa/registers.h>
#include <kernel/cpu.h>

register uint64_t message_handle __asm__("rdi");
#define message_badge message_handle // the same register
register uint64_t message_info __asm__("rsi");
register uint64_t message_word_0 __asm__("rdx");
register uint64_t message_word_1 __asm__("r10");
register uint64_t message_word_2 __asm__("r8");
register uint64_t message_word_3 __asm__("r9");
register struct cpu *message_cpu __asm__("r12");
#define arch_message_begin() (message_cpu = arch_cpu_self())
#define MESSAGE_INPUTS                                                                   \
	"r"(message_handle), "r"(message_info), "r"(message_badge), "r"(message_word_0), \
		"r"(message_word_1), "r"(message_word_2), "r"(message_word_3), "r"(message_cpu)

static inline __attribute__((always_inline)) _Noreturn void arch_jump(void (*function)(void))
{
	__asm__ volatile("jmp %P0" : : "i"(function), MESSAGE_INPUTS : "memory");
	__builtin_unreachable();
}

static inline __attribute__((always_inline)) void arch_zero_message_words(void)
{
	message_word_0 = message_word_1 = message_word_2 = message_word_3 = 0;
	__asm__ volatile(""); // not shared with other zeroes
}

// Between two threads that both have used the FPU nothing changes but the registers. XSAVE and XRSTOR want rdx, which holds a word.
static inline __attribute__((always_inline)) bool arch_fpu_try_switch(
	struct arch_cpu *cpu, struct arch_thread *previous, struct arch_thread *next)
{
	uint8_t used;
	bool any;

	(void)cpu;
	__asm__("movb %2, %0; addb %3, %0"
		: "=&q"(used), "=@ccnz"(any)
		: "m"(previous->fpu_used), "m"(next->fpu_used));
	if (!__builtin_expect(any, 0))
		return true;
	if (__builtin_expect((used & 2 * FPU_USED_WITH_XSAVE) == 0, 0))
		return false;
	__asm__ volatile("movq %%rdx, %%rbx; orl $-1, %%eax; cltd\n\t"
			 "xsave64 %0\n\t" FPU_HIDE_POINTERS_SITE "xrstor64 %1\n\t"
			 "movq %%rbx, %%rdx"
			 : "=m"(previous->fpu)
			 : "m"(next->fpu), "m"(fpu_hidden_pointer)
			 : "rax", "rbx", "cc");
	return true;
}

static inline __attribute__((always_inline)) _Noreturn void arch_switch_directly(
	struct arch_thread *previous, struct arch_thread *next)
{
	register struct arch_thread *r13 __asm__("r13") = previous;
	register struct arch_thread *r14 __asm__("r14") = next;

	__asm__ volatile("jmp switch_directly" : : "r"(r13), "r"(r14), MESSAGE_INPUTS : "memory");
	__builtin_unreachable();
}

#endif

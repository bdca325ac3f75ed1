// SPDX-License-Identifier: MIT
//
// Message registers and the quick ways of direct switches.

#ifndef ISA_DIRECT_SWITCH_H
#define ISA_DIRECT_SWITCH_H

#include <isa/registers.h>
#include <stdatomic.h>

register uint64_t message_handle __asm__("rdi");
#define message_badge message_handle // the same register
register uint64_t message_info __asm__("rsi");
register uint64_t message_word_0 __asm__("rdx");
register uint64_t message_word_1 __asm__("r10");
register uint64_t message_word_2 __asm__("r8");
register uint64_t message_word_3 __asm__("r9");

static inline __attribute__((always_inline)) _Noreturn void arch_jump(void (*function)(void))
{
	__asm__ volatile("jmp %P0"
			 :
			 : "i"(function), "r"(message_handle), "r"(message_info), "r"(message_badge),
			 "r"(message_word_0), "r"(message_word_1), "r"(message_word_2), "r"(message_word_3)
			 : "memory");
	__builtin_unreachable();
}

// XSAVE and XRSTOR want rdx, which holds a word.
static inline __attribute__((always_inline)) bool arch_fpu_try_switch(
	struct arch_cpu *cpu, struct arch_thread *previous, struct arch_thread *next)
{
	uint8_t used;
	bool any;

	__asm__("movb %2, %0; orb %3, %0"
		: "=&q"(used), "=@ccnz"(any)
		: "m"(previous->fpu_used), "m"(next->fpu_used));
	if (!__builtin_expect(any, 0))
		return true;
	if (!cpu_features.xsave || cpu->fpu_disabled != !previous->fpu_used)
		return false;
	if (previous->fpu_used)
		__asm__ volatile("movq %%rdx, %%rbx; movl $-1, %%eax; movl %%eax, %%edx\n\t"
				 "xsave64 %0; movq %%rbx, %%rdx"
				 : "=m"(previous->fpu)
				 :
				 : "rax", "rbx");
	else
		__asm__ volatile("clts");
	cpu->fpu_disabled = !next->fpu_used;
	if (next->fpu_used && cpu_features.fpu_pointers_leak)
		fpu_hide_pointers();
	if (next->fpu_used)
		__asm__ volatile("movq %%rdx, %%rbx; movl $-1, %%eax; movl %%eax, %%edx\n\t"
				 "xrstor64 %0; movq %%rbx, %%rdx"
				 :
				 : "m"(next->fpu)
				 : "rax", "rbx");
	else
		write_cr0(read_cr0() | CR0_TASK_SWITCHED);
	return true;
}

static inline __attribute__((always_inline)) _Noreturn void arch_switch_directly(
	struct cpu *cpu, struct arch_thread *previous, struct arch_thread *next)
{
	register struct cpu *r12 __asm__("r12") = cpu;
	register struct arch_thread *r13 __asm__("r13") = previous;
	register struct arch_thread *r14 __asm__("r14") = next;

	__asm__ volatile("jmp switch_directly"
			 :
			 : "r"(r12), "r"(r13), "r"(r14), "r"(message_badge), "r"(message_info),
			 "r"(message_word_0), "r"(message_word_1), "r"(message_word_2), "r"(message_word_3)
			 : "memory");
	__builtin_unreachable();
}

#endif

// SPDX-License-Identifier: MIT
//
// Message registers (x6, x7, x9 and x10 have the words of a wide one) and the quick ways of direct switches.

#ifndef ISA_DIRECT_SWITCH_H
#define ISA_DIRECT_SWITCH_H

#include <isa/internal.h>
#include <isa/offsets.h>
#include <isa/registers.h>
#include <kernel/cpu.h>

register uint64_t message_handle __asm__("x0");
register uint64_t message_info __asm__("x1");
register uint64_t message_word_0 __asm__("x2");
register uint64_t message_word_1 __asm__("x3");
register uint64_t message_word_2 __asm__("x4");
register uint64_t message_word_3 __asm__("x5");
register uint64_t message_badge __asm__("x8");
register struct cpu *message_cpu __asm__("x27"); // the entry of a system call has put it there
#define arch_message_begin() message_cpu
#define MESSAGE_INPUTS                                                                   \
	"r"(message_handle), "r"(message_info), "r"(message_badge), "r"(message_word_0), \
		"r"(message_word_1), "r"(message_word_2), "r"(message_word_3), [cpu] "r"(message_cpu)

static inline __attribute__((always_inline)) _Noreturn void arch_jump(void (*function)(void))
{
	__asm__ volatile("b %0" : : "i"(function), MESSAGE_INPUTS : "memory");
	__builtin_unreachable();
}

static inline __attribute__((always_inline)) void arch_zero_message_words(void)
{
	__asm__ volatile(
		"ldp %0, %1, [%4, %5]\n\tldp %2, %3, [%4, %5]"
		: "=r"(message_word_0), "=r"(message_word_1), "=r"(message_word_2), "=r"(message_word_3)
		: "r"(message_cpu), "i"(CPU_ZEROS));
}

static inline __attribute__((always_inline)) bool arch_fpu_try_switch(
	struct arch_cpu *cpu, struct arch_thread *previous, struct arch_thread *next)
{
	const struct arch_thread *owner = cpu->fpu_owner;

	if (__builtin_expect(owner != previous && owner != next, 1))
		return true;
	if (cpu_count > 1)
		return false;
	write_system_register(cpacr_el1, owner == next ? CPACR_FPU : 0);
	return true;
}

static inline __attribute__((always_inline)) _Noreturn void arch_switch_directly(
	struct arch_thread *previous, struct arch_thread *next)
{
	register struct arch_thread *x11 __asm__("x11") = next;
	register struct arch_thread *x12 __asm__("x12") = previous;

	__asm__ volatile("mrs x14, tpidr_el0\n\t"
			 "ldp x15, x16, [%[next], %[frame]]\n\t"
			 "mov x0, xzr\n\t"
			 "mov sp, x15\n\t"
			 "str x14, [%[previous], %[tls]]\n\t"
			 "msr tpidr_el0, x16\n\t"
			 "dmb ish\n\t" // before others use the stack, and before we look for work
			 "strb wzr, [%[previous], %[on_cpu]]\n\t"
			 "ldr w14, [%[cpu], %[work]]\n\t"
			 "cbnz w14, switch_with_work\n\t"
			 "ldp x14, x15, [sp, %[pc]]\n\t"
			 "ldr x16, [sp, %[stack]]\n\t"
			 "msr elr_el1, x14\n\t"
			 "msr spsr_el1, x15\n\t"
			 "msr sp_el0, x16\n\t"
			 "ldp x6, x7, [%[cpu], %[zeros]]\n\t"
			 "ldp x9, x10, [%[cpu], %[zeros]]\n\t"
			 "ldp x11, x12, [%[cpu], %[zeros]]\n\t"
			 "ldp x13, x14, [%[cpu], %[zeros]]\n\t"
			 "ldp x15, x16, [%[cpu], %[zeros]]\n\t"
			 "ldp x17, x18, [%[cpu], %[zeros]]\n\t"
			 "ldp x19, x20, [sp, %[x19]]\n\t"
			 "ldp x21, x22, [sp, %[x19] + 16]\n\t"
			 "ldp x23, x24, [sp, %[x19] + 32]\n\t"
			 "ldp x25, x26, [sp, %[x19] + 48]\n\t"
			 "ldp x27, x28, [sp, %[x19] + 64]\n\t"
			 "ldp x29, x30, [sp, %[x19] + 80]\n\t"
			 "eret"
			 :
			 : [previous] "r"(x12), [next] "r"(x11),
			 MESSAGE_INPUTS, [frame] "i"(THREAD_FRAME), [tls] "i"(THREAD_TLS),
			 [on_cpu] "i"(THREAD_ON_CPU), [work] "i"(CPU_WORK), [pc] "i"(FRAME_PC),
			 [stack] "i"(FRAME_SP), [zeros] "i"(CPU_ZEROS), [x19] "i"(FRAME_X19)
			 : "x14", "x15", "x16", "memory");
	__builtin_unreachable();
}

#endif

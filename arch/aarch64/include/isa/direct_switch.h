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

static inline __attribute__((always_inline)) _Noreturn void arch_jump(void (*function)(void))
{
	__asm__ volatile("b %0"
			 :
			 : "i"(function), "r"(message_handle), "r"(message_info), "r"(message_badge),
			 "r"(message_word_0), "r"(message_word_1), "r"(message_word_2), "r"(message_word_3)
			 : "memory");
	__builtin_unreachable();
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
	struct cpu *cpu, struct arch_thread *previous, struct arch_thread *next)
{
	register struct cpu *x11 __asm__("x11") = cpu;
	register struct arch_thread *x12 __asm__("x12") = previous;
	register struct arch_thread *x13 __asm__("x13") = next;

	__asm__ volatile("b switch_directly"
			 :
			 : "r"(x11), "r"(x12), "r"(x13), "r"(message_badge), "r"(message_info),
			 "r"(message_word_0), "r"(message_word_1), "r"(message_word_2), "r"(message_word_3)
			 : "memory");
	__builtin_unreachable();
}

#endif

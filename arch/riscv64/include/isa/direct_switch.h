// SPDX-License-Identifier: MIT
//
// Message registers (a6 and t0 to t2 have the words of a wide one) and the quick ways of direct switches.

#ifndef ISA_DIRECT_SWITCH_H
#define ISA_DIRECT_SWITCH_H

#include <isa/csr.h>
#include <kernel/cpu.h>

register uint64_t message_handle __asm__("a0");
register uint64_t message_info __asm__("a1");
register uint64_t message_word_0 __asm__("a2");
register uint64_t message_word_1 __asm__("a3");
register uint64_t message_word_2 __asm__("a4");
register uint64_t message_word_3 __asm__("a5");
register uint64_t message_badge __asm__("a7");
register struct cpu *message_cpu __asm__("tp");
#define arch_message_begin() message_cpu
#define MESSAGE_INPUTS                                                                   \
	"r"(message_handle), "r"(message_info), "r"(message_badge), "r"(message_word_0), \
		"r"(message_word_1), "r"(message_word_2), "r"(message_word_3), "r"(message_cpu)

static inline __attribute__((always_inline)) _Noreturn void arch_jump(void (*function)(void))
{
	__asm__ volatile("j %0" : : "i"(function), MESSAGE_INPUTS : "memory");
	__builtin_unreachable();
}

static inline __attribute__((always_inline)) void arch_zero_message_words(void)
{
	message_word_0 = message_word_1 = message_word_2 = message_word_3 = 0;
	__asm__ volatile(""); // not shared with other zeroes
}

static inline __attribute__((always_inline)) bool arch_fpu_try_switch(
	struct arch_cpu *cpu, struct arch_thread *previous, struct arch_thread *next)
{
	const struct arch_thread *owner = cpu->fpu_owner;

	if (__builtin_expect(owner != previous && owner != next, 1))
		return true;
	if (cpu_count > 1)
		return false;
	if (owner == next) {
		csr_set(sstatus, SSTATUS_FS_CLEAN);
		return true;
	}
	if ((csr_read(sstatus) & SSTATUS_FS) == SSTATUS_FS_DIRTY)
		previous->fpu_dirty = true;
	csr_clear(sstatus, SSTATUS_FS);
	return true;
}

static inline __attribute__((always_inline)) _Noreturn void arch_switch_directly(
	struct arch_thread *previous, struct arch_thread *next)
{
	register struct arch_thread *t3 __asm__("t3") = previous;
	register struct arch_thread *t4 __asm__("t4") = next;

	__asm__ volatile("j switch_directly" : : "r"(t3), "r"(t4), MESSAGE_INPUTS : "memory");
	__builtin_unreachable();
}

#endif

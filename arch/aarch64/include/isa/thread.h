// SPDX-License-Identifier: MIT
//
// The inline part of arch/thread.h: registers of system calls and messages in the frame.

#ifndef ISA_THREAD_H
#define ISA_THREAD_H

#include <isa/offsets.h>

void fpu_switch_directly(struct arch_thread *previous, struct arch_thread *next);

static inline bool arch_fpu_must_switch(
	const struct arch_cpu *cpu, const struct arch_thread *previous, const struct arch_thread *next)
{
	return cpu->fpu_owner == previous || cpu->fpu_owner == next;
}

static inline void arch_fpu_switch_directly(
	struct arch_cpu *cpu, struct arch_thread *previous, struct arch_thread *next)
{
	if (__builtin_expect(arch_fpu_must_switch(cpu, previous, next), 0))
		fpu_switch_directly(previous, next);
}

static inline __attribute__((always_inline)) _Noreturn void arch_resume_directly(
	struct cpu *cpu, struct arch_thread *previous, struct arch_thread *next)
{
	__asm__ volatile("ldp x16, x17, [%2, %[frame]]\n\t"
			 "mrs x18, tpidr_el0\n\t"
			 "mov sp, x16\n\t"
			 "str x18, [%1, %[tls]]\n\t"
			 "msr tpidr_el0, x17\n\t"
			 "dmb ish\n\t"
			 "strb wzr, [%1, %[on_cpu]]\n\t"
			 "ldr w16, [%0, %[work]]\n\t"
			 "cbz w16, restore_user\n\t"
			 "mov x0, %1\n\t"
			 "b resume_with_work"
			 :
			 : "r"(cpu), "r"(previous), "r"(next), [frame] "i"(THREAD_FRAME),
			 [tls] "i"(THREAD_TLS), [on_cpu] "i"(THREAD_ON_CPU), [work] "i"(CPU_WORK)
			 : "x16", "x17", "x18", "memory");
	__builtin_unreachable();
}

static inline bool arch_can_switch_directly(void)
{
	return true;
}

static inline void arch_thread_reset_context(struct arch_thread *thread, void (*entry)(void))
{
	thread->fresh_entry = entry;
}

static inline bool arch_thread_is_fresh(const struct arch_thread *thread)
{
	return thread->fresh_entry != NULL;
}

static inline uint64_t arch_syscall_number(const struct arch_thread *thread)
{
	return thread->frame->x[8];
}

static inline uint64_t arch_syscall_argument(const struct arch_thread *thread, unsigned index)
{
	return thread->frame->x[index];
}

// x0, x1, and zeroes in x2 to x18, the other registers that a call need not preserve: pairs, as the CPU stores them. They mostly
// are from the call before. x30 is left: stubs are leaf functions and return by it.
static inline __attribute__((always_inline)) void isa_frame_set_results(
	struct arch_frame *frame, uint64_t x0, uint64_t x1)
{
	__asm__ volatile("stp %x1, %x2, [%0]" : : "r"(frame->x), "rZ"(x0), "rZ"(x1) : "memory");
	if (__builtin_expect(frame->zeroed, 1))
		return;
	__asm__ volatile("stp xzr, xzr, [%0, #16]\n\t"
			 "stp xzr, xzr, [%0, #32]\n\t"
			 "stp xzr, xzr, [%0, #48]\n\t"
			 "stp xzr, xzr, [%0, #64]\n\t"
			 "stp xzr, xzr, [%0, #80]\n\t"
			 "stp xzr, xzr, [%0, #96]\n\t"
			 "stp xzr, xzr, [%0, #112]\n\t"
			 "stp xzr, xzr, [%0, #128]\n\t"
			 "str xzr, [%0, #144]"
			 :
			 : "r"(frame->x)
			 : "memory");
	frame->zeroed = 1;
}

static inline __attribute__((always_inline)) void arch_syscall_set_result(
	struct arch_thread *thread, struct syscall_result result)
{
	isa_frame_set_results(thread->frame, result.error, result.value);
}

static inline uint64_t arch_message_handle(const struct arch_thread *thread)
{
	return thread->frame->x[0];
}

static inline uint64_t arch_message_info(const struct arch_thread *thread)
{
	return thread->frame->x[1];
}

// Words 0 to 5 are in x2 to x7, 6 and 7 in x9 and x10.
static inline unsigned arch_message_register(unsigned index)
{
	return index < 6 ? index + 2 : index + 3;
}

static inline uint64_t arch_message_word(const struct arch_thread *thread, unsigned index)
{
	return thread->frame->x[arch_message_register(index)];
}

static inline void arch_message_set_result(
	struct arch_thread *thread, enum error error, uint64_t badge, uint64_t info)
{
	isa_frame_set_results(thread->frame, error, info);
	thread->frame->x[8] = badge;
	thread->frame->zeroed = 0;
}

static inline void arch_message_set_word(struct arch_thread *thread, unsigned index, uint64_t word)
{
	thread->frame->x[arch_message_register(index)] = word;
	thread->frame->zeroed = 0;
}

static inline uint64_t arch_program_counter(const struct arch_thread *thread)
{
	return thread->frame->pc;
}

static inline uint64_t arch_stack_pointer(const struct arch_thread *thread)
{
	return thread->frame->sp;
}

#endif

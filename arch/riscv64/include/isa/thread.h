// SPDX-License-Identifier: MIT

#ifndef ISA_THREAD_H
#define ISA_THREAD_H

enum {
	REGISTER_RA = 1,
	REGISTER_SP = 2,
	REGISTER_TP = 4,
	REGISTER_T0 = 5,
	REGISTER_T2 = 7,
	REGISTER_FP = 8,
	REGISTER_S0 = 8,
	REGISTER_A0 = 10,
	REGISTER_A1 = 11,
	REGISTER_A2 = 12,
	REGISTER_A6 = 16,
	REGISTER_A7 = 17,
	REGISTER_S2 = 18,
	REGISTER_T3 = 28,
	REGISTER_T6 = 31,
};

void isa_fpu_switch_directly(struct arch_thread *previous, struct arch_thread *next);

static inline bool arch_fpu_must_switch(
	const struct arch_cpu *cpu, const struct arch_thread *previous, const struct arch_thread *next)
{
	return cpu->fpu_owner == previous || cpu->fpu_owner == next;
}

static inline void arch_fpu_switch_directly(
	struct arch_cpu *cpu, struct arch_thread *previous, struct arch_thread *next)
{
	if (__builtin_expect(arch_fpu_must_switch(cpu, previous, next), 0))
		isa_fpu_switch_directly(previous, next);
}

static inline __attribute__((always_inline)) _Noreturn void arch_resume_directly(
	struct cpu *cpu, struct arch_thread *previous, struct arch_thread *next)
{
	register struct arch_thread *a0 __asm__("a0") = previous;
	register struct arch_thread *a1 __asm__("a1") = next;

	(void)cpu; // tp
	__asm__ volatile("j resume_directly" : : "r"(a0), "r"(a1) : "memory");
	__builtin_unreachable();
}

static inline bool arch_can_switch_directly(void)
{
	return true;
}

static inline void arch_thread_reset_context(struct arch_thread *thread, void (*entry)(void))
{
	thread->entry = entry;
}

static inline bool arch_thread_is_fresh(const struct arch_thread *thread)
{
	return thread->entry != NULL;
}

static inline uint64_t arch_syscall_number(const struct arch_thread *thread)
{
	return thread->frame->x[REGISTER_A7];
}

static inline uint64_t arch_syscall_argument(const struct arch_thread *thread, unsigned index)
{
	return thread->frame->x[REGISTER_A0 + index];
}

// All caller-saved registers but ra, which a system-call stub returns by.
static inline void isa_zero_caller_saved(struct arch_frame *frame)
{
	for (unsigned i = REGISTER_T0; i <= REGISTER_T2; i++)
		frame->x[i] = 0;
	for (unsigned i = REGISTER_A0; i <= REGISTER_A7; i++)
		frame->x[i] = 0;
	for (unsigned i = REGISTER_T3; i <= REGISTER_T6; i++)
		frame->x[i] = 0;
}

static inline void arch_syscall_set_result(struct arch_thread *thread, struct syscall_result result)
{
	isa_zero_caller_saved(thread->frame);
	thread->frame->x[REGISTER_A0] = result.error;
	thread->frame->x[REGISTER_A1] = result.value;
}

static inline uint64_t arch_message_handle(const struct arch_thread *thread)
{
	return thread->frame->x[REGISTER_A0];
}

static inline uint64_t arch_message_info(const struct arch_thread *thread)
{
	return thread->frame->x[REGISTER_A1];
}

// Words 0 to 4 are in a2 to a6, 5 to 7 in t0 to t2.
static inline unsigned isa_message_register(unsigned index)
{
	return index <= 4 ? REGISTER_A2 + index : REGISTER_T0 + index - 5;
}

static inline uint64_t arch_message_word(const struct arch_thread *thread, unsigned index)
{
	return thread->frame->x[isa_message_register(index)];
}

static inline void arch_message_set_result(
	struct arch_thread *thread, enum error error, uint64_t badge, uint64_t info)
{
	isa_zero_caller_saved(thread->frame);
	thread->frame->x[REGISTER_A0] = error;
	thread->frame->x[REGISTER_A1] = info;
	thread->frame->x[REGISTER_A7] = badge;
}

static inline void arch_message_set_word(struct arch_thread *thread, unsigned index, uint64_t word)
{
	thread->frame->x[isa_message_register(index)] = word;
}

static inline uint64_t arch_program_counter(const struct arch_thread *thread)
{
	return thread->frame->pc;
}

static inline uint64_t arch_stack_pointer(const struct arch_thread *thread)
{
	return thread->frame->x[REGISTER_SP];
}

#endif

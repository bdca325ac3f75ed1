// SPDX-License-Identifier: MIT
//
// The inline part of arch/thread.h: registers of system calls and messages in the frame.

#ifndef ISA_THREAD_H
#define ISA_THREAD_H

void fpu_switch_directly(struct arch_thread *previous, struct arch_thread *next);

static inline void arch_fpu_switch_directly(
	struct arch_cpu *cpu, struct arch_thread *previous, struct arch_thread *next)
{
	if (__builtin_expect(cpu->fpu_owner == previous || cpu->fpu_owner == next, 0))
		fpu_switch_directly(previous, next);
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

// Zeroes x0 to x18, the registers that a call need not preserve. x30 is left: stubs are leaf functions and
// return by it.
static inline void arch_zero_caller_saved(struct arch_thread *thread)
{
	for (unsigned i = 0; i <= 18; i++)
		thread->frame->x[i] = 0;
}

static inline void arch_syscall_set_result(struct arch_thread *thread, struct syscall_result result)
{
	arch_zero_caller_saved(thread);
	thread->frame->x[0] = result.error;
	thread->frame->x[1] = result.value;
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
	arch_zero_caller_saved(thread);
	thread->frame->x[0] = error;
	thread->frame->x[1] = info;
	thread->frame->x[8] = badge;
}

static inline void arch_message_set_word(struct arch_thread *thread, unsigned index, uint64_t word)
{
	thread->frame->x[arch_message_register(index)] = word;
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

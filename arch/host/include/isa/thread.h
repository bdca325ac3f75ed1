// SPDX-License-Identifier: MIT
//
// Threads on the build machine: nothing runs, but results are kept for tests to look at.

#ifndef ISA_THREAD_H
#define ISA_THREAD_H

static inline bool arch_fpu_must_switch(
	const struct arch_cpu *cpu, const struct arch_thread *previous, const struct arch_thread *next)
{
	(void)cpu;
	(void)previous;
	(void)next;
	return false;
}

static inline void arch_fpu_switch_directly(
	struct arch_cpu *cpu, struct arch_thread *previous, struct arch_thread *next)
{
	(void)cpu;
	(void)previous;
	(void)next;
}

_Noreturn static inline void arch_resume_directly(
	struct cpu *cpu, struct arch_thread *previous, struct arch_thread *next)
{
	(void)cpu;
	(void)previous;
	(void)next;
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
	return thread->frame->registers.argument[7];
}

static inline uint64_t arch_syscall_argument(const struct arch_thread *thread, unsigned index)
{
	return thread->frame->registers.argument[index];
}

static inline void arch_syscall_set_result(struct arch_thread *thread, struct syscall_result result)
{
	thread->result = result;
}

static inline uint64_t arch_message_handle(const struct arch_thread *thread)
{
	return thread->frame->registers.argument[0];
}

static inline uint64_t arch_message_info(const struct arch_thread *thread)
{
	return thread->frame->registers.argument[1];
}

static inline uint64_t arch_message_word(const struct arch_thread *thread, unsigned index)
{
	return thread->frame->registers.argument[2 + index % 4];
}

static inline void arch_message_set_result(
	struct arch_thread *thread, enum error error, uint64_t badge, uint64_t info)
{
	thread->result = (struct syscall_result){.error = (uint64_t)error, .value = badge};
	thread->frame->registers.argument[1] = info;
}

static inline void arch_message_set_word(struct arch_thread *thread, unsigned index, uint64_t word)
{
	thread->frame->registers.argument[2 + index % 4] = word;
}

static inline uint64_t arch_program_counter(const struct arch_thread *thread)
{
	return thread->frame->registers.pc;
}

static inline uint64_t arch_stack_pointer(const struct arch_thread *thread)
{
	return thread->frame->registers.sp;
}

#endif

// SPDX-License-Identifier: MIT
//
// The user frame as system calls and messages see it (tern/message.h), and fresh kernel contexts.

#ifndef ISA_THREAD_H
#define ISA_THREAD_H

#include <isa/registers.h>
#include <tern/message.h>

_Static_assert(MESSAGE_FRAME_WORDS == MESSAGE_WIDE_WORDS, "the frame has room for all register words");

void fpu_switch(struct arch_cpu *cpu, struct arch_thread *previous, const struct arch_thread *next);

// Some CPUs leave the last instruction and data pointers alone when they load a state, unless an exception is pending:
// overwrites them. On other CPUs cpu_features_init patches a jump over it into the sites.
extern const uint32_t fpu_hidden_pointer;
#define FPU_HIDE_POINTERS "fnclex; emms; fildl fpu_hidden_pointer\n\t"
#define FPU_HIDE_POINTERS_SITE                    \
	"8888: " FPU_HIDE_POINTERS "8889:\n\t"    \
	".pushsection .fpu_sites, \"a\"\n\t"      \
	".quad 8888b\n\t"                         \
	".byte 0xeb, 8889b - 8888b - 2, 0x0f\n\t" \
	".balign 8\n\t"                           \
	".popsection\n\t"

// What struct arch_thread's fpu_used can be besides 0: the sum of two says what both are.
#define FPU_USED            1
#define FPU_USED_WITH_XSAVE 0x40

static inline bool arch_fpu_must_switch(
	const struct arch_cpu *cpu, const struct arch_thread *previous, const struct arch_thread *next)
{
	(void)cpu;
	return previous->fpu_used | next->fpu_used;
}

static inline void arch_fpu_switch_directly(
	struct arch_cpu *cpu, struct arch_thread *previous, struct arch_thread *next)
{
	if (__builtin_expect(arch_fpu_must_switch(cpu, previous, next), 0))
		fpu_switch(cpu, previous, next);
}

static inline __attribute__((always_inline)) _Noreturn void arch_resume_directly(
	struct cpu *cpu, struct arch_thread *previous, struct arch_thread *next)
{
	register struct cpu *rdx __asm__("rdx") = cpu;
	register struct arch_thread *rdi __asm__("rdi") = previous;
	register struct arch_thread *rsi __asm__("rsi") = next;

	__asm__ volatile("jmp resume_directly" : : "r"(rdx), "r"(rdi), "r"(rsi) : "memory");
	__builtin_unreachable();
}

static inline bool arch_can_switch_directly(void)
{
	return cpu_features.fsgsbase;
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
	return thread->frame->rax;
}

static inline uint64_t arch_syscall_argument(const struct arch_thread *thread, unsigned index)
{
	const struct arch_frame *frame = thread->frame;

	switch (index) {
	case 0:
		return frame->rdi;
	case 1:
		return frame->rsi;
	case 2:
		return frame->rdx;
	case 3:
		return frame->r10;
	case 4:
		return frame->r8;
	default:
		return frame->r9;
	}
}

// All caller-saved registers but rcx and r11, in which SYSRET leaves the user's own rip and rflags.
static inline void isa_frame_set_results(
	struct arch_frame *frame, uint64_t rax, uint64_t rdi, uint64_t rsi, uint64_t rdx)
{
	frame->rax = rax;
	frame->rdi = rdi;
	frame->rsi = rsi;
	frame->rdx = rdx;
	frame->r10 = 0;
	frame->r8 = 0;
	frame->r9 = 0;
}

static inline void arch_syscall_set_result(struct arch_thread *thread, struct syscall_result result)
{
	isa_frame_set_results(thread->frame, result.error, 0, 0, result.value);
}

static inline uint64_t arch_message_handle(const struct arch_thread *thread)
{
	return thread->frame->rdi;
}

static inline uint64_t arch_message_info(const struct arch_thread *thread)
{
	return thread->frame->rsi;
}

static inline uint64_t arch_message_word(const struct arch_thread *thread, unsigned index)
{
	return thread->frame->message_words[index];
}

static inline void arch_message_set_result(
	struct arch_thread *thread, enum error error, uint64_t badge, uint64_t info)
{
	isa_frame_set_results(thread->frame, error, badge, info, 0);
}

static inline void arch_message_set_word(struct arch_thread *thread, unsigned index, uint64_t word)
{
	thread->frame->message_words[index] = word;
}

static inline uint64_t arch_program_counter(const struct arch_thread *thread)
{
	return thread->frame->rip;
}

static inline uint64_t arch_stack_pointer(const struct arch_thread *thread)
{
	return thread->frame->rsp;
}

#endif

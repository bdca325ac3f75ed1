// SPDX-License-Identifier: MIT
//
// Threads: their frames, user registers and kernel contexts.

#include "internal.h"
#include <arch/cpu.h>
#include <arch/thread.h>
#include <kernel/cpu.h>
#include <kernel/log.h>
#include <kernel/string.h>
#include <kernel/thread.h>

_Static_assert(offsetof(struct arch_frame, pc) == FRAME_PC, "entry.S");
_Static_assert(offsetof(struct arch_frame, x[1]) == FRAME_X(1), "entry.S");
_Static_assert(offsetof(struct arch_frame, status) == FRAME_STATUS, "entry.S");
_Static_assert(offsetof(struct arch_frame, cpu) == FRAME_CPU, "entry.S");
_Static_assert(sizeof(struct arch_frame) == FRAME_SIZE && FRAME_SIZE % 16 == 0, "entry.S");
_Static_assert(offsetof(struct arch_thread, kernel_sp) == THREAD_KERNEL_SP, "switch.S");
_Static_assert(offsetof(struct arch_thread, entry) == THREAD_ENTRY, "switch.S");
_Static_assert(offsetof(struct arch_thread, frame) == THREAD_FRAME, "switch.S");
_Static_assert(offsetof(struct arch_cpu, emergency_stack) == CPU_EMERGENCY_STACK, "entry.S");
_Static_assert(offsetof(struct arch_cpu, scratch) == CPU_SCRATCH, "entry.S");
_Static_assert(offsetof(struct cpu, handlers) == CPU_HANDLERS, "entry.S");
_Static_assert(offsetof(struct cpu, direct_calls) == CPU_DIRECT_CALLS, "entry.S");
_Static_assert(offsetof(struct thread, on_cpu) == THREAD_ON_CPU, "switch.S");
_Static_assert(offsetof(struct thread, guest) == THREAD_GUEST, "entry.S");
_Static_assert(offsetof(struct guest_state, registers.x) == FRAME_X(0), "entry.S");
_Static_assert(offsetof(struct guest_state, reason) == GUEST_REASON, "entry.S");
_Static_assert(offsetof(struct cpu, current) == CPU_CURRENT, "switch.S");
_Static_assert(offsetof(struct cpu, work) == CPU_WORK, "entry.S");
_Static_assert(offsetof(struct arch_frame, x) == offsetof(struct registers, x), "registers are copied");

void arch_thread_init(struct arch_thread *thread, vaddr_t stack_top, uint64_t entry, uint64_t stack_pointer,
	uint64_t argument, uint64_t tls_base)
{
	memset(thread, 0, sizeof(*thread));
	thread->frame = (struct arch_frame *)(stack_top - sizeof(struct arch_frame));
	memset(thread->frame, 0, sizeof(*thread->frame));
	thread->frame->pc = entry;
	thread->frame->x[REGISTER_SP] = stack_pointer;
	thread->frame->x[REGISTER_TP] = tls_base;
	thread->frame->x[REGISTER_A0] = argument;
}

void arch_thread_init_kernel(struct arch_thread *thread, vaddr_t stack_top, void (*entry)(void))
{
	arch_thread_init(thread, stack_top, 0, 0, 0, 0);
	thread->entry = entry;
}

void arch_context_switch(struct arch_thread *previous, struct arch_thread *next)
{
	isa_fpu_switch(previous, next);
	next->frame->cpu = isa_cpu();
	isa_switch(previous, next);
}

_Noreturn void arch_enter_user(struct arch_thread *thread)
{
	thread->frame->cpu = isa_cpu();
	isa_enter_user(thread->frame);
}

uint64_t arch_tls_get(struct arch_thread *thread)
{
	return thread->frame->x[REGISTER_TP];
}

void arch_tls_set(struct arch_thread *thread, uint64_t base)
{
	thread->frame->x[REGISTER_TP] = base;
}

static inline __attribute__((always_inline)) void copy_words(
	uint64_t *to, const uint64_t *from, unsigned count)
{
#pragma GCC unroll 32
	for (unsigned i = 0; i < count; i++)
		to[i] = from[i];
}

void arch_registers_get(struct arch_thread *thread, struct registers *registers)
{
	registers->pc = thread->frame->pc;
	copy_words(registers->x + 1, thread->frame->x + 1, 31);
	registers->x[0] = 0;
}

bool arch_registers_set(struct arch_thread *thread, const struct registers *registers)
{
	uint64_t pc = __atomic_load_n(&registers->pc, __ATOMIC_RELAXED);

	if (pc >= ARCH_USER_END)
		return false;
	thread->frame->pc = pc & ~(uint64_t)1;
	copy_words(thread->frame->x + 1, registers->x + 1, 31);
	return true;
}

void arch_guest_begin(struct arch_cpu *cpu, struct arch_thread *thread)
{
	thread->frame--;
	thread->frame->cpu = cpu;
}

void arch_guest_end(struct arch_cpu *cpu, struct arch_thread *thread)
{
	thread->frame++;
	thread->frame->cpu = cpu;
}

bool arch_guest_begin_directly(
	struct arch_cpu *cpu, struct arch_thread *thread, const struct registers *registers)
{
	uint64_t pc = __atomic_load_n(&registers->pc, __ATOMIC_RELAXED);

	if (pc / ARCH_USER_END != 0)
		return false;
	csr_write(sepc, pc & ~(uint64_t)1);
	arch_guest_begin(cpu, thread);
	return true;
}

void arch_guest_end_directly(struct arch_cpu *cpu, struct arch_thread *thread, struct registers *registers)
{
	(void)registers;
	arch_guest_end(cpu, thread);
}

void arch_frame_log(const struct arch_frame *frame)
{
	static const char names[32][4] = {"", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0",
		"a1", "a2", "a3", "a4", "a5", "a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9",
		"s10", "s11", "t3", "t4", "t5", "t6"};

	log_error(
		"pc  %016llx status %llx", (unsigned long long)frame->pc, (unsigned long long)frame->status);
	for (unsigned i = 1; i < 31; i += 3)
		log_error("%-3s %016llx %-3s %016llx %-3s %016llx", names[i], (unsigned long long)frame->x[i],
			names[i + 1], (unsigned long long)frame->x[i + 1], names[i + 2],
			(unsigned long long)frame->x[i + 2]);
	log_error("%-3s %016llx", names[31], (unsigned long long)frame->x[31]);
}

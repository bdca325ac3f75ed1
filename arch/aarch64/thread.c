// SPDX-License-Identifier: MIT
//
// Threads: their first frame, and access to their registers.

#include <arch/thread.h>
#include <isa/internal.h>
#include <isa/offsets.h>
#include <isa/registers.h>
#include <kernel/assert.h>
#include <kernel/log.h>
#include <kernel/thread.h>

// Software step (Arm ARM, D2.12). A thread whose registers have this is stepped until they are written without. In its frame
// the bit goes with each instruction; HINDRANCE_STEP remembers what was asked for.
#define PSTATE_STEP ((uint64_t)1 << PSTATE_STEP_BIT)

_Static_assert(sizeof(struct arch_frame) == FRAME_SIZE, "offsets.h");
_Static_assert(offsetof(struct arch_frame, x[19]) == FRAME_X19, "offsets.h");
_Static_assert(offsetof(struct arch_frame, x[27]) == FRAME_X27, "offsets.h");
_Static_assert(offsetof(struct arch_frame, x[29]) == FRAME_X29, "offsets.h");
_Static_assert(offsetof(struct arch_frame, x[30]) == FRAME_X30, "offsets.h");
_Static_assert(offsetof(struct arch_frame, sp) == FRAME_SP, "offsets.h");
_Static_assert(offsetof(struct arch_frame, pc) == FRAME_PC, "offsets.h");
_Static_assert(offsetof(struct arch_frame, pstate) == FRAME_PSTATE, "offsets.h");
_Static_assert(offsetof(struct arch_frame, zeroed) == FRAME_ZEROED, "offsets.h");
_Static_assert(offsetof(struct arch_thread, frame) == THREAD_FRAME, "offsets.h");
_Static_assert(offsetof(struct arch_thread, kernel_sp) == THREAD_KERNEL_SP, "offsets.h");
_Static_assert(offsetof(struct arch_thread, fresh_entry) == THREAD_FRESH_ENTRY, "offsets.h");
_Static_assert(offsetof(struct arch_thread, tls) == THREAD_TLS, "offsets.h");
_Static_assert(offsetof(struct arch_cpu, fpu_owner) == CPU_FPU_OWNER, "offsets.h");
_Static_assert(offsetof(struct arch_cpu, emergency_stack) == CPU_EMERGENCY_STACK, "offsets.h");
_Static_assert(offsetof(struct arch_cpu, boot_stack) == CPU_BOOT_STACK, "offsets.h");
_Static_assert(offsetof(struct arch_cpu, zeros) == CPU_ZEROS, "offsets.h");
_Static_assert(offsetof(struct cpu, handlers) == CPU_HANDLERS, "offsets.h");
_Static_assert(offsetof(struct cpu, direct_calls) == CPU_DIRECT_CALLS, "offsets.h");
_Static_assert(offsetof(struct thread, hindrances) == THREAD_HINDRANCES, "offsets.h");
_Static_assert(offsetof(struct thread, on_cpu) == THREAD_ON_CPU, "offsets.h");
_Static_assert(HINDRANCE_STEP == 1 << HINDRANCE_STEP_BIT, "offsets.h");
_Static_assert(offsetof(struct thread, guest) == THREAD_GUEST, "offsets.h");
_Static_assert(offsetof(struct guest_state, registers.x) == GUEST_X(0), "offsets.h");
_Static_assert(offsetof(struct guest_state, registers.pc) == GUEST_PC, "offsets.h");
_Static_assert(offsetof(struct guest_state, registers.tpidr) == GUEST_TPIDR, "offsets.h");
_Static_assert(offsetof(struct guest_state, reason) == GUEST_TPIDR + 8, "offsets.h");
_Static_assert(offsetof(struct thread, arch.host_tls) == THREAD_HOST_TLS, "offsets.h");
_Static_assert(offsetof(struct thread, space) == THREAD_SPACE, "offsets.h");
_Static_assert(offsetof(struct thread, guest_space) == THREAD_GUEST_SPACE, "offsets.h");
_Static_assert(offsetof(struct thread, guest_state) == THREAD_GUEST_STATE, "offsets.h");
_Static_assert(offsetof(struct thread, kicked) == THREAD_KICKED, "offsets.h");
_Static_assert(offsetof(struct arch_address_space, root) == 0, "entry.S");
_Static_assert(offsetof(struct arch_address_space, asid) == 8, "entry.S");
_Static_assert(offsetof(struct arch_cpu, asid_active) == CPU_ASID_ACTIVE, "offsets.h");
_Static_assert(offsetof(struct arch_cpu, asid_generation) == CPU_ASID_GENERATION, "offsets.h");
_Static_assert(offsetof(struct cpu, address_space) == CPU_ADDRESS_SPACE, "offsets.h");
_Static_assert(offsetof(struct cpu, current) == CPU_CURRENT, "offsets.h");
_Static_assert(offsetof(struct cpu, work) == CPU_WORK, "offsets.h");

static bool is_current(const struct arch_thread *thread)
{
	return thread == (struct arch_thread *)thread_current();
}

void arch_thread_init(struct arch_thread *thread, vaddr_t stack_top, uint64_t entry, uint64_t stack_pointer,
	uint64_t argument, uint64_t tls_base)
{
	struct fpu_state *fpu = (struct fpu_state *)stack_top - 1;

	*fpu = (struct fpu_state){0};
	*thread = (struct arch_thread){
		.frame = (struct arch_frame *)fpu - 1,
		.tls = tls_base,
		.fpu = fpu,
	};
	*thread->frame = (struct arch_frame){
		.x = {argument},
		.sp = stack_pointer,
		.pc = entry,
		.pstate = PSTATE_USER,
	};
}

void arch_thread_init_kernel(struct arch_thread *thread, vaddr_t stack_top, void (*entry)(void))
{
	*thread = (struct arch_thread){
		.frame = (struct arch_frame *)stack_top - 1,
		.fresh_entry = entry,
	};
}

uint64_t arch_tls_get(struct arch_thread *thread)
{
	return is_current(thread) ? read_system_register(tpidr_el0) : thread->tls;
}

void arch_tls_set(struct arch_thread *thread, uint64_t base)
{
	if (is_current(thread))
		write_system_register(tpidr_el0, base);
	else
		thread->tls = base;
}

static inline bool is_stepped(const struct arch_thread *thread)
{
	return atomic_load_explicit(&((const struct thread *)thread)->hindrances, memory_order_relaxed) &
		HINDRANCE_STEP;
}

static void set_stepped(struct arch_thread *arch, bool stepped)
{
	struct thread *thread = (struct thread *)arch;

	if (stepped)
		thread_hinder(thread, HINDRANCE_STEP);
	else
		thread_unhinder(thread, HINDRANCE_STEP);
	// Others are told when they are switched to.
	if (is_current(arch)) {
		write_system_register(mdscr_el1, (uint64_t)(MDSCR_USER | (stepped ? MDSCR_STEP : 0)));
		cpu_set_work(cpu_self());
	}
}

// The thread's frame has got this.
static inline void follow_pstate(struct arch_thread *thread, uint64_t pstate)
{
	bool stepped = pstate & PSTATE_STEP;

	if (__builtin_expect(stepped != is_stepped(thread), 0))
		set_stepped(thread, stepped);
}

// In the frame it says whether the next step is still to be done.
static inline uint64_t asked_pstate(const struct arch_thread *thread)
{
	return thread->frame->pstate | (is_stepped(thread) ? PSTATE_STEP : 0);
}

bool thread_step_done(void)
{
	struct arch_thread *thread = &thread_current()->arch;

	if (!is_stepped(thread)) {
		write_system_register(mdscr_el1, (uint64_t)MDSCR_USER);
		return false;
	}
	thread->frame->pstate = asked_pstate(thread);
	return true;
}

// A pair at a time, as the CPU loads and stores them. `count` is even.
static inline __attribute__((always_inline)) void copy_pairs(
	uint64_t *to, const uint64_t *from, unsigned count)
{
#pragma GCC unroll 16
	for (unsigned i = 0; i < count; i += 2) {
		uint64_t first = from[i], second = from[i + 1];

		to[i] = first;
		to[i + 1] = second;
	}
}

_Static_assert(offsetof(struct registers, sp) == offsetof(struct arch_frame, sp), "x and sp are copied");

void arch_registers_get(struct arch_thread *thread, struct registers *registers)
{
	const struct arch_frame *frame = thread->frame;

	copy_pairs(registers->x, frame->x, 32);
	registers->pc = frame->pc;
	registers->pstate = asked_pstate(thread) & (PSTATE_USER_BITS | PSTATE_STEP);
	registers->tpidr = arch_tls_get(thread);
}

bool arch_registers_set(struct arch_thread *thread, const struct registers *registers)
{
	struct arch_frame *frame = thread->frame;
	uint64_t pc = __atomic_load_n(&registers->pc, __ATOMIC_RELAXED);

	if (pc >= ARCH_USER_END)
		return false;
	copy_pairs(frame->x, registers->x, 32);
	frame->zeroed = 0;
	frame->pc = pc;
	frame->pstate = (registers->pstate & (PSTATE_USER_BITS | PSTATE_STEP)) | PSTATE_USER;
	follow_pstate(thread, frame->pstate);
	arch_tls_set(thread, registers->tpidr);
	return true;
}

void arch_guest_begin(struct arch_cpu *cpu, struct arch_thread *thread)
{
	(void)cpu;
	thread->host_tls = read_system_register(tpidr_el0);
	if (is_stepped(thread))
		thread_step_done();
	thread->frame--;
}

void arch_guest_end(struct arch_cpu *cpu, struct arch_thread *thread)
{
	(void)cpu;
	thread->frame++;
	if ((thread->frame->pstate & PSTATE_STEP) || is_stepped(thread))
		follow_pstate(thread, thread->frame->pstate);
	write_system_register(tpidr_el0, thread->host_tls);
}

// Assembly does what is usual without these two.
bool arch_guest_begin_directly(
	struct arch_cpu *cpu, struct arch_thread *thread, const struct registers *registers)
{
	(void)cpu;
	(void)thread;
	(void)registers;
	return false;
}

void arch_guest_end_directly(struct arch_cpu *cpu, struct arch_thread *thread, struct registers *registers)
{
	registers->pstate |= is_stepped(thread) ? PSTATE_STEP : 0;
	arch_guest_end(cpu, thread);
}

void arch_frame_log(const struct arch_frame *frame)
{
	log_error("pc  %016lx  sp  %016lx  pstate %08lx", frame->pc, frame->sp, frame->pstate);
	for (unsigned i = 0; i < 30; i += 3)
		log_error("x%-2u %016lx  x%-2u %016lx  x%-2u %016lx", i, frame->x[i], i + 1, frame->x[i + 1],
			i + 2, frame->x[i + 2]);
	log_error("x30 %016lx", frame->x[30]);
}

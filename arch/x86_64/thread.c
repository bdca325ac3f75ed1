// SPDX-License-Identifier: MIT
//
// Threads: frames, user registers and segment bases, context switch.

#include <arch/cpu.h>
#include <arch/thread.h>
#include <isa/internal.h>
#include <isa/registers.h>
#include <kernel/assert.h>
#include <kernel/cpu.h>
#include <kernel/log.h>
#include <kernel/string.h>
#include <kernel/thread.h>

// What asm.h says.
#define AT(type, member, offset) (offsetof(struct type, member) == (offset))
_Static_assert(AT(arch_frame, rbx, FRAME_RBX) && AT(arch_frame, rbp, FRAME_RBP) &&
		AT(arch_frame, rdx, FRAME_RDX) && AT(arch_frame, r10, FRAME_R10) &&
		AT(arch_frame, r8, FRAME_R8) && AT(arch_frame, r9, FRAME_R9) &&
		AT(arch_frame, r12, FRAME_R12) && AT(arch_frame, r13, FRAME_R13) &&
		AT(arch_frame, r14, FRAME_R14) && AT(arch_frame, r15, FRAME_R15) &&
		AT(arch_frame, rsi, FRAME_RSI) && AT(arch_frame, rdi, FRAME_RDI) &&
		AT(arch_frame, rax, FRAME_RAX) && AT(arch_frame, r11, FRAME_R11) &&
		AT(arch_frame, vector, FRAME_VECTOR) && AT(arch_frame, rip, FRAME_RIP) &&
		AT(arch_frame, rflags, FRAME_RFLAGS) && AT(arch_frame, cs, FRAME_CS) &&
		AT(arch_frame, rsp, FRAME_RSP) && AT(arch_cpu, self, CPU_SELF) &&
		AT(arch_cpu, frame, CPU_FRAME) && AT(arch_cpu, user_stack, CPU_USER_STACK) &&
		AT(arch_thread, fs_base, THREAD_FS_BASE) && AT(arch_thread, gs_base, THREAD_GS_BASE) &&
		AT(arch_thread, stack_pointer, THREAD_STACK_POINTER) &&
		AT(arch_thread, entry, THREAD_ENTRY) && AT(arch_thread, frame, THREAD_FRAME) &&
		AT(thread, on_cpu, THREAD_ON_CPU) && AT(thread, guest, THREAD_GUEST) &&
		AT(cpu, current, CPU_CURRENT) && AT(cpu, direct_calls, CPU_DIRECT_CALLS) &&
		AT(cpu, work, CPU_WORK) && AT(guest_state, registers.r15, GUEST_REGISTER(15)) &&
		AT(guest_state, registers.rflags, GUEST_REGISTER(17)) &&
		AT(guest_state, reason, GUEST_REASON) &&
		AT(arch_cpu, task_state, CPU_RSP0 - offsetof(struct task_state, rsp)) &&
		sizeof(struct arch_frame) == FRAME_SIZE && FRAME_SIZE % 16 == 0,
	"asm.h");

// What user mode may choose in rflags.
#define RFLAGS_USER                                                                               \
	(RFLAGS_CARRY | RFLAGS_PARITY | RFLAGS_ADJUST | RFLAGS_ZERO | RFLAGS_SIGN | RFLAGS_TRAP | \
		RFLAGS_DIRECTION | RFLAGS_OVERFLOW | RFLAGS_ALIGNMENT | RFLAGS_ID)
#define RFLAGS_FIXED (RFLAGS_ONE | RFLAGS_INTERRUPT_FLAG)

// --- Segment bases

// The user's GS base lies in MSR_KERNEL_GS_BASE while the kernel runs. Without FSGSBASE user mode cannot
// change a base but by loading a selector, which the next switch undoes.
static void save_bases(struct arch_thread *thread)
{
	if (cpu_features.fsgsbase)
		__asm__ volatile("rdfsbase %0\n\t"
				 "swapgs\n\t"
				 "rdgsbase %1\n\t"
				 "swapgs"
				 : "=r"(thread->fs_base), "=r"(thread->gs_base)
				 :
				 : "memory");
}

static void load_bases(const struct arch_thread *thread)
{
	if (cpu_features.fsgsbase) {
		__asm__ volatile("wrfsbase %0\n\t"
				 "swapgs\n\t"
				 "wrgsbase %1\n\t"
				 "swapgs"
				 :
				 : "r"(thread->fs_base), "r"(thread->gs_base)
				 : "memory");
	} else {
		write_msr(MSR_FS_BASE, thread->fs_base);
		write_msr(MSR_KERNEL_GS_BASE, thread->gs_base);
	}
}

// User mode can load data segment selectors, which mean nothing in 64-bit mode: the next thread must not see
// them.
static void clear_selectors(void)
{
	uint32_t ds, es, fs, gs;

	__asm__ volatile("movl %%ds, %0; movl %%es, %1; movl %%fs, %2; movl %%gs, %3"
			 : "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs));
	if (__builtin_expect((ds | es | fs | gs) == 0, 1))
		return;
	// Loading GS in the user's place: its base may change, the kernel's must not.
	__asm__ volatile("movl %0, %%ds; movl %0, %%es; movl %0, %%fs\n\t"
			 "swapgs; movl %0, %%gs; swapgs"
			 :
			 : "r"(0)
			 : "memory");
}

static bool is_current(const struct arch_thread *thread)
{
	return isa_thread() == thread;
}

static bool is_canonical(uint64_t address)
{
	return (uint64_t)((int64_t)(address << 16) >> 16) == address;
}

uint64_t arch_tls_get(struct arch_thread *thread)
{
	if (is_current(thread))
		save_bases(thread);
	return thread->fs_base;
}

void arch_tls_set(struct arch_thread *thread, uint64_t base)
{
	if (is_current(thread))
		save_bases(thread);
	thread->fs_base = is_canonical(base) ? base : 0;
	if (is_current(thread))
		load_bases(thread);
}

// --- Threads

void arch_thread_init(struct arch_thread *thread, vaddr_t stack_top, uint64_t entry, uint64_t stack_pointer,
	uint64_t argument, uint64_t tls_base)
{
	struct arch_frame *frame = (struct arch_frame *)stack_top - 1;

	assert(stack_top % 16 == 0);
	memset(thread, 0, sizeof(*thread));
	thread->frame = frame;
	thread->fs_base = is_canonical(tls_base) ? tls_base : 0;
	*frame = (struct arch_frame){
		.rip = entry,
		.rsp = stack_pointer,
		.rdi = argument,
		.rflags = RFLAGS_FIXED,
		.cs = SELECTOR_USER_CODE,
		.ss = SELECTOR_USER_DATA,
	};
}

void arch_thread_init_kernel(struct arch_thread *thread, vaddr_t stack_top, void (*entry)(void))
{
	memset(thread, 0, sizeof(*thread));
	thread->frame = (struct arch_frame *)stack_top - 1;
	thread->entry = entry;
}

static void set_frame(struct arch_cpu *cpu, struct arch_thread *thread, struct arch_frame *frame)
{
	thread->frame = frame;
	cpu->frame = frame;
	cpu->task_state.rsp[0] = (uintptr_t)(frame + 1);
}

void arch_context_switch(struct arch_thread *previous, struct arch_thread *next)
{
	struct arch_cpu *cpu = isa_cpu_self();

	assert(!arch_irq_enabled());
	save_bases(previous);
	clear_selectors();
	load_bases(next);
	fpu_switch(cpu, previous, next);
	set_frame(cpu, next, next->frame);
	switch_stacks(previous, next);
}

// --- Registers

// Those that the frame and struct registers have by the same name, and that any value fits in.
#define FOR_EACH_REGISTER(DO) \
	DO(rax)               \
	DO(rbx)               \
	DO(rcx)               \
	DO(rdx) DO(rsi) DO(rdi) DO(rbp) DO(rsp) DO(r8) DO(r9) DO(r10) DO(r11) DO(r12) DO(r13) DO(r14) DO(r15)

void arch_registers_get(struct arch_thread *thread, struct registers *registers)
{
	const struct arch_frame *frame = thread->frame;

	if (is_current(thread))
		save_bases(thread);
#define GET(name) registers->name = frame->name;
	FOR_EACH_REGISTER(GET)
#undef GET
	registers->rip = frame->rip;
	registers->rflags = frame->rflags;
	if (frame->vector == FRAME_SYSCALL) {
		registers->rcx = frame->rip;
		registers->r11 = frame->rflags;
	}
	registers->fs_base = thread->fs_base;
	registers->gs_base = thread->gs_base;
}

// Of memory that others write.
static uint64_t read_once(const uint64_t *value)
{
	return __atomic_load_n(value, __ATOMIC_RELAXED);
}

bool arch_registers_set(struct arch_thread *thread, const struct registers *registers)
{
	struct arch_frame *frame = thread->frame;
	uint64_t rip = read_once(&registers->rip);
	uint64_t fs_base = read_once(&registers->fs_base), gs_base = read_once(&registers->gs_base);

	if (rip >= ARCH_USER_END || !is_canonical(fs_base) || !is_canonical(gs_base))
		return false;
#define SET(name) frame->name = registers->name;
	FOR_EACH_REGISTER(SET)
#undef SET
	frame->rip = rip;
	frame->rflags = (registers->rflags & RFLAGS_USER) | RFLAGS_FIXED;
	frame->cs = SELECTOR_USER_CODE;
	frame->ss = SELECTOR_USER_DATA;
	// SYSRET loads rip and rflags from rcx and r11; where they differ it must be IRET.
	frame->vector = frame->rcx == rip && frame->r11 == frame->rflags ? FRAME_SYSCALL : 0;
	thread->fs_base = fs_base;
	thread->gs_base = gs_base;
	if (is_current(thread))
		load_bases(thread);
	return true;
}

void arch_guest_begin(struct arch_cpu *cpu, struct arch_thread *thread)
{
	save_bases(thread);
	thread->host_fs_base = thread->fs_base;
	thread->host_gs_base = thread->gs_base;
	set_frame(cpu, thread, thread->frame - 1);
}

void arch_guest_end(struct arch_cpu *cpu, struct arch_thread *thread)
{
	set_frame(cpu, thread, thread->frame + 1);
	thread->fs_base = thread->host_fs_base;
	thread->gs_base = thread->host_gs_base;
	load_bases(thread);
}

// Both bases at once: what was there goes to `old_fs` and `old_gs`.
static void exchange_bases(
	struct arch_thread *thread, uint64_t fs_base, uint64_t gs_base, uint64_t *old_fs, uint64_t *old_gs)
{
	uint64_t old;

	if (!cpu_features.fsgsbase) {
		*old_fs = thread->fs_base;
		*old_gs = thread->gs_base;
		thread->fs_base = fs_base;
		thread->gs_base = gs_base;
		load_bases(thread);
		return;
	}
	__asm__ volatile("rdfsbase %0" : "=r"(old));
	*old_fs = old;
	__asm__ volatile("wrfsbase %1; swapgs; rdgsbase %0; wrgsbase %2; swapgs"
			 : "=&r"(old)
			 : "r"(fs_base), "r"(gs_base)
			 : "memory");
	*old_gs = old;
}

// SYSRET loads rip and rflags from rcx and r11.
bool arch_guest_begin_directly(
	struct arch_cpu *cpu, struct arch_thread *thread, const struct registers *registers)
{
	uint64_t rip = read_once(&registers->rip);
	uint64_t rflags = (read_once(&registers->rflags) & RFLAGS_USER) | RFLAGS_FIXED;
	uint64_t fs_base = read_once(&registers->fs_base), gs_base = read_once(&registers->gs_base);
	struct arch_frame *frame = thread->frame - 1;

	if ((rip | fs_base | gs_base) >= ARCH_USER_END || registers->rcx != rip || registers->r11 != rflags)
		return false;
	frame->rip = rip;
	frame->rflags = rflags;
	exchange_bases(thread, fs_base, gs_base, &thread->host_fs_base, &thread->host_gs_base);
	set_frame(cpu, thread, frame);
	return true;
}

void arch_guest_end_directly(struct arch_cpu *cpu, struct arch_thread *thread, struct registers *registers)
{
	exchange_bases(
		thread, thread->host_fs_base, thread->host_gs_base, &registers->fs_base, &registers->gs_base);
	set_frame(cpu, thread, thread->frame + 1);
}

void arch_frame_log(const struct arch_frame *frame)
{
	log_error("  rip %016lx  cs  %016lx  rflags %08lx", frame->rip, frame->cs, frame->rflags);
	log_error("  rsp %016lx  rbp %016lx  vector %lu, error code %lx", frame->rsp, frame->rbp,
		frame->vector, frame->error_code);
	log_error("  rax %016lx  rbx %016lx  rcx %016lx", frame->rax, frame->rbx, frame->rcx);
	log_error("  rdx %016lx  rsi %016lx  rdi %016lx", frame->rdx, frame->rsi, frame->rdi);
	log_error("  r8  %016lx  r9  %016lx  r10 %016lx", frame->r8, frame->r9, frame->r10);
	log_error("  r11 %016lx  r12 %016lx  r13 %016lx", frame->r11, frame->r12, frame->r13);
	log_error("  r14 %016lx  r15 %016lx  cr2 %016lx", frame->r14, frame->r15, read_cr2());
}

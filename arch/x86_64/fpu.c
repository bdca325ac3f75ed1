// SPDX-License-Identifier: MIT
//
// The FPU: x87, SSE and AVX state. A thread that has never used it runs with CR0.TS set, and its first use
// traps; those that use it have their state saved when they are switched out and loaded when they are
// switched in.

#include <arch/cpu.h>
#include <arch/thread.h>
#include <isa/internal.h>
#include <isa/registers.h>
#include <kernel/assert.h>
#include <kernel/string.h>

#define STATE_X87_SSE ((uint64_t)3)
#define STATE_AVX     ((uint64_t)4)

#define CONTROL_WORD 0x037f // all x87 exceptions masked, 64-bit precision
#define MXCSR        0x1f80 // all SSE exceptions masked
#define MXCSR_MASK   0xffbf // where FXSAVE says 0

// Intel SDM volume 1, 10.5.1 and 13.4.
struct fxsave_area {
	uint16_t control_word;
	uint8_t unused0[22];
	uint32_t mxcsr;
	uint32_t mxcsr_mask;
	uint8_t registers[480];
};

struct xsave_area {
	struct fxsave_area legacy;
	uint64_t components; // XSTATE_BV
	uint64_t compaction; // XCOMP_BV
	uint64_t reserved[6];
	uint8_t avx[256];
};

_Static_assert(sizeof(struct fxsave_area) == 512, "as FXSAVE has it");
_Static_assert(sizeof(struct xsave_area) == FPU_STATE_SIZE, "as XSAVE has it");

static uint64_t components; // XCR0; 0: without XSAVE
static uint32_t mxcsr_mask;
static alignas(FPU_STATE_ALIGN) struct xsave_area initial_state;
const uint32_t fpu_hidden_pointer = 0;

static uint8_t used(void)
{
	return components != 0 ? FPU_USED_WITH_XSAVE : FPU_USED;
}

static void save(void *state)
{
	if (components != 0)
		__asm__ volatile("xsave64 (%0)" : : "r"(state), "a"((uint32_t)components), "d"(0) : "memory");
	else
		__asm__ volatile("fxsave64 (%0)" : : "r"(state) : "memory");
}

static void load(const void *state)
{
	if (cpu_features.fpu_pointers_leak)
		__asm__ volatile(FPU_HIDE_POINTERS);
	if (components != 0)
		__asm__ volatile("xrstor64 (%0)"
				 :
				 : "r"(state), "a"((uint32_t)components), "d"(0)
				 : "memory");
	else
		__asm__ volatile("fxrstor64 (%0)" : : "r"(state) : "memory");
}

static void set_disabled(struct arch_cpu *cpu, bool disabled)
{
	if (cpu->fpu_disabled == disabled)
		return;
	if (disabled)
		write_cr0(read_cr0() | CR0_TASK_SWITCHED);
	else
		__asm__ volatile("clts" : : : "memory");
	cpu->fpu_disabled = disabled;
}

void fpu_init_cpu(void)
{
	if (cpu_features.xsave) {
		components = STATE_X87_SSE | (cpu_features.avx ? STATE_AVX : 0);
		__asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)components), "d"(0));
	}
	if (mxcsr_mask == 0) {
		__asm__ volatile("clts; fninit; fxsave64 %0" : "=m"(initial_state.legacy));
		mxcsr_mask = initial_state.legacy.mxcsr_mask ? initial_state.legacy.mxcsr_mask : MXCSR_MASK;
		initial_state = (struct xsave_area){
			.legacy = {.control_word = CONTROL_WORD, .mxcsr = MXCSR, .mxcsr_mask = mxcsr_mask},
		};
		write_cr0(read_cr0() | CR0_TASK_SWITCHED);
	}
}

bool fpu_first_use(void)
{
	struct arch_cpu *cpu = isa_cpu_self();

	if (isa_thread()->fpu_used)
		return false;
	arch_fpu_reset(isa_thread());
	isa_thread()->fpu_used = used();
	set_disabled(cpu, false);
	load(isa_thread()->fpu);
	return true;
}

void fpu_switch(struct arch_cpu *cpu, struct arch_thread *previous, const struct arch_thread *next)
{
	if (previous->fpu_used)
		save(previous->fpu);
	set_disabled(cpu, !next->fpu_used);
	if (next->fpu_used)
		load(next->fpu);
}

// Nothing is left behind: the state was saved when the thread was switched out.
void arch_fpu_release(struct arch_thread *thread)
{
	(void)thread;
}

size_t arch_fpu_size(void)
{
	if (components & STATE_AVX)
		return sizeof(struct xsave_area);
	return components != 0 ? offsetof(struct xsave_area, avx) : sizeof(struct fxsave_area);
}

void arch_fpu_get(struct arch_thread *thread, void *state)
{
	assert(thread == isa_thread());
	if (thread->fpu_used)
		save(thread->fpu);
	memcpy(state, thread->fpu_used ? thread->fpu : (const void *)&initial_state, arch_fpu_size());
}

bool arch_fpu_set(struct arch_thread *thread, const void *state)
{
	struct xsave_area checked = {0};

	assert(thread == isa_thread());
	memcpy(&checked, state, arch_fpu_size());
	if ((checked.legacy.mxcsr & ~mxcsr_mask) || (checked.components & ~components) ||
		checked.compaction != 0)
		return false;
	for (unsigned i = 0; i < sizeof(checked.reserved) / sizeof(checked.reserved[0]); i++) {
		if (checked.reserved[i] != 0)
			return false;
	}
	memcpy(thread->fpu, &checked, sizeof(checked));
	thread->fpu_used = used();
	set_disabled(isa_cpu_self(), false);
	load(thread->fpu);
	return true;
}

// The first use after it finds the state initial.
void arch_fpu_reset(struct arch_thread *thread)
{
	thread->fpu_used = 0;
	memcpy(thread->fpu, &initial_state, sizeof(initial_state));
	if (thread == isa_thread())
		set_disabled(isa_cpu_self(), true);
}

// SPDX-License-Identifier: MIT
//
// The FPU. Its registers stay where they are when their owner is switched out; the FPU is on only while the
// owner runs. Another thread's first use traps, saves the owner's registers and takes over.

#include <arch/thread.h>
#include <isa/internal.h>
#include <isa/offsets.h>
#include <isa/registers.h>

// What FPSR and FPCR can hold, what only AArch32 uses included (Arm ARM, C5.2).
#define STATUS_BITS  0xf800009fu
#define CONTROL_BITS 0x07ff9f07u

static void fpu_enable(bool on)
{
	write_system_register(cpacr_el1, on ? CPACR_FPU : 0);
	instruction_barrier();
}

// The registers go to memory; their owner still owns them. Leaves the FPU on.
static void save_owner(struct arch_cpu *cpu)
{
	fpu_enable(true);
	fpu_save_registers(cpu->fpu_owner->fpu);
}

void fpu_first_use(void)
{
	struct arch_cpu *cpu = this_cpu();
	struct arch_thread *thread = (struct arch_thread *)thread_current();

	if (cpu->fpu_owner != NULL)
		save_owner(cpu);
	fpu_enable(true);
	fpu_load_registers(thread->fpu);
	cpu->fpu_owner = thread;
}

// Ends the ownership of a thread's registers in this CPU, saved before or not.
static void disown(struct arch_cpu *cpu)
{
	cpu->fpu_owner = NULL;
	fpu_enable(false);
}

void arch_fpu_release(struct arch_thread *thread)
{
	struct arch_cpu *cpu = this_cpu();

	if (cpu->fpu_owner == thread) {
		save_owner(cpu);
		disown(cpu);
	}
}

// Where threads can move, none leaves its registers behind in a CPU. The return to user mode makes it take effect.
void fpu_switch_directly(struct arch_thread *previous, struct arch_thread *next)
{
	if (cpu_count > 1)
		arch_fpu_release(previous);
	write_system_register(cpacr_el1, this_cpu()->fpu_owner == next ? CPACR_FPU : 0);
}

size_t arch_fpu_size(void)
{
	return sizeof(struct fpu_state);
}

void arch_fpu_get(struct arch_thread *thread, void *state)
{
	struct arch_cpu *cpu = this_cpu();

	if (cpu->fpu_owner == thread)
		save_owner(cpu);
	__builtin_memcpy(state, thread->fpu, sizeof(struct fpu_state));
}

bool arch_fpu_set(struct arch_thread *thread, const void *state)
{
	struct arch_cpu *cpu = this_cpu();
	struct fpu_state copy;

	__builtin_memcpy(&copy, state, sizeof(copy));
	if ((copy.status & ~STATUS_BITS) != 0 || (copy.control & ~CONTROL_BITS) != 0 || copy.reserved != 0)
		return false;
	if (cpu->fpu_owner == thread)
		disown(cpu);
	*thread->fpu = copy;
	return true;
}

void arch_fpu_reset(struct arch_thread *thread)
{
	struct arch_cpu *cpu = this_cpu();

	if (cpu->fpu_owner == thread)
		disown(cpu);
	*thread->fpu = (struct fpu_state){0};
}

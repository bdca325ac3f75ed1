// SPDX-License-Identifier: MIT
//
// The FPU: off (sstatus.FS) for a thread until it uses it. The registers of the thread that used it last stay
// in the hart until another thread there wants them, or their owner leaves: arch_cpu.fpu_owner says whose
// they are.

#include "internal.h"
#include <arch/cpu.h>
#include <arch/thread.h>
#include <kernel/assert.h>
#include <kernel/cpu.h>
#include <kernel/string.h>

#define FCSR_DEFINED 0xff // rounding mode and flags

void isa_fpu_store(struct arch_fpu_state *state);
void isa_fpu_load(const struct arch_fpu_state *state);

static void set_status(uint64_t status)
{
	csr_clear(sstatus, SSTATUS_FS);
	csr_set(sstatus, status);
}

// Notes what the hardware has found about the owner's registers since they were last clean.
static void note_dirty(struct arch_thread *owner)
{
	if ((csr_read(sstatus) & SSTATUS_FS) == SSTATUS_FS_DIRTY)
		owner->fpu_dirty = true;
}

// Makes the owner's copy in memory the truth as well.
static void write_back(struct arch_thread *owner)
{
	if (!owner->fpu_dirty)
		return;
	csr_set(sstatus, SSTATUS_FS_CLEAN);
	isa_fpu_store(&owner->fpu);
	owner->fpu_dirty = false;
}

void isa_fpu_switch(struct arch_thread *previous, struct arch_thread *next)
{
	struct arch_thread *owner = isa_cpu()->fpu_owner;

	if (owner == NULL)
		return;
	if (owner == previous) {
		note_dirty(previous);
		csr_clear(sstatus, SSTATUS_FS);
	} else if (owner == next) {
		csr_set(sstatus, SSTATUS_FS_CLEAN);
	}
}

bool isa_fpu_take(struct arch_thread *thread)
{
	struct arch_cpu *cpu = isa_cpu();
	struct arch_thread *owner = cpu->fpu_owner;

	assert(thread->fpu_cpu == NULL && owner != thread);
	csr_set(sstatus, SSTATUS_FS_CLEAN);
	if ((csr_read(sstatus) & SSTATUS_FS) == 0)
		return false;
	if (owner != NULL) {
		write_back(owner);
		owner->fpu_cpu = NULL;
	}
	isa_fpu_load(&thread->fpu);
	set_status(SSTATUS_FS_CLEAN);
	cpu->fpu_owner = thread;
	thread->fpu_cpu = cpu;
	return true;
}

// The owner is switched out, or is current.
static void drop(struct arch_thread *owner)
{
	isa_cpu()->fpu_owner = NULL;
	owner->fpu_cpu = NULL;
	owner->fpu_dirty = false;
	csr_clear(sstatus, SSTATUS_FS);
}

void arch_fpu_release(struct arch_thread *thread)
{
	if (thread->fpu_cpu == NULL)
		return;
	assert(thread->fpu_cpu == isa_cpu());
	note_dirty(thread);
	write_back(thread);
	drop(thread);
}

// Where threads can move, none leaves its registers behind in a hart.
void isa_fpu_switch_directly(struct arch_thread *previous, struct arch_thread *next)
{
	if (cpu_count > 1)
		arch_fpu_release(previous);
	isa_fpu_switch(previous, next);
}

size_t arch_fpu_size(void)
{
	return sizeof(struct arch_fpu_state);
}

void arch_fpu_get(struct arch_thread *thread, void *state)
{
	if (thread->fpu_cpu != NULL) {
		note_dirty(thread);
		write_back(thread);
		set_status(SSTATUS_FS_CLEAN);
	}
	memcpy(state, &thread->fpu, sizeof(thread->fpu));
}

bool arch_fpu_set(struct arch_thread *thread, const void *state)
{
	struct arch_fpu_state checked;

	memcpy(&checked, state, sizeof(checked));
	if (checked.fcsr & ~(uint64_t)FCSR_DEFINED)
		return false;
	if (thread->fpu_cpu != NULL)
		drop(thread);
	thread->fpu = checked;
	return true;
}

void arch_fpu_reset(struct arch_thread *thread)
{
	if (thread->fpu_cpu != NULL)
		drop(thread);
	memset(&thread->fpu, 0, sizeof(thread->fpu));
}

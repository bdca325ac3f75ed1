// SPDX-License-Identifier: MIT
//
// The quick switch of address spaces.

#ifndef ISA_MMU_H
#define ISA_MMU_H

#include <isa/csr.h>
#include <isa/types.h>

// The fence: see arch_mmu_switch.
static inline __attribute__((always_inline)) void isa_load_satp(uint64_t satp)
{
	__asm__ volatile("fence rw, rw" : : : "memory");
	csr_write(satp, satp);
}

// An ASID of the hart's generation is good until the hart meets another one. False: the space has none, see mmu.c.
static inline __attribute__((always_inline)) bool isa_mmu_try_switch(
	const struct arch_cpu *cpu, const struct arch_address_space *space)
{
	uint64_t number = atomic_load_explicit(&space->asid, memory_order_relaxed) - cpu->asid_base;

	if (__builtin_expect(number > cpu->asid_mask, 0))
		return false;
	isa_load_satp(space->satp | number << SATP_ASID_SHIFT);
	return true;
}

static inline __attribute__((always_inline)) bool arch_mmu_try_switch(
	struct arch_cpu *cpu, struct arch_address_space *space, bool *kept)
{
	*kept = true;
	return isa_mmu_try_switch(cpu, space);
}

#endif

// SPDX-License-Identifier: MIT
//
// ASIDs and the quick switch of address spaces: see tlb.c.

#ifndef ISA_MMU_H
#define ISA_MMU_H

#include <isa/offsets.h>
#include <isa/registers.h>
#include <isa/types.h>
#include <stdbool.h>

// What asid_generation of a CPU is until it has flushed its TLB: no ASID's generation.
#define ASID_STALE ((uint64_t)1)

// Whether the ASID is of the generation that this CPU's TLB is for.
static inline __attribute__((always_inline)) bool isa_asid_is_current(
	const struct arch_cpu *cpu, uint64_t asid)
{
	return (asid & ~(uint64_t)ASID_NUMBER_MASK) == *(const volatile uint64_t *)&cpu->asid_generation;
}

// Publishes the ASID that this CPU is about to use. What follows looks at the CPU's work last, which whoever begins a new generation sets
// before he looks. Only what is current is published: an old one may have another owner by now.
static inline __attribute__((always_inline)) bool isa_asid_use_before_work(
	struct arch_cpu *cpu, uint64_t asid)
{
	if (!isa_asid_is_current(cpu, asid))
		return false;
	*(volatile uint64_t *)&cpu->asid_active = asid;
	return true;
}

// The same where nobody looks at the work.
static inline __attribute__((always_inline)) bool isa_asid_use(struct arch_cpu *cpu, uint64_t asid)
{
	if (!isa_asid_use_before_work(cpu, asid))
		return false;
	atomic_thread_fence(memory_order_seq_cst);
	return isa_asid_is_current(cpu, asid);
}

// See tlb.c for the order. The return to user mode makes it take effect.
static inline __attribute__((always_inline)) bool arch_mmu_try_switch(
	struct arch_cpu *cpu, struct arch_address_space *space, bool *kept)
{
	uint64_t root = space->root, asid = *(uint64_t *)&space->asid;

	__asm__ volatile("" : "+r"(asid)); // read once, as a pair with the root
	*kept = true;
	if (!isa_asid_use_before_work(cpu, asid))
		return false;
	write_system_register(ttbr0_el1, root | asid << TTBR_ASID_SHIFT);
	return true;
}

#endif

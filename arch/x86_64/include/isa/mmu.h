// SPDX-License-Identifier: MIT
//
// The quick switch of address spaces.

#ifndef ISA_MMU_H
#define ISA_MMU_H

#include <isa/registers.h>
#include <isa/types.h>
#include <stdatomic.h>

static inline __attribute__((always_inline)) bool arch_mmu_try_switch(
	struct arch_cpu *cpu, struct arch_address_space *space, bool *kept)
{
	uint64_t value = space->root;

	*kept = space->pcid != 0;
	if (__builtin_expect(*kept, 0)) {
		unsigned pcid = *(volatile unsigned *)&space->pcid; // now, not before the look at it
		if (atomic_load_explicit(&cpu->pcid_stale[pcid / 64], memory_order_relaxed) >> pcid % 64 & 1)
			return false;
		value |= pcid | CR3_KEEP_PCID;
	}
	write_cr3(value);
	return true;
}

#endif

// SPDX-License-Identifier: MIT

#ifndef ISA_MMU_H
#define ISA_MMU_H

static inline bool arch_mmu_try_switch(struct arch_cpu *cpu, struct arch_address_space *space, bool *kept)
{
	(void)cpu;
	(void)space;
	(void)kept;
	return false;
}

#endif

// SPDX-License-Identifier: MIT
//
// What tests see of the simulated MMU: accesses as a CPU makes them, through a TLB that forgets nothing by
// itself.

#ifndef TEST_UNIT_SIMULATED_MMU_H
#define TEST_UNIT_SIMULATED_MMU_H

#include <arch/mmu.h>

// The physical address that an access (MMU_READ, MMU_WRITE or MMU_EXECUTE) reaches, or PADDR_NONE: a page
// fault. Translations come from this CPU's TLB, and enter it from the page tables, as they are.
paddr_t host_mmu_access(struct arch_address_space *space, vaddr_t address, unsigned access);

// The entry of the kernel area at an address, likewise; not cached.
paddr_t host_mmu_kernel_query(vaddr_t address);

#endif

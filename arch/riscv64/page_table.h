// SPDX-License-Identifier: MIT
//
// Sv39 page-table entries (RISC-V Privileged Architecture, section 4.4).

#ifndef RISCV64_PAGE_TABLE_H
#define RISCV64_PAGE_TABLE_H

#include <arch/mmu.h>

#define ENTRY_VALID    (1ull << 0)
#define ENTRY_READ     (1ull << 1)
#define ENTRY_WRITE    (1ull << 2)
#define ENTRY_EXECUTE  (1ull << 3)
#define ENTRY_USER     (1ull << 4)
#define ENTRY_GLOBAL   (1ull << 5)
#define ENTRY_ACCESSED (1ull << 6)
#define ENTRY_DIRTY    (1ull << 7)
#define ENTRY_LEAF     (ENTRY_READ | ENTRY_WRITE | ENTRY_EXECUTE)

#define ENTRY_PHYSICAL_SHIFT 10
#define ENTRY_PHYSICAL_MASK  (((1ull << 44) - 1) << ENTRY_PHYSICAL_SHIFT)

#define TABLE_ENTRIES 512
#define ROOT_LEVEL    2

// Leaf bits for MMU_READ, MMU_WRITE ...
uint64_t isa_entry_bits(unsigned access);

static inline uint64_t entry_for(paddr_t physical)
{
	return physical >> PAGE_SHIFT << ENTRY_PHYSICAL_SHIFT;
}

static inline paddr_t entry_physical(uint64_t entry)
{
	return (entry & ENTRY_PHYSICAL_MASK) >> ENTRY_PHYSICAL_SHIFT << PAGE_SHIFT;
}

static inline unsigned level_shift(unsigned level)
{
	return PAGE_SHIFT + 9 * level;
}

static inline size_t level_size(unsigned level)
{
	return (size_t)1 << level_shift(level);
}

static inline unsigned table_index(vaddr_t address, unsigned level)
{
	return address >> level_shift(level) & (TABLE_ENTRIES - 1);
}

#endif

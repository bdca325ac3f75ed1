// SPDX-License-Identifier: MIT
//
// Page-table entries (Intel SDM volume 3, 4.5).

#ifndef ISA_PAGE_TABLE_H
#define ISA_PAGE_TABLE_H

#include <arch/types.h>

#define PTE_PRESENT       ((uint64_t)1 << 0)
#define PTE_WRITABLE      ((uint64_t)1 << 1)
#define PTE_USER          ((uint64_t)1 << 2)
#define PTE_WRITE_THROUGH ((uint64_t)1 << 3)
#define PTE_UNCACHED      ((uint64_t)1 << 4)
#define PTE_LARGE         ((uint64_t)1 << 7) // a page, in a table above the lowest
#define PTE_GLOBAL        ((uint64_t)1 << 8)
#define PTE_NO_EXECUTE    ((uint64_t)1 << 63)
#define PTE_ADDRESS       0x000ffffffffff000

#define TABLE_ENTRIES 512
#define ROOT_LEVEL    4

// The entry of an address in a table of `level` (1: its entries are 4 KiB pages).
static inline unsigned table_index(vaddr_t address, unsigned level)
{
	return (unsigned)(address >> (PAGE_SHIFT + 9 * (level - 1))) % TABLE_ENTRIES;
}

static inline size_t table_page_size(unsigned level)
{
	return PAGE_SIZE << (9 * (level - 1));
}

static inline uint64_t *table_of(uint64_t entry)
{
	return phys_to_virt(entry & PTE_ADDRESS);
}

static inline bool entry_is_page(uint64_t entry, unsigned level)
{
	return level == 1 || (entry & PTE_LARGE) != 0;
}

#endif

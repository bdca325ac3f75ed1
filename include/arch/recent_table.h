// SPDX-License-Identifier: MIT
//
// The lowest page table of a space that was used last, for all who have tables of 512 entries: its neighbours are found
// without a walk. Tables stay until the space ends, so what is remembered is true for as long. Number and place are one word,
// because entries of different memory objects are looked at with no lock in common.

#ifndef ARCH_RECENT_TABLE_H
#define ARCH_RECENT_TABLE_H

#include <arch/mmu.h>

#define RECENT_NUMBER_BITS 28 // of a region of MMU_LARGE_SIZE; above them is the table's frame number
#define RECENT_TABLE_NONE  UINT64_MAX

_Static_assert((ARCH_USER_END / MMU_LARGE_SIZE) >> (RECENT_NUMBER_BITS - 1) == 0,
	"a number fits, and not all bits are set");

// The entry of an address in that table; NULL: it is in another one.
static inline uint64_t *recent_table_entry(const uint64_t *recent, vaddr_t address)
{
	uint64_t word = __atomic_load_n(recent, __ATOMIC_ACQUIRE);
	uint64_t *table = phys_to_virt(word >> RECENT_NUMBER_BITS << PAGE_SHIFT);

	return (word & (((uint64_t)1 << RECENT_NUMBER_BITS) - 1)) == address / MMU_LARGE_SIZE
		? &table[address % MMU_LARGE_SIZE / PAGE_SIZE]
		: NULL;
}

static inline void recent_table_note(uint64_t *recent, vaddr_t address, const uint64_t *entry)
{
	__atomic_store_n(recent,
		virt_to_phys(entry) >> PAGE_SHIFT << RECENT_NUMBER_BITS | address / MMU_LARGE_SIZE,
		__ATOMIC_RELEASE);
}

#endif

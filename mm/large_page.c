// SPDX-License-Identifier: MIT
//
// Large pages: entries of MMU_LARGE_SIZE for memory whose frames follow each other. One lies within one mapping and shows one memory
// object, whose lock is held wherever it changes. A space keeps a table in reserve for each, so that making small
// pages of it, which may be somebody else's doing, needs no memory.

#include "mapping.h"
#include <kernel/account.h>
#include <kernel/assert.h>
#include <kernel/frame.h>
#include <kernel/memory.h>

#define LARGE_PAGES (MMU_LARGE_SIZE >> PAGE_SHIFT)

// Tables in reserve are linked by their first words.
static void reserve_table(struct address_space *space, paddr_t table)
{
	paddr_t *next = phys_to_virt(table);

	spin_lock(&space->reserve_lock);
	*next = space->reserved_tables;
	space->reserved_tables = table;
	spin_unlock(&space->reserve_lock);
}

static paddr_t take_reserved_table(struct address_space *space)
{
	paddr_t table;

	spin_lock(&space->reserve_lock);
	table = space->reserved_tables;
	assert(table != PADDR_NONE);
	space->reserved_tables = *(paddr_t *)phys_to_virt(table);
	spin_unlock(&space->reserve_lock);
	return table;
}

bool large_page_free_reserve(struct address_space *space)
{
	if (space->reserved_tables == PADDR_NONE)
		return false;
	page_table_free(space, take_reserved_table(space));
	return true;
}

// The frame that the large page at an address shows, or PADDR_NONE. `*size` as arch_mmu_query tells it.
static paddr_t shown_at(struct address_space *space, vaddr_t start, size_t *size, unsigned *access)
{
	paddr_t shown = arch_mmu_query(&space->arch, start, size, access);

	return *size == MMU_LARGE_SIZE ? shown : PADDR_NONE;
}

// Enters one where nothing is, with the table that it may need one day.
static bool enter(struct address_space *space, vaddr_t start, paddr_t frame, unsigned access)
{
	paddr_t table = page_table_allocate(space);

	if (table == PADDR_NONE)
		return false;
	if (page_table_map(space, start, frame, MMU_LARGE_SIZE, access) != MMU_DONE) {
		page_table_free(space, table);
		return false;
	}
	reserve_table(space, table);
	return true;
}

__attribute__((noinline)) bool large_page_enter(
	struct address_space *space, vaddr_t address, const struct mapping *mapping, unsigned access)
{
	vaddr_t start = address & ~(vaddr_t)(MMU_LARGE_SIZE - 1);
	uint64_t offset = mapping->offset + (start - mapping->address);
	paddr_t shown, frame;
	unsigned given;
	size_t size;

	// To make the code of a large page visible would take too long.
	if (start < mapping->address || mapping_end(mapping) - start < MMU_LARGE_SIZE ||
		offset % MMU_LARGE_SIZE != 0 || (access & MMU_EXECUTE))
		return false;
	shown = shown_at(space, start, &size, &given);
	if (size < MMU_LARGE_SIZE || (frame = memory_large_page(mapping->memory, offset)) == PADDR_NONE)
		return false;
	if (shown == PADDR_NONE)
		return enter(space, start, frame, access);
	assert(shown == frame);
	page_table_renew(space, start, access);
	return true;
}

// Entry out, translations gone, table in: at no moment can a CPU have both.
__attribute__((noinline)) void large_page_split(struct address_space *space, vaddr_t address)
{
	vaddr_t start = address & ~(vaddr_t)(MMU_LARGE_SIZE - 1);
	unsigned access;
	size_t size;
	paddr_t shown = shown_at(space, start, &size, &access), table;

	if (shown == PADDR_NONE)
		return;
	table = take_reserved_table(space);
	arch_mmu_fill_table(table, shown, access);
	arch_mmu_unmap(&space->arch, start, &size);
	tlb_shootdown(space, start, LARGE_PAGES);
	arch_mmu_map(&space->arch, start, shown, PAGE_SIZE, access, &table);
	assert(table == PADDR_NONE);
}

bool large_page_unmap(struct address_space *space, const struct mapping *mapping)
{
	unsigned access;
	paddr_t shown;
	size_t size;

	if (!mapping->memory->large || mapping->address % MMU_LARGE_SIZE != 0 ||
		mapping->length < MMU_LARGE_SIZE)
		return false;
	shown = shown_at(space, mapping->address, &size, &access);
	if (shown != PADDR_NONE) {
		arch_mmu_unmap(&space->arch, mapping->address, &size);
		tlb_shootdown(space, mapping->address, LARGE_PAGES);
		page_table_free(space, take_reserved_table(space));
	}
	return size >= MMU_LARGE_SIZE;
}

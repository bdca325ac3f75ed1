// SPDX-License-Identifier: MIT
//
// Reverse mappings: from a memory object to the page-table entries that show its pages.

#include "mapping.h"
#include <arch/mmu.h>
#include <kernel/assert.h>
#include <kernel/memory.h>

// Private memory shows up in its owner's space only, at the address that is the offset: it needs no list.
void memory_add_mapping(struct memory *memory, struct mapping *mapping)
{
	ASSERT_LOCK_HELD(&memory->lock);
	if (memory->owner)
		list_init(&mapping->memory_link);
	else
		list_push_back(&memory->mappings, &mapping->memory_link);
	memory->mapping_count++;
}

void memory_remove_mapping(struct memory *memory, struct mapping *mapping)
{
	ASSERT_LOCK_HELD(&memory->lock);
	list_remove(&mapping->memory_link);
	memory->mapping_count--;
}

// The size of the entry at an address if it had more than `keep` and was changed; else 0.
static inline __attribute__((always_inline)) size_t restrict_entry(
	struct arch_address_space *space, vaddr_t address, unsigned keep)
{
	unsigned access;
	size_t size;

	if (keep == 0)
		return arch_mmu_unmap(space, address, &size) == PADDR_NONE ? 0 : size;
	if (arch_mmu_query(space, address, &size, &access) == PADDR_NONE)
		return 0;
	keep |= MMU_USER | MMU_DEVICE;
	if ((access & keep) == access)
		return 0;
	arch_mmu_protect(space, address, access & keep);
	return size;
}

// As memory_next_page, where of a single page, the last one, it need not be known whether it is resident.
static uint64_t next_resident(struct memory *memory, uint64_t offset, uint64_t end)
{
	return end - offset == PAGE_SIZE ? offset : memory_next_page(memory, offset, end);
}

__attribute__((flatten)) void memory_restrict_window(struct memory *memory, uint64_t offset, uint64_t end,
	struct address_space *space, vaddr_t address, unsigned keep)
{
	uint64_t at = next_resident(memory, offset, end);
	vaddr_t first = 0, last = 0;

	ASSERT_LOCK_HELD(&memory->lock);
	if (keep == 0 && end - offset == PAGE_SIZE && !memory->large) {
		if (arch_mmu_unmap(&space->arch, address, &(size_t){0}) != PADDR_NONE)
			tlb_shootdown(space, address, 1);
		return;
	}
	for (; at != RADIX_NONE; at = next_resident(memory, at + PAGE_SIZE, end)) {
		vaddr_t page = address + (at - offset);
		size_t size;

		if (keep == 0 && memory->large)
			large_page_split(space, page);
		size = restrict_entry(&space->arch, page, keep);
		if (size == 0)
			continue;
		// Of a large page all that it shows has lost access: it comes back with a fault.
		page &= ~(vaddr_t)(size - 1);
		if (last == 0)
			first = page;
		last = page + size;
	}
	tlb_shootdown(space, first, (last - first) >> PAGE_SHIFT);
}

void memory_restrict(struct memory *memory, uint64_t offset, uint64_t end, unsigned keep)
{
	ASSERT_LOCK_HELD(&memory->lock);
	if (memory->owner) {
		memory_restrict_window(memory, offset, end, memory->owner, offset, keep);
		return;
	}
	list_for_each (node, &memory->mappings) {
		struct mapping *mapping = container_of(node, struct mapping, memory_link);
		uint64_t from = offset > mapping->offset ? offset : mapping->offset;
		uint64_t to = mapping->offset + mapping->length;

		if (to > end)
			to = end;
		if (from < to)
			memory_restrict_window(memory, from, to, mapping->space,
				mapping->address + (from - mapping->offset), keep);
	}
}

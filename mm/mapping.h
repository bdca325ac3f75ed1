// SPDX-License-Identifier: MIT
//
// Mappings of one address space: finding, making, splitting, merging. The space's lock is held for all of it
// but allocating and freeing.

#ifndef MM_MAPPING_H
#define MM_MAPPING_H

#include <kernel/address_space.h>

#define MAPPING_ACCESS (MAPPING_READ | MAPPING_WRITE | MAPPING_EXECUTE)

// What page-table entries of mappings with such flags may give.
static inline unsigned mapping_access(uint64_t flags)
{
	return (flags & MAPPING_READ ? MMU_READ : 0) | (flags & MAPPING_WRITE ? MMU_WRITE : 0) |
		(flags & MAPPING_EXECUTE ? MMU_EXECUTE : 0);
}

// Whether a range is whole pages, at least one, that user mode can have.
static inline bool user_pages_valid(vaddr_t address, uint64_t length)
{
	return length > 0 && (address | length) % PAGE_SIZE == 0 && address >= ARCH_USER_START &&
		address <= ARCH_USER_END && length <= ARCH_USER_END - address;
}

// An unused mapping, charged to the space's account; NULL: no memory. NULL may be freed.
struct mapping *mapping_allocate(struct address_space *space);
void mapping_free(struct address_space *space, struct mapping *mapping);

static inline vaddr_t mapping_end(const struct mapping *mapping)
{
	return mapping->address + mapping->length;
}

// The mapping above (below) another one; NULL: none.
struct mapping *mapping_next(const struct mapping *mapping);
struct mapping *mapping_previous(const struct mapping *mapping);

// The mapping at an address, or the next one above it; NULL: none.
struct mapping *mapping_find(struct address_space *space, vaddr_t address);
// The mapping at an address, unless it is being unmapped.
struct mapping *mapping_at(struct address_space *space, vaddr_t address);
// The lowest free range at or above `from`; 0: none.
vaddr_t mapping_find_free(struct address_space *space, vaddr_t from, uint64_t length);

// Enters a mapping whose fields are set below the one that mapping_find finds at its address (NULL: none). It takes a
// reference of the memory over. `ahead`: fault_ahead too.
void mapping_insert(struct address_space *space, struct mapping *mapping, struct mapping *above, bool ahead);
// Enters the pages that the memory of a new, small mapping has into the page tables, as far as memory for tables goes: they
// need not fault. The memory, which is not private, is locked too.
void fault_ahead(struct address_space *space, const struct mapping *mapping);
// Takes a mapping out and frees it; its pages are unmapped, and its memory has forgotten it (memory_remove_mapping).
void mapping_remove(struct address_space *space, struct mapping *mapping);
// Cuts a part off the lower end.
void mapping_trim(struct address_space *space, struct mapping *mapping, uint64_t length);
// Lets what takes a mapping's capability of its memory away take another of that memory too. One of their
// spaces is locked.
void mapping_derive_beside(struct mapping *mapping, struct mapping *kept);
// Tables of the space's account; PADDR_NONE: no memory.
paddr_t page_table_allocate(struct address_space *space);
void page_table_free(struct address_space *space, paddr_t table);
// arch_mmu_map, with tables as needed; MMU_NEED_TABLE: no memory.
enum mmu_result page_table_map(
	struct address_space *space, vaddr_t address, paddr_t physical, size_t size, unsigned access);
// Gives the entry that begins at an address, which shows the same frame as before, other access. No CPU keeps what it loses; one
// that has not seen what it gets only faults once more. The memory's lock is held.
void page_table_renew(struct address_space *space, vaddr_t address, unsigned access);

// Shows an address, to which the access may be given, by a large page, where mapping and memory have one. False: they have
// not, or there are small pages around it already, or no memory. The memory's lock is held here and below.
bool large_page_enter(
	struct address_space *space, vaddr_t address, const struct mapping *mapping, unsigned access);
// Makes small pages of a large one at an address, if there is one. The space need not be locked.
void large_page_split(struct address_space *space, vaddr_t address);
// Unmaps the first MMU_LARGE_SIZE bytes of a mapping if they can be in one step; false: they cannot.
bool large_page_unmap(struct address_space *space, const struct mapping *mapping);
// Frees one of the tables that were kept for large pages, at the end of a space; false: there is none.
bool large_page_free_reserve(struct address_space *space);

// Makes two of the mapping that an address is inside of. The upper one is *spare, then set to NULL.
void mapping_split(struct address_space *space, vaddr_t address, struct mapping **spare);
// Whether an address is inside a mapping that is not being unmapped: splitting there needs a spare one.
bool mapping_is_inside(struct address_space *space, vaddr_t address);
// Merges a mapping with the one below, or with both neighbours, if they continue each other.
void mapping_merge_below(struct address_space *space, struct mapping *mapping);
void mapping_merge(struct address_space *space, struct mapping *mapping);

#endif

// SPDX-License-Identifier: MIT
//
// Mappings of one address space: finding, making, splitting, merging. The space's lock is held for all of it
// but allocating and freeing.

#ifndef MM_MAPPING_H
#define MM_MAPPING_H

#include <kernel/address_space.h>

#define MAPPING_ACCESS (MAPPING_READ | MAPPING_WRITE | MAPPING_EXECUTE)

// How far chance puts things above where they would go without it.
#define RANDOM_DISTANCE ((uint64_t)ARCH_USER_END / 8)

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
// reference of the memory over.
void mapping_insert(struct address_space *space, struct mapping *mapping, struct mapping *above);
// Enters the pages that the memory of a new, small mapping has into the page tables, as far as memory for tables goes: they need not fault.
void fault_ahead(struct address_space *space, const struct mapping *mapping);
// Takes a mapping out and frees it; its pages are unmapped, and its memory has forgotten it (memory_remove_mapping).
void mapping_remove(struct address_space *space, struct mapping *mapping);
// Cuts a part off the lower end.
void mapping_trim(struct address_space *space, struct mapping *mapping, uint64_t length);
// Lets what takes a mapping's capability of its memory away take another of that memory too. One of their
// spaces is locked.
void mapping_derive_beside(struct mapping *mapping, struct mapping *kept);
// Makes two of the mapping that an address is inside of. The upper one is *spare, then set to NULL.
void mapping_split(struct address_space *space, vaddr_t address, struct mapping **spare);
// Whether an address is inside a mapping that is not being unmapped: splitting there needs a spare one.
bool mapping_is_inside(struct address_space *space, vaddr_t address);
// Merges a mapping with the one below, or with both neighbours, if they continue each other.
void mapping_merge_below(struct address_space *space, struct mapping *mapping);
void mapping_merge(struct address_space *space, struct mapping *mapping);

#endif

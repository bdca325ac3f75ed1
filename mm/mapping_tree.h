// SPDX-License-Identifier: MIT
//
// The tree of an address space's mappings.

#ifndef MM_MAPPING_TREE_H
#define MM_MAPPING_TREE_H

#include <kernel/address_space.h>

// Enters a mapping whose gap is set between its neighbours by address (NULL: none).
void mapping_tree_insert(
	struct mapping **root, struct mapping *mapping, struct mapping *below, struct mapping *above);
void mapping_tree_remove(struct mapping **root, struct mapping *mapping);
// mapping->gap has changed.
void mapping_tree_update(struct mapping *mapping);
// The lowest mapping that ends above an address; NULL: none.
struct mapping *mapping_tree_find(struct mapping *root, vaddr_t address);
// The lowest mapping with a gap below it that has `length` bytes at or above `from`; NULL: none.
struct mapping *mapping_tree_find_gap(struct mapping *root, vaddr_t from, uint64_t length);

#endif

// SPDX-License-Identifier: MIT
//
// Radix trees of frames by page index: what a memory object has. Nodes are frames, charged to an account.

#ifndef KERNEL_RADIX_H
#define KERNEL_RADIX_H

#include <arch/types.h>
#include <stdbool.h>
#include <stdint.h>

struct account;

#define RADIX_NONE       UINT64_MAX
#define RADIX_LEAF_PAGES 512 // that a leaf has slots for

struct radix {
	uint64_t root;   // a slot: see radix.c
	unsigned height; // levels of nodes; 0: the root is the one frame
	uint64_t *leaf;  // the slot of the leaf node that was used last; NULL: none
	uint64_t leaf_number;
	uint64_t gap_start; // no index from here up to gap_end has a frame: what the last search went over
	uint64_t gap_end;
};

// An empty tree for page indices below `count`.
void radix_init(struct radix *tree, uint64_t count);

// The frame at an index, or PADDR_NONE.
paddr_t radix_get(struct radix *tree, uint64_t index);

// Whether all of a leaf from `index` on, its first, has frames that follow each other.
bool radix_leaf_is_contiguous(struct radix *tree, uint64_t index);

// Enters a frame where there is none. False: no memory for a node; nothing changed.
bool radix_insert(struct radix *tree, uint64_t index, paddr_t frame, struct account *account);

// Puts another frame in the place of the one at an index.
void radix_replace(struct radix *tree, uint64_t index, paddr_t frame);

// Takes out the frame at an index, and frees nodes that have become empty.
paddr_t radix_remove(struct radix *tree, uint64_t index, struct account *account);

// The lowest index in [index, end) that has a frame, or RADIX_NONE.
uint64_t radix_next(struct radix *tree, uint64_t index, uint64_t end);

#endif

// SPDX-License-Identifier: MIT
//
// Radix trees of frames. A slot of a leaf is the frame's physical address. A slot above that is the physical
// address of a node with, in its low bits, the number of slots in use there, so that empty nodes are noticed
// without looking through them. 0: empty (no frame of ours has address 0).

#include <kernel/account.h>
#include <kernel/assert.h>
#include <kernel/frame.h>
#include <kernel/radix.h>

#define NODE_BITS  9
#define NODE_SLOTS ((uint64_t)1 << NODE_BITS)
#define HEIGHT_MAX 5

#define ADDRESS_MASK (~(uint64_t)(PAGE_SIZE - 1))
#define USED_MASK    ((uint64_t)(PAGE_SIZE - 1))

static uint64_t *slots_of(uint64_t slot)
{
	return phys_to_virt(slot & ADDRESS_MASK);
}

// How far the part of an index that chooses in a node of `level` is shifted. Level 1 has frames.
static unsigned shift_of(unsigned level)
{
	return (level - 1) * NODE_BITS;
}

static uint64_t slot_number(uint64_t index, unsigned level)
{
	return index >> shift_of(level) & (NODE_SLOTS - 1);
}

void radix_init(struct radix *tree, uint64_t count)
{
	tree->root = 0;
	tree->height = 0;
	while (tree->height < HEIGHT_MAX && (count - 1) >> (tree->height * NODE_BITS) != 0)
		tree->height++;
	assert((count - 1) >> (tree->height * NODE_BITS) == 0);
}

// The slot of an index; NULL where nodes are missing.
static uint64_t *find_slot(const struct radix *tree, uint64_t index)
{
	uint64_t *slot = (uint64_t *)&tree->root;

	for (unsigned level = tree->height; level > 0; level--) {
		if (*slot == 0)
			return NULL;
		slot = &slots_of(*slot)[slot_number(index, level)];
	}
	return slot;
}

paddr_t radix_get(const struct radix *tree, uint64_t index)
{
	const uint64_t *slot = find_slot(tree, index);

	return slot == NULL || *slot == 0 ? PADDR_NONE : *slot;
}

void radix_replace(struct radix *tree, uint64_t index, paddr_t frame)
{
	uint64_t *slot = find_slot(tree, index);

	assert(slot != NULL && *slot != 0);
	*slot = frame;
}

// Frees the nodes on the way to an index that are empty, from the lowest one up. path[l] is the slot of the
// node of level l.
static void prune(struct radix *tree, uint64_t *path[], unsigned level, struct account *account)
{
	for (; level <= tree->height && (*path[level] & USED_MASK) == 0; level++) {
		frame_release(*path[level] & ADDRESS_MASK);
		account_uncharge_pages(account, 1);
		*path[level] = 0;
		if (level < tree->height)
			(*path[level + 1])--;
	}
}

static bool make_node(uint64_t *slot, struct account *account)
{
	paddr_t node;

	if (!account_charge_pages(account, 1))
		return false;
	node = frame_allocate_zeroed();
	if (node == PADDR_NONE) {
		account_uncharge_pages(account, 1);
		return false;
	}
	*slot = node;
	return true;
}

bool radix_insert(struct radix *tree, uint64_t index, paddr_t frame, struct account *account)
{
	uint64_t *path[HEIGHT_MAX + 1];
	uint64_t *slot = &tree->root;

	for (unsigned level = tree->height; level > 0; level--) {
		path[level] = slot;
		if (*slot == 0) {
			if (!make_node(slot, account)) {
				prune(tree, path, level + 1, account);
				return false;
			}
			if (level < tree->height)
				(*path[level + 1])++;
		}
		slot = &slots_of(*slot)[slot_number(index, level)];
	}
	assert(*slot == 0 && frame != 0 && (frame & USED_MASK) == 0);
	*slot = frame;
	if (tree->height > 0)
		(*path[1])++;
	return true;
}

paddr_t radix_remove(struct radix *tree, uint64_t index, struct account *account)
{
	uint64_t *path[HEIGHT_MAX + 1];
	uint64_t *slot = &tree->root;
	paddr_t frame;

	for (unsigned level = tree->height; level > 0; level--) {
		path[level] = slot;
		slot = &slots_of(*slot)[slot_number(index, level)];
	}
	frame = *slot;
	assert(frame != 0);
	*slot = 0;
	if (tree->height > 0)
		(*path[1])--;
	prune(tree, path, 1, account);
	return frame;
}

// The lowest used index in [index, end) below the slot of a node of `level`.
static uint64_t next_below(uint64_t slot, unsigned level, uint64_t index, uint64_t end)
{
	if (slot == 0 || index >= end)
		return RADIX_NONE;
	if (level == 0)
		return index;
	for (uint64_t number = slot_number(index, level); number < NODE_SLOTS && index < end; number++) {
		uint64_t found = next_below(slots_of(slot)[number], level - 1, index, end);

		if (found != RADIX_NONE)
			return found;
		index = ((index >> shift_of(level)) + 1) << shift_of(level);
	}
	return RADIX_NONE;
}

uint64_t radix_next(const struct radix *tree, uint64_t index, uint64_t end)
{
	return next_below(tree->root, tree->height, index, end);
}

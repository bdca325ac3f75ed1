// SPDX-License-Identifier: MIT
//
// Radix trees of frames. A slot of a leaf is the frame's physical address. A slot above that is the physical
// address of a node with, in its low bits, the number of slots in use there, so that empty nodes are noticed
// without looking through them. 0: empty (no frame of ours has address 0). The leaf used last is remembered, so
// that neighbours are found without going down the tree, and the gap that a search went over last.

#include <kernel/account.h>
#include <kernel/assert.h>
#include <kernel/frame.h>
#include <kernel/radix.h>

#define NODE_BITS  9
#define NODE_SLOTS ((uint64_t)1 << NODE_BITS)
#define HEIGHT_MAX 5

#define ADDRESS_MASK (~(uint64_t)(PAGE_SIZE - 1))
#define USED_MASK    ((uint64_t)(PAGE_SIZE - 1))

_Static_assert(NODE_SLOTS == RADIX_LEAF_PAGES, "what a leaf has");

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
	*tree = (struct radix){0};
	while (tree->height < HEIGHT_MAX && (count - 1) >> (tree->height * NODE_BITS) != 0)
		tree->height++;
	assert((count - 1) >> (tree->height * NODE_BITS) == 0);
}

static bool is_recent(const struct radix *tree, uint64_t index)
{
	return tree->leaf != NULL && tree->leaf_number == index >> NODE_BITS;
}

// The slot of an index; NULL where nodes are missing. Remembers the leaf.
static uint64_t *find_slot(struct radix *tree, uint64_t index)
{
	uint64_t *slot = &tree->root, *leaf = NULL;

	if (is_recent(tree, index))
		return &slots_of(*tree->leaf)[slot_number(index, 1)];
	for (unsigned level = tree->height; level > 0; level--) {
		if (*slot == 0)
			return NULL;
		leaf = slot;
		slot = &slots_of(*slot)[slot_number(index, level)];
	}
	tree->leaf = leaf;
	tree->leaf_number = index >> NODE_BITS;
	return slot;
}

paddr_t radix_get(struct radix *tree, uint64_t index)
{
	const uint64_t *slot = find_slot(tree, index);

	return slot == NULL || *slot == 0 ? PADDR_NONE : *slot;
}

bool radix_leaf_is_contiguous(struct radix *tree, uint64_t index)
{
	const uint64_t *slots = tree->height > 0 ? find_slot(tree, index) : NULL;

	assert(slot_number(index, 1) == 0);
	for (uint64_t i = 0; slots && i < NODE_SLOTS; i++)
		if (slots[i] == 0 || slots[i] != slots[0] + (i << PAGE_SHIFT))
			return false;
	return slots != NULL;
}

void radix_replace(struct radix *tree, uint64_t index, paddr_t frame)
{
	uint64_t *slot = find_slot(tree, index);

	assert(slot != NULL && *slot != 0);
	*slot = frame;
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

// Makes the nodes that are missing on the way to an index. False: no memory; some may be there, empty.
static __attribute__((noinline)) bool make_nodes(struct radix *tree, uint64_t index, struct account *account)
{
	uint64_t *slot = &tree->root, *above = NULL;

	for (unsigned level = tree->height; level > 0; level--) {
		if (*slot == 0) {
			if (!make_node(slot, account))
				return false;
			if (above)
				(*above)++;
		}
		above = slot;
		slot = &slots_of(*slot)[slot_number(index, level)];
	}
	return true;
}

// Frees the nodes on the way to an index that are empty, from the lowest one up.
static __attribute__((noinline)) void prune(struct radix *tree, uint64_t index, struct account *account)
{
	uint64_t *path[HEIGHT_MAX + 1]; // by level: the slot of the node
	uint64_t *slot = &tree->root;
	unsigned level = tree->height;

	for (; level > 0 && *slot != 0; level--) {
		path[level] = slot;
		slot = &slots_of(*slot)[slot_number(index, level)];
	}
	while (++level <= tree->height && (*path[level] & USED_MASK) == 0) {
		frame_release(*path[level] & ADDRESS_MASK);
		account_uncharge_pages(account, 1);
		*path[level] = 0;
		if (level < tree->height)
			(*path[level + 1])--;
	}
	tree->leaf = NULL;
}

bool radix_insert(struct radix *tree, uint64_t index, paddr_t frame, struct account *account)
{
	uint64_t *slot = find_slot(tree, index);

	if (slot == NULL) {
		if (!make_nodes(tree, index, account)) {
			prune(tree, index, account);
			return false;
		}
		slot = find_slot(tree, index);
	}
	assert(*slot == 0 && frame != 0 && (frame & USED_MASK) == 0);
	*slot = frame;
	if (index - tree->gap_start < tree->gap_end - tree->gap_start)
		tree->gap_end = tree->gap_start;
	if (tree->height > 0)
		(*tree->leaf)++;
	return true;
}

paddr_t radix_remove(struct radix *tree, uint64_t index, struct account *account)
{
	uint64_t *slot = find_slot(tree, index);
	paddr_t frame = *slot;

	assert(frame != 0);
	*slot = 0;
	if (tree->height > 0 && (--*tree->leaf & USED_MASK) == 0)
		prune(tree, index, account);
	return frame;
}

// How many slots of a node of `level` are empty, from that of `index` on up to the end of the node or that of the
// last index below `end`.
static uint64_t empty_slots(const uint64_t *slots, unsigned level, uint64_t index, uint64_t end)
{
	uint64_t number = slot_number(index, level), count = 0;
	uint64_t most = ((end - 1) >> shift_of(level)) - (index >> shift_of(level)) + 1;

	if (most > NODE_SLOTS - number)
		most = NODE_SLOTS - number;
	slots += number;
	while (count + 4 <= most &&
		(slots[count] | slots[count + 1] | slots[count + 2] | slots[count + 3]) == 0)
		count += 4;
	while (count < most && slots[count] == 0)
		count++;
	return count;
}

// The lowest used index in [index, end) below the slot, which is in use, of a node of `level`.
static uint64_t next_below(uint64_t slot, unsigned level, uint64_t index, uint64_t end)
{
	const uint64_t *slots = slots_of(slot);
	uint64_t found = RADIX_NONE, node_end;

	if (level == 0)
		return index;
	node_end = ((index >> shift_of(level + 1)) + 1) << shift_of(level + 1);
	if (end > node_end)
		end = node_end;
	while (found == RADIX_NONE && index < end) {
		uint64_t empty = empty_slots(slots, level, index, end);

		if (empty > 0)
			index = ((index >> shift_of(level)) + empty) << shift_of(level);
		if (index < end) {
			found = next_below(slots[slot_number(index, level)], level - 1, index, end);
			index = ((index >> shift_of(level)) + 1) << shift_of(level);
		}
	}
	return found;
}

// Remembers that nothing is in [index, end), together with what was known of its neighbours.
static void note_gap(struct radix *tree, uint64_t index, uint64_t end)
{
	if (end == tree->gap_start) {
		tree->gap_start = index;
	} else {
		if (index != tree->gap_end)
			tree->gap_start = index;
		tree->gap_end = end;
	}
}

static uint64_t skip_gap(const struct radix *tree, uint64_t index)
{
	return index - tree->gap_start < tree->gap_end - tree->gap_start ? tree->gap_end : index;
}

uint64_t radix_next(struct radix *tree, uint64_t index, uint64_t end)
{
	uint64_t found;

	if (tree->height == 0)
		return tree->root != 0 && index < end ? index : RADIX_NONE;
	index = skip_gap(tree, index);
	if (index < end && is_recent(tree, index)) {
		uint64_t empty = empty_slots(slots_of(*tree->leaf), 1, index, end);

		if (empty > 0)
			note_gap(tree, index, index + empty);
		index += empty;
		if (index < end && is_recent(tree, index))
			return index;
		index = skip_gap(tree, index);
	}
	if (index >= end)
		return RADIX_NONE;
	found = tree->root ? next_below(tree->root, tree->height, index, end) : RADIX_NONE;
	note_gap(tree, index, found == RADIX_NONE ? end : found);
	if (found != RADIX_NONE)
		find_slot(tree, found);
	return found;
}

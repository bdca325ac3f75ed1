// SPDX-License-Identifier: MIT
//
// A treap: a search tree by address and at the same time a heap by random priorities, which keep it balanced
// with no more code than this. Each node knows the largest gap in its subtree, so free ranges are found by
// descent.

#include "mapping_tree.h"
#include <kernel/assert.h>
#include <stdatomic.h>

// The finaliser of splitmix64 over a counter.
static uint64_t next_priority(void)
{
	static _Atomic uint64_t counter;
	uint64_t z = atomic_fetch_add_explicit(&counter, 0x9e3779b97f4a7c15, memory_order_relaxed);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static uint64_t gap_max(const struct mapping *node)
{
	return node ? node->gap_max : 0;
}

static void update_node(struct mapping *node)
{
	uint64_t largest = node->gap;

	if (gap_max(node->left) > largest)
		largest = gap_max(node->left);
	if (gap_max(node->right) > largest)
		largest = gap_max(node->right);
	node->gap_max = largest;
}

// Joins two trees; all of `low` is below all of `high`.
static struct mapping *join(struct mapping *low, struct mapping *high)
{
	if (low == NULL)
		return high;
	if (high == NULL)
		return low;
	if (low->priority > high->priority) {
		low->right = join(low->right, high);
		update_node(low);
		return low;
	}
	high->left = join(low, high->left);
	update_node(high);
	return high;
}

// Parts a tree into what is below an address and the rest.
static void part(struct mapping *node, vaddr_t address, struct mapping **low, struct mapping **high)
{
	if (node == NULL) {
		*low = NULL;
		*high = NULL;
		return;
	}
	if (node->address < address) {
		part(node->right, address, &node->right, high);
		*low = node;
	} else {
		part(node->left, address, low, &node->left);
		*high = node;
	}
	update_node(node);
}

void mapping_tree_insert(struct mapping **root, struct mapping *mapping)
{
	struct mapping *low, *high;

	mapping->left = NULL;
	mapping->right = NULL;
	mapping->priority = next_priority();
	update_node(mapping);
	part(*root, mapping->address, &low, &high);
	*root = join(join(low, mapping), high);
}

void mapping_tree_remove(struct mapping **root, struct mapping *mapping)
{
	struct mapping *node = *root;

	assert(node != NULL);
	if (node == mapping) {
		*root = join(node->left, node->right);
		return;
	}
	mapping_tree_remove(mapping->address < node->address ? &node->left : &node->right, mapping);
	update_node(node);
}

void mapping_tree_update(struct mapping *root, const struct mapping *mapping)
{
	assert(root != NULL);
	if (root != mapping)
		mapping_tree_update(mapping->address < root->address ? root->left : root->right, mapping);
	update_node(root);
}

struct mapping *mapping_tree_find(struct mapping *root, vaddr_t address)
{
	struct mapping *found = NULL;

	while (root) {
		if (address < root->address + root->length) {
			found = root;
			root = root->left;
		} else {
			root = root->right;
		}
	}
	return found;
}

struct mapping *mapping_tree_find_gap(struct mapping *root, vaddr_t from, uint64_t length)
{
	struct mapping *found = NULL;
	vaddr_t start;

	if (gap_max(root) < length)
		return NULL;
	if (root->address > from)
		found = mapping_tree_find_gap(root->left, from, length);
	if (found)
		return found;
	start = root->address - root->gap > from ? root->address - root->gap : from;
	if (root->address > start && root->address - start >= length)
		return root;
	return mapping_tree_find_gap(root->right, from, length);
}

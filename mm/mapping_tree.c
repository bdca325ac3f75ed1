// SPDX-License-Identifier: MIT
//
// A treap: a search tree by address and at the same time a heap by random priorities, which keep it balanced
// with no more code than this. Each node knows the largest gap in its subtree, so free ranges are found by
// descent. A new node goes beside its neighbours, which the caller knows, and rises a turn or two.

#include "mapping_tree.h"
#include <kernel/assert.h>

// Mixes the node's own address: nobody outside the kernel chooses it.
static uint64_t priority_of(const struct mapping *mapping)
{
	uint64_t mixed = (uintptr_t)mapping * 0xbf58476d1ce4e5b9;

	return (mixed ^ mixed >> 32) * 0x94d049bb133111eb;
}

static uint64_t gap_max(const struct mapping *node)
{
	return node ? node->gap_max : 0;
}

static uint64_t largest_gap(const struct mapping *node)
{
	uint64_t largest = node->gap;

	if (gap_max(node->left) > largest)
		largest = gap_max(node->left);
	if (gap_max(node->right) > largest)
		largest = gap_max(node->right);
	return largest;
}

void mapping_tree_update(struct mapping *mapping)
{
	for (; mapping; mapping = mapping->parent) {
		uint64_t largest = largest_gap(mapping);

		if (largest == mapping->gap_max)
			return;
		mapping->gap_max = largest;
	}
}

static void replace_child(
	struct mapping **root, struct mapping *parent, const struct mapping *old, struct mapping *child)
{
	if (parent == NULL)
		*root = child;
	else if (parent->left == old)
		parent->left = child;
	else
		parent->right = child;
	if (child)
		child->parent = parent;
}

// A node takes its parent's place, and that becomes its child.
static void rotate_up(struct mapping **root, struct mapping *node)
{
	struct mapping *parent = node->parent, *between;

	replace_child(root, parent->parent, parent, node);
	if (parent->left == node) {
		between = node->right;
		node->right = parent;
		parent->left = between;
	} else {
		between = node->left;
		node->left = parent;
		parent->right = between;
	}
	if (between)
		between->parent = parent;
	parent->parent = node;
	node->gap_max = parent->gap_max;
	parent->gap_max = largest_gap(parent);
}

// Of two neighbours in order, the lower one has no right child or the upper one no left one: the new node goes there. What is
// above it on the same side and of lower priority becomes its child at once; only the rest of the way up takes turns.
void mapping_tree_insert(
	struct mapping **root, struct mapping *mapping, struct mapping *below, struct mapping *above)
{
	bool is_right = below && below->right == NULL;
	struct mapping *parent = is_right ? below : above, *child = NULL;

	mapping->priority = priority_of(mapping);
	while (parent && parent->priority < mapping->priority &&
		(is_right ? parent->right : parent->left) == child) {
		child = parent;
		parent = parent->parent;
	}
	mapping->left = is_right ? child : NULL;
	mapping->right = is_right ? NULL : child;
	mapping->gap_max = mapping->gap > gap_max(child) ? mapping->gap : gap_max(child);
	mapping->parent = parent;
	if (child) {
		replace_child(root, parent, child, mapping);
		child->parent = mapping;
	} else if (parent) {
		*(is_right ? &parent->right : &parent->left) = mapping;
	} else {
		*root = mapping;
	}
	mapping_tree_update(parent);
	while (mapping->parent && mapping->parent->priority < mapping->priority)
		rotate_up(root, mapping);
}

void mapping_tree_remove(struct mapping **root, struct mapping *mapping)
{
	struct mapping *left, *right;

	while ((left = mapping->left) && (right = mapping->right))
		rotate_up(root, left->priority > right->priority ? left : right);
	replace_child(root, mapping->parent, mapping, left ? left : mapping->right);
	mapping_tree_update(mapping->parent);
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

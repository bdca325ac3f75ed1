// SPDX-License-Identifier: MIT
//
// Pairing heaps (Fredman, Sedgewick, Sleator, Tarjan: "The pairing heap", 1986), merged in two passes without
// recursion.

#include <kernel/assert.h>
#include <kernel/heap.h>

// Of two tops, the one with the smaller key becomes the parent; the first wins ties, so equal keys stay in
// order.
static struct heap_node *merge(struct heap_node *first, struct heap_node *second)
{
	struct heap_node *parent = first, *child = second;

	if (!first)
		return second;
	if (!second)
		return first;
	if (second->key < first->key) {
		parent = second;
		child = first;
	}
	child->sibling = parent->child;
	if (child->sibling)
		child->sibling->previous = child;
	child->previous = parent;
	parent->child = child;
	parent->sibling = NULL;
	return parent;
}

// Merges a list of siblings into one tree: pairs from left to right, then the pairs from right to left.
static struct heap_node *merge_siblings(struct heap_node *list)
{
	struct heap_node *pairs = NULL, *result = NULL;

	while (list) {
		struct heap_node *first = list, *second = list->sibling, *pair;

		list = second ? second->sibling : NULL;
		first->sibling = NULL;
		if (second)
			second->sibling = NULL;
		pair = merge(first, second);
		pair->sibling = pairs;
		pairs = pair;
	}
	while (pairs) {
		struct heap_node *next = pairs->sibling;

		pairs->sibling = NULL;
		result = merge(pairs, result);
		pairs = next;
	}
	return result;
}

static void set_top(struct heap_node **top, struct heap_node *node)
{
	*top = node;
	if (node)
		node->previous = node;
}

void heap_insert(struct heap_node **top, struct heap_node *node, uint64_t key)
{
	assert(!heap_contains(node));
	node->key = key;
	node->child = NULL;
	node->sibling = NULL;
	set_top(top, merge(*top, node));
}

void heap_remove(struct heap_node **top, struct heap_node *node)
{
	struct heap_node *children = merge_siblings(node->child);

	assert(heap_contains(node));
	if (*top == node) {
		set_top(top, children);
	} else {
		if (node->previous->child == node)
			node->previous->child = node->sibling;
		else
			node->previous->sibling = node->sibling;
		if (node->sibling)
			node->sibling->previous = node->previous;
		if (children)
			set_top(top, merge(*top, children));
	}
	node->child = NULL;
	node->sibling = NULL;
	node->previous = NULL;
}

// SPDX-License-Identifier: MIT
//
// Intrusive pairing heaps: smallest key first, removal from anywhere. Insertion is O(1), removal O(log n)
// amortised.

#ifndef KERNEL_HEAP_H
#define KERNEL_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_node {
	uint64_t key;
	struct heap_node *child;
	struct heap_node *sibling;
	struct heap_node
		*previous; // the left sibling, or the parent of a first child; the node itself for the top
};

// An empty heap is a NULL top. A node that is in no heap has previous NULL: zero-initialised nodes are fine.
static inline bool heap_contains(const struct heap_node *node)
{
	return node->previous != NULL;
}

void heap_insert(struct heap_node **top, struct heap_node *node, uint64_t key);
void heap_remove(struct heap_node **top, struct heap_node *node);

#endif

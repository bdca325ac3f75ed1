// SPDX-License-Identifier: MIT
//
// Intrusive lists ordered by priority, the highest first and equal ones as they came: insertion looks at one node of each
// priority in the list, removal at none.

#ifndef KERNEL_PRIORITY_LIST_H
#define KERNEL_PRIORITY_LIST_H

#include <kernel/list.h>
#include <stdint.h>

struct priority_node {
	struct list_node all;   // in order, circular
	struct list_node level; // of the first one of each priority
	uint8_t priority;
};

// An empty list is a NULL first node. Zero-initialised nodes are in no list.
static inline bool priority_list_contains(const struct priority_node *node)
{
	return node->all.next != NULL;
}

void priority_list_insert(struct priority_node **first, struct priority_node *node, uint8_t priority);
void priority_list_remove(struct priority_node **first, struct priority_node *node);

#endif

// SPDX-License-Identifier: MIT
//
// Doubly linked lists with the link inside the element. An empty list's head points to itself.

#ifndef SUPPORT_LIST_H
#define SUPPORT_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list_node {
	struct list_node *next;
	struct list_node *previous;
};

#define LIST_INITIAL(list)       \
	{                        \
		&(list), &(list) \
	}

#define list_entry(node, type, member) ((type *)((char *)(node)-offsetof(type, member)))

#define list_for_each(node, list) \
	for (struct list_node *node = (list)->next; node != (list); node = node->next)

// The element that `node` is may be removed meanwhile.
#define list_for_each_safe(node, list)                                                         \
	for (struct list_node *node = (list)->next, *node##_next = node->next; node != (list); \
		node = node##_next, node##_next = node->next)

static inline void list_init(struct list_node *list)
{
	list->next = list;
	list->previous = list;
}

static inline bool list_empty(const struct list_node *list)
{
	return list->next == list;
}

static inline void list_append(struct list_node *list, struct list_node *node)
{
	node->next = list;
	node->previous = list->previous;
	list->previous->next = node;
	list->previous = node;
}

// The removed node is an empty list, so removing it again does nothing.
static inline void list_remove(struct list_node *node)
{
	node->previous->next = node->next;
	node->next->previous = node->previous;
	list_init(node);
}

#endif

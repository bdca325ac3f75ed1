// SPDX-License-Identifier: MIT
//
// Doubly linked circular lists of embedded nodes. A node that is in no list points to itself.

#ifndef KERNEL_LIST_H
#define KERNEL_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list_node {
	struct list_node *next;
	struct list_node *previous;
};

#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

#define LIST_INITIALIZER(name)   \
	{                        \
		&(name), &(name) \
	}

static inline void list_init(struct list_node *list)
{
	list->next = list;
	list->previous = list;
}

static inline bool list_is_empty(const struct list_node *list)
{
	return list->next == list;
}

static inline void list_insert_before(struct list_node *position, struct list_node *node)
{
	struct list_node *previous = position->previous;

	node->next = position;
	node->previous = previous;
	previous->next = node;
	position->previous = node;
}

static inline void list_push_back(struct list_node *list, struct list_node *node)
{
	list_insert_before(list, node);
}

static inline void list_push_front(struct list_node *list, struct list_node *node)
{
	list_insert_before(list->next, node);
}

// Removing a node that is in no list does nothing.
static inline void list_remove(struct list_node *node)
{
	struct list_node *next = node->next, *previous = node->previous;

	previous->next = next;
	next->previous = previous;
	list_init(node);
}

// The first node, removed; NULL if there is none.
static inline struct list_node *list_pop_front(struct list_node *list)
{
	struct list_node *node = list->next;

	if (node == list)
		return NULL;
	list_remove(node);
	return node;
}

#define list_for_each(node, list) \
	for (struct list_node *node = (list)->next; node != (list); node = node->next)

// The body may remove `node`.
#define list_for_each_safe(node, list)                                                         \
	for (struct list_node *node = (list)->next, *node##_next = node->next; node != (list); \
		node = node##_next, node##_next = node->next)

#endif

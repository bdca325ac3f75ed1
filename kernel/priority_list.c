// SPDX-License-Identifier: MIT
//
// Lists ordered by priority, with a list of the first nodes of all priorities: there are at most 256 of those.

#include <kernel/assert.h>
#include <kernel/priority_list.h>

static struct priority_node *node_of(struct list_node *all)
{
	return container_of(all, struct priority_node, all);
}

void priority_list_insert(struct priority_node **first, struct priority_node *node, uint8_t priority)
{
	struct priority_node *at = *first, *same = NULL;

	assert(!priority_list_contains(node));
	node->priority = priority;
	list_init(&node->all);
	list_init(&node->level);
	if (at == NULL) {
		*first = node;
		return;
	}
	// Before the first one of the next lower priority; where there is none, before the first of all, which is behind the last.
	do {
		if (at->priority < priority)
			break;
		if (at->priority == priority)
			same = at;
		at = container_of(at->level.next, struct priority_node, level);
	} while (at != *first);
	list_insert_before(&at->all, &node->all);
	if (same == NULL)
		list_insert_before(&at->level, &node->level);
	if ((*first)->priority < priority)
		*first = node;
}

void priority_list_remove(struct priority_node **first, struct priority_node *node)
{
	struct priority_node *next = node_of(node->all.next), *previous = node_of(node->all.previous);
	bool leads = *first == node || previous->priority != node->priority;

	assert(priority_list_contains(node));
	if (leads && next != node && next->priority == node->priority)
		list_insert_before(&node->level, &next->level);
	list_remove(&node->all);
	list_remove(&node->level);
	if (*first == node)
		*first = next == node ? NULL : next;
	node->all.next = NULL;
}

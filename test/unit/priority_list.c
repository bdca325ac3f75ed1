// SPDX-License-Identifier: MIT
//
// Lists by priority against an array that is kept sorted: random insertions and removals, from anywhere.

#include "check.h"
#include <kernel/priority_list.h>
#include <stdlib.h>
#include <string.h>

#define NODES  64
#define ROUNDS 200000

static struct priority_node nodes[NODES], *first, *sorted[NODES];
static unsigned count;

static void insert(struct priority_node *node, uint8_t priority)
{
	unsigned at = 0;

	while (at < count && sorted[at]->priority >= priority)
		at++;
	memmove(&sorted[at + 1], &sorted[at], (count - at) * sizeof(sorted[0]));
	sorted[at] = node;
	count++;
	priority_list_insert(&first, node, priority);
}

static void take(struct priority_node *node)
{
	unsigned at = 0;

	while (sorted[at] != node)
		at++;
	count--;
	memmove(&sorted[at], &sorted[at + 1], (count - at) * sizeof(sorted[0]));
	priority_list_remove(&first, node);
}

static void check(void)
{
	struct priority_node *node = first, *level = first;

	CHECK((first == NULL) == (count == 0));
	for (unsigned i = 0; i < count; i++) {
		CHECK(node == sorted[i] && priority_list_contains(node));
		if (i == 0 || sorted[i - 1]->priority != node->priority) {
			CHECK(level == node);
			level = container_of(level->level.next, struct priority_node, level);
		}
		node = container_of(node->all.next, struct priority_node, all);
	}
	CHECK(node == first && level == first);
}

int main(void)
{
	unsigned seed = 1;

	for (unsigned i = 0; i < ROUNDS; i++) {
		struct priority_node *node = &nodes[(unsigned)rand_r(&seed) % NODES];
		unsigned priorities = i % 2000 < 1000 ? 5 : 256;

		if (priority_list_contains(node))
			take(node);
		else
			insert(node, (uint8_t)((unsigned)rand_r(&seed) % priorities));
		check();
	}
	return 0;
}

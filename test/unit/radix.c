// SPDX-License-Identifier: MIT
//
// Radix trees against an array, for several heights; charges are exact and failed insertions change nothing.

#include "machine.h"
#include <kernel/frame.h>
#include <kernel/radix.h>
#include <stdio.h>
#include <string.h>

#define PLACES 1000
#define STEPS  40000

static uint64_t indices[PLACES]; // in rising order
static paddr_t model[PLACES];
static uint64_t entered;

// Places that are close together and far apart, below `count`.
static unsigned choose_indices(uint64_t count)
{
	unsigned places = 0;
	uint64_t index = 0;

	while (places < PLACES && index < count) {
		indices[places++] = index;
		index += random_below(3) ? 1 : 1 + random_below(1 + (count - index) / 50);
	}
	return places;
}

static uint64_t expected_next(uint64_t from, uint64_t end, unsigned places)
{
	for (unsigned i = 0; i < places; i++) {
		if (model[i] && indices[i] >= from && indices[i] < end)
			return indices[i];
	}
	return RADIX_NONE;
}

static void step(struct radix *tree, unsigned places, uint64_t count)
{
	unsigned place = (unsigned)random_below(places);
	uint64_t index = indices[place];
	uint64_t end = index + random_below(count - index + 1);

	CHECK(radix_get(tree, index) == (model[place] ? model[place] : PADDR_NONE));
	CHECK(radix_next(tree, index, end) == expected_next(index, end, places));
	if (model[place] && random_below(8) == 0) {
		model[place] += PAGE_SIZE;
		radix_replace(tree, index, model[place]);
	} else if (model[place]) {
		CHECK(radix_remove(tree, index, &root_account) == model[place]);
		model[place] = 0;
		entered--;
	} else {
		uint64_t used = root_account.pages_used;

		root_account.pages_limit = random_below(4) ? UINT64_MAX : used + random_below(4);
		model[place] = (1 + random_below(1 << 20)) << PAGE_SHIFT;
		if (radix_insert(tree, index, model[place], &root_account)) {
			entered++;
		} else {
			model[place] = 0;
			CHECK(root_account.pages_used == used);
		}
		root_account.pages_limit = UINT64_MAX;
	}
	CHECK(root_account.pages_used == frame_total() - frame_free());
}

static void try_height(uint64_t count, unsigned height)
{
	struct radix tree;
	unsigned places = choose_indices(count);

	radix_init(&tree, count);
	CHECK(tree.height == height);
	memset(model, 0, sizeof(model));
	for (unsigned i = 0; i < STEPS; i++)
		step(&tree, places, count);
	for (unsigned i = 0; i < places; i++) {
		if (model[i])
			CHECK(radix_remove(&tree, indices[i], &root_account) == model[i]);
	}
	CHECK(tree.root == 0 && root_account.pages_used == 0 && frame_free() == frame_total());
}

int main(void)
{
	machine_start(16);
	random_seed(3);
	try_height(1, 0);
	try_height(2, 1);
	try_height(512, 1);
	try_height(513, 2);
	try_height((uint64_t)1 << 18, 2);
	try_height((uint64_t)1 << 28, 4);
	try_height((uint64_t)1 << 35, 4);
	printf("ok\n");
	return 0;
}

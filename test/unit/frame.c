// SPDX-License-Identifier: MIT
//
// The frame allocator: random allocations do not overlap, counts are right, and all of it joins again.

#include "machine.h"
#include <kernel/boot.h>
#include <kernel/frame.h>
#include <stdio.h>
#include <string.h>

#define BLOCKS 400
#define STEPS  6000

struct block {
	paddr_t first;
	unsigned order;
	unsigned char mark;
	uint32_t sharers;
	uint32_t pins;
};

static struct block blocks[BLOCKS];

static size_t size_of(const struct block *block)
{
	return PAGE_SIZE << block->order;
}

static void check_content(const struct block *block)
{
	const unsigned char *bytes = phys_to_virt(block->first);

	CHECK(bytes[0] == block->mark && memcmp(bytes, bytes + 1, size_of(block) - 1) == 0);
}

static void allocate(struct block *block)
{
	block->order = random_below(4) ? 0 : (unsigned)random_below(7);
	block->first = block->order ? frame_allocate_order(block->order)
		: random_below(2)   ? frame_allocate()
				    : frame_allocate_zeroed();
	if (block->first == PADDR_NONE)
		return;
	CHECK(block->first % size_of(block) == 0);
	block->mark = (unsigned char)random_below(256);
	block->sharers = 1;
	block->pins = 0;
	memset(phys_to_virt(block->first), block->mark, size_of(block));
}

static void change_counts(struct block *block)
{
	switch (random_below(5)) {
	case 0:
		if (block->sharers > 0) {
			block->sharers++;
			frame_share(block->first);
		}
		break;
	case 1:
		frame_pin(block->first);
		block->pins++;
		break;
	case 2:
		if (block->pins > 0) {
			block->pins--;
			frame_unpin(block->first);
		}
		break;
	default:
		if (block->sharers > 0) {
			block->sharers--;
			frame_release(block->first);
		}
	}
}

// Gives up one count of a block; an order above 0 goes frame by frame.
static void step(struct block *block)
{
	if (block->first == PADDR_NONE) {
		allocate(block);
		return;
	}
	check_content(block);
	if (block->order > 0) {
		for (size_t at = 0; at < size_of(block); at += PAGE_SIZE)
			frame_release(block->first + at);
		block->first = PADDR_NONE;
		return;
	}
	CHECK(frame_sharers(block->first) == block->sharers);
	CHECK(frame_is_pinned(block->first) == (block->pins > 0));
	change_counts(block);
	if (block->sharers == 0 && block->pins == 0)
		block->first = PADDR_NONE;
}

static uint64_t frames_used(void)
{
	uint64_t used = 0;

	for (unsigned i = 0; i < BLOCKS; i++)
		used += blocks[i].first == PADDR_NONE ? 0 : (uint64_t)1 << blocks[i].order;
	return used;
}

int main(void)
{
	uint64_t largest_count = 0;

	machine_start(16);
	random_seed(1);
	CHECK(frame_free() == frame_total() && frame_total() > 16 * 256 - 64);
	for (unsigned i = 0; i < BLOCKS; i++)
		blocks[i].first = PADDR_NONE;
	for (unsigned i = 0; i < STEPS; i++) {
		step(&blocks[random_below(BLOCKS)]);
		CHECK(frame_free() == frame_total() - frames_used());
	}
	for (unsigned i = 0; i < BLOCKS; i++) {
		while (blocks[i].first != PADDR_NONE)
			step(&blocks[i]);
	}
	CHECK(frame_free() == frame_total());

	// All single frames come out once, then everything joins again to the blocks there were.
	machine_take_frames(0);
	CHECK(frame_allocate() == PADDR_NONE && frame_allocate_order(3) == PADDR_NONE);
	machine_return_frames();
	frame_trim();
	while (frame_allocate_order(10) != PADDR_NONE)
		largest_count++;
	CHECK(largest_count == 2);
	CHECK(frame_range_is_managed(boot_machine.memory[0].base, 1));
	CHECK(!frame_range_is_managed(boot_machine.memory[0].base - 1, 1));
	printf("ok\n");
	return 0;
}

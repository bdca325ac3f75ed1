// SPDX-License-Identifier: MIT
//
// Large pages: made and split in every way, seen through a TLB that forgets nothing by itself, and with each allocation
// failing in turn.

#include "machine.h"
#include "simulated_mmu.h"
#include <kernel/address_space.h>
#include <kernel/cpu.h>
#include <kernel/frame.h>
#include <kernel/memory.h>
#include <stdio.h>

#define BASE ((vaddr_t)0x40000000)
#define SIZE (2 * MMU_LARGE_SIZE)

static struct address_space *space;
static struct memory *memory;

static enum error map(vaddr_t address, uint64_t offset, uint64_t length)
{
	struct map_request request = {.offset = offset,
		.length = length,
		.address = address,
		.flags = MAPPING_READ | MAPPING_WRITE | MAPPING_FIXED};

	return address_space_map(space, memory, &request, MAPPING_READ | MAPPING_WRITE, &address);
}

// The word at an address as a CPU finds it; NULL: a fault that is not resolved.
static uint64_t *word_at(vaddr_t address, enum fault_access access)
{
	unsigned needed = MMU_USER | (access == FAULT_ACCESS_WRITE ? MMU_WRITE : MMU_READ);

	for (unsigned tries = 0; tries < 2; tries++) {
		paddr_t physical = host_mmu_access(&space->arch, address, needed);

		if (physical != PADDR_NONE)
			return phys_to_virt(physical);
		if (address_space_fault(space, address, access))
			return NULL;
	}
	return NULL;
}

static void fill(vaddr_t from, vaddr_t to)
{
	for (vaddr_t at = from; at < to; at += PAGE_SIZE) {
		uint64_t *word = word_at(at, FAULT_ACCESS_WRITE);

		CHECK(word != NULL);
		*word = at;
	}
}

static void check_filled(vaddr_t from, vaddr_t to)
{
	for (vaddr_t at = from; at < to; at += PAGE_SIZE) {
		const uint64_t *word = word_at(at, FAULT_ACCESS_READ);

		CHECK(word != NULL && *word == at);
	}
}

static uint64_t size_at(vaddr_t address)
{
	struct mapping_info info;

	CHECK(address_space_query(space, address, &info) == ERR_OK);
	return info.page_size;
}

// All that makes small pages of large ones, and what does not. False: no memory, nothing lost.
static bool live(void)
{
	struct memory *clone;
	const uint64_t *word;

	if (map(BASE, 0, SIZE) != ERR_OK)
		return false;
	if (word_at(BASE, FAULT_ACCESS_WRITE) == NULL ||
		word_at(BASE + MMU_LARGE_SIZE, FAULT_ACCESS_WRITE) == NULL) {
		CHECK(address_space_unmap(space, BASE, SIZE) == ERR_OK);
		return false;
	}
	CHECK(size_at(BASE) == MMU_LARGE_SIZE && size_at(BASE + SIZE - 1) == MMU_LARGE_SIZE);
	fill(BASE, BASE + SIZE);
	CHECK(size_at(BASE + SIZE - 1) == MMU_LARGE_SIZE);
	clone = memory_clone(memory, &root_account, 0, SIZE);
	if (clone) {
		CHECK(size_at(BASE) == MMU_LARGE_SIZE);
		check_filled(BASE, BASE + SIZE);
		word = word_at(BASE + PAGE_SIZE, FAULT_ACCESS_WRITE);
		CHECK(word == NULL || (size_at(BASE + PAGE_SIZE) == PAGE_SIZE && *word == BASE + PAGE_SIZE));
		object_put(&clone->object);
		object_reap();
		word = word_at(BASE + MMU_LARGE_SIZE, FAULT_ACCESS_WRITE);
		CHECK(word != NULL && size_at(BASE + MMU_LARGE_SIZE) == MMU_LARGE_SIZE);
	}
	// The rest is as it was: what a split needs is there.
	memory_decommit(memory, MMU_LARGE_SIZE + 3 * PAGE_SIZE, MMU_LARGE_SIZE + 4 * PAGE_SIZE);
	CHECK(size_at(BASE + MMU_LARGE_SIZE + 3 * PAGE_SIZE) == 0);
	CHECK(size_at(BASE + MMU_LARGE_SIZE) == PAGE_SIZE);
	check_filled(BASE, BASE + MMU_LARGE_SIZE + 3 * PAGE_SIZE);
	check_filled(BASE + MMU_LARGE_SIZE + 4 * PAGE_SIZE, BASE + SIZE);
	word = word_at(BASE + MMU_LARGE_SIZE + 3 * PAGE_SIZE, FAULT_ACCESS_READ);
	CHECK(word == NULL || *word == 0);
	CHECK(address_space_unmap(space, BASE, SIZE) == ERR_OK);
	return clone != NULL && word != NULL;
}

static bool split_by_range(void)
{
	vaddr_t inside = BASE + 7 * PAGE_SIZE;

	if (map(BASE, 0, SIZE) != ERR_OK)
		return false;
	if (word_at(BASE, FAULT_ACCESS_WRITE) == NULL) {
		CHECK(address_space_unmap(space, BASE, SIZE) == ERR_OK);
		return false;
	}
	fill(BASE, BASE + MMU_LARGE_SIZE);
	if (address_space_protect(space, inside, PAGE_SIZE, MAPPING_READ) != ERR_OK) {
		fill(BASE, BASE + MMU_LARGE_SIZE);
		CHECK(address_space_unmap(space, BASE, SIZE) == ERR_OK);
		return false;
	}
	CHECK(word_at(inside, FAULT_ACCESS_WRITE) == NULL && size_at(BASE) == PAGE_SIZE);
	check_filled(BASE, BASE + MMU_LARGE_SIZE);
	CHECK(address_space_unmap(space, inside, PAGE_SIZE) == ERR_OK);
	CHECK(word_at(inside, FAULT_ACCESS_READ) == NULL);
	fill(BASE, inside);
	fill(inside + PAGE_SIZE, BASE + MMU_LARGE_SIZE);
	CHECK(address_space_unmap(space, BASE, SIZE) == ERR_OK);
	return true;
}

// With so many more frames as the account may have, from none on until it works; a new space each time, for tables
// stay with theirs.
static void with_each_failing(const char *name, bool (*run)(void))
{
	uint64_t used = root_account.pages_used, limit = root_account.pages_limit, failed = 0;
	bool done = false;

	for (; !done; failed++) {
		memory = memory_create(&root_account, SIZE, MEMORY_RESIDENT);
		space = address_space_create(&root_account);
		CHECK(memory && space);
		address_space_switch(space);
		root_account.pages_limit = root_account.pages_used + failed;
		done = run();
		root_account.pages_limit = limit;
		address_space_switch(NULL);
		object_put(&space->object);
		object_put(&memory->object);
		object_reap();
		CHECK(root_account.pages_used == used);
	}
	printf("%s: failed %u times\n", name, (unsigned)failed - 1);
	CHECK(failed > 1);
}

int main(void)
{
	uint64_t free_before;

	machine_start(64);
	with_each_failing("split_by_range", split_by_range);
	frame_trim();
	free_before = frame_free();
	with_each_failing("live", live);
	with_each_failing("split_by_range", split_by_range);
	frame_trim();
	CHECK(frame_free() == free_before);
	return 0;
}

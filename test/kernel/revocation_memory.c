// SPDX-License-Identifier: MIT
//
// Revocation of memory: mappings go with the handles they were made through, and only those.

#include "test.h"

#define PAGES 8

static uint64_t map_pages(handle_t space, handle_t memory)
{
	struct map_request request = {.length = PAGES * PAGE_SIZE,
		.memory = memory,
		.flags = MAPPING_READ | MAPPING_WRITE | MAPPING_SHARED};
	uint64_t address = 0;

	EXPECT_OK(address_space_map(space, &request, &address));
	return address;
}

static bool is_mapped(handle_t space, uint64_t address)
{
	struct mapping_info info;

	return address_space_query(space, address, &info) == ERR_OK && info.address <= address;
}

TEST(revoke_unmaps)
{
	uint64_t by_root, by_copy, by_closed;
	handle_t root, copy, closed;

	REQUIRE_OK(memory_create(PAGES * PAGE_SIZE, 0, &root));
	REQUIRE_OK(handle_duplicate(root, RIGHTS_SAME, &copy));
	REQUIRE_OK(handle_duplicate(copy, RIGHTS_SAME, &closed));
	by_root = map_pages(HANDLE_SELF, root);
	by_copy = map_pages(HANDLE_SELF, copy);
	by_closed = map_pages(HANDLE_SELF, closed);
	handle_close(closed);
	*(volatile uint64_t *)by_copy = 5;
	EXPECT_EQUAL(*(volatile uint64_t *)by_closed, 5);
	// What was mapped through the handle itself stays.
	EXPECT_OK(handle_revoke(copy));
	EXPECT(is_mapped(HANDLE_SELF, by_copy) && !is_mapped(HANDLE_SELF, by_closed));
	EXPECT_OK(handle_revoke(root));
	EXPECT(is_mapped(HANDLE_SELF, by_root) && !is_mapped(HANDLE_SELF, by_copy));
	EXPECT_EQUAL(*(volatile uint64_t *)by_root, 5);
	EXPECT_OK(address_space_unmap(HANDLE_SELF, by_root, PAGES * PAGE_SIZE));
	handle_close(root);
}

TEST(revoke_unmaps_parts_of_mappings)
{
	uint64_t address;
	handle_t root, copy;

	REQUIRE_OK(memory_create(PAGES * PAGE_SIZE, 0, &root));
	REQUIRE_OK(handle_duplicate(root, RIGHTS_SAME, &copy));
	address = map_pages(HANDLE_SELF, copy);
	EXPECT_OK(address_space_protect(HANDLE_SELF, address + 2 * PAGE_SIZE, PAGE_SIZE, MAPPING_READ));
	EXPECT_OK(address_space_unmap(HANDLE_SELF, address + 5 * PAGE_SIZE, PAGE_SIZE));
	EXPECT_OK(handle_revoke(root));
	for (unsigned i = 0; i < PAGES; i++)
		EXPECT(!is_mapped(HANDLE_SELF, address + i * PAGE_SIZE));
	handle_close(root);
}

TEST(revoke_does_not_mix_neighbours)
{
	struct map_request request = {.length = PAGE_SIZE, .flags = MAPPING_READ | MAPPING_SHARED};
	handle_t root, copy;
	uint64_t address, next;

	REQUIRE_OK(memory_create(2 * PAGE_SIZE, 0, &root));
	REQUIRE_OK(handle_duplicate(root, RIGHTS_SAME, &copy));
	request.memory = root;
	REQUIRE_OK(address_space_map(HANDLE_SELF, &request, &address));
	// It continues the one below in address and offset.
	request = (struct map_request){.length = PAGE_SIZE,
		.flags = MAPPING_READ | MAPPING_SHARED | MAPPING_FIXED | MAPPING_REPLACE,
		.address = address + PAGE_SIZE,
		.offset = PAGE_SIZE,
		.memory = copy};
	REQUIRE_OK(address_space_map(HANDLE_SELF, &request, &next));
	EXPECT_OK(handle_revoke(root));
	EXPECT(is_mapped(HANDLE_SELF, address) && !is_mapped(HANDLE_SELF, next));
	EXPECT_OK(address_space_unmap(HANDLE_SELF, address, PAGE_SIZE));
	handle_close(root);
}

TEST(revoke_reaches_clones_of_spaces)
{
	handle_t root, copy, space, clone;
	uint64_t address;

	REQUIRE_OK(memory_create(PAGES * PAGE_SIZE, 0, &root));
	REQUIRE_OK(handle_duplicate(root, RIGHTS_SAME, &copy));
	REQUIRE_OK(address_space_create(&space));
	address = map_pages(space, copy);
	REQUIRE_OK(address_space_clone(space, &clone));
	EXPECT(is_mapped(clone, address));
	EXPECT_OK(handle_revoke(root));
	EXPECT(!is_mapped(clone, address) && !is_mapped(space, address));
	handle_close(clone);
	handle_close(space);
	handle_close(root);
}

// --- Other processes

enum { MEMORY, READY };

static uint64_t touch_for_ever(uint64_t argument)
{
	volatile uint64_t *word = (uint64_t *)map_pages(HANDLE_SELF, child_given[MEMORY]);

	handle_close(child_given[MEMORY]);
	*word = 7;
	notification_signal(child_given[READY], 1);
	while (argument == 0)
		*word += 1;
	return *word;
}

TEST(revoke_unmaps_in_a_running_process)
{
	volatile uint64_t *word;
	struct process_info info;
	struct child child;
	handle_t given[2];
	uint64_t bits, last;

	REQUIRE_OK(memory_create(PAGES * PAGE_SIZE, 0, &given[MEMORY]));
	REQUIRE_OK(notification_create(&given[READY]));
	word = (uint64_t *)map_pages(HANDLE_SELF, given[MEMORY]);
	REQUIRE(child_start(&child, touch_for_ever, 0, given, 2));
	EXPECT_OK(notification_wait(given[READY], after(10000 * MILLISECOND), &bits));
	EXPECT_OK(handle_revoke(given[MEMORY]));
	last = *word;
	EXPECT(last >= 7);
	info = child_wait(&child);
	EXPECT_EQUAL(info.reason, EXIT_FAULT);
	EXPECT_EQUAL(*word, last);
	EXPECT_OK(address_space_unmap(HANDLE_SELF, (uint64_t)word, PAGES * PAGE_SIZE));
	handle_close(given[MEMORY]);
	handle_close(given[READY]);
}

// --- At the same time

struct mapper {
	handle_t copy;
	handle_t space;
};

// Maps, unmaps, parts and copies until the handle is gone.
static uint64_t map_until_gone(void *argument)
{
	const struct mapper *mapper = argument;

	for (;;) {
		struct map_request request = {.length = PAGES * PAGE_SIZE,
			.memory = mapper->copy,
			.flags = MAPPING_READ | MAPPING_WRITE | MAPPING_SHARED};
		uint64_t first, second;
		handle_t clone;
		enum error error = address_space_map(mapper->space, &request, &first);

		if (error == ERR_BUSY)
			continue;
		if (error != ERR_OK)
			return error;
		if (address_space_map(mapper->space, &request, &second) == ERR_OK)
			address_space_protect(mapper->space, second + PAGE_SIZE, PAGE_SIZE, MAPPING_READ);
		if (address_space_clone(mapper->space, &clone) == ERR_OK)
			handle_close(clone);
		address_space_unmap(mapper->space, first, PAGES * PAGE_SIZE);
	}
}

TEST(revoke_while_others_map)
{
	handle_t root, space;

	REQUIRE_OK(memory_create(PAGES * PAGE_SIZE, 0, &root));
	REQUIRE_OK(address_space_create(&space));
	for (unsigned round = 0; round < 5; round++) {
		struct mapper mappers[2];
		struct worker workers[2];
		struct mapping_info info;

		for (unsigned i = 0; i < 2; i++) {
			mappers[i].space = space;
			REQUIRE_OK(handle_duplicate(root, RIGHTS_SAME, &mappers[i].copy));
			REQUIRE(worker_start(&workers[i], map_until_gone, &mappers[i]));
		}
		thread_sleep(after(3 * MILLISECOND));
		EXPECT_OK(handle_revoke(root));
		for (unsigned i = 0; i < 2; i++)
			EXPECT_EQUAL(worker_join(&workers[i]), ERR_BAD_HANDLE);
		EXPECT_ERROR(NOT_FOUND, address_space_query(space, 0, &info));
	}
	handle_close(space);
	handle_close(root);
}

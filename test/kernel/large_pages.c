// SPDX-License-Identifier: MIT
//
// Pages of 2 MiB: where there are some, and what splits them.

#include "test.h"

#define LARGE ((uint64_t)2 << 20)
#define SIZE  (3 * LARGE)

// Aligned, and nothing has been there: a page table that a range has once got stays.
static uint64_t place;

static void new_place(void)
{
	place = place ? place + 32 * LARGE : (uint64_t)1 << 32;
}

static uint64_t page_size(handle_t space, uint64_t address)
{
	struct mapping_info info = {0};

	EXPECT_OK(address_space_query(space, address, &info));
	return info.page_size;
}

static bool map_at(handle_t memory, uint64_t address, uint64_t offset, uint64_t length)
{
	struct map_request request = {.memory = memory,
		.address = address,
		.offset = offset,
		.length = length,
		.flags = MAPPING_READ | MAPPING_WRITE | MAPPING_FIXED};

	return address_space_map(HANDLE_SELF, &request, &address) == ERR_OK;
}

static void fill(uint64_t address, uint64_t length)
{
	for (uint64_t at = 0; at < length; at += PAGE_SIZE)
		*(volatile uint64_t *)(address + at) = at + 1;
}

static void check_filled(uint64_t address, uint64_t from, uint64_t to)
{
	for (uint64_t at = from; at < to; at += PAGE_SIZE)
		EXPECT_EQUAL(*(volatile uint64_t *)(address + at), at + 1);
}

TEST(large_pages_map_aligned_memory)
{
	struct memory_info info;
	handle_t memory;

	new_place();
	for (unsigned contiguous = 0; contiguous < 2; contiguous++) {
		REQUIRE_OK(memory_create(SIZE, contiguous ? MEMORY_CONTIGUOUS : MEMORY_RESIDENT, &memory));
		EXPECT_OK(memory_info(memory, &info));
		EXPECT_EQUAL(info.resident, SIZE);
		REQUIRE(map_at(memory, place, 0, SIZE));
		EXPECT_EQUAL(page_size(HANDLE_SELF, place), 0);
		EXPECT_EQUAL(*(volatile uint64_t *)(place + PAGE_SIZE), 0);
		EXPECT_EQUAL(page_size(HANDLE_SELF, place), LARGE);
		EXPECT_EQUAL(page_size(HANDLE_SELF, place + LARGE - 1), LARGE);
		EXPECT_EQUAL(page_size(HANDLE_SELF, place + LARGE), 0);
		fill(place, SIZE);
		check_filled(place, 0, SIZE);
		EXPECT_EQUAL(page_size(HANDLE_SELF, place + SIZE - 1), LARGE);
		EXPECT_OK(address_space_unmap(HANDLE_SELF, place, SIZE));
		handle_close(memory);
	}
}

// Without an address that the caller asks for, the kernel chooses one where large pages fit.
TEST(large_pages_are_placed_where_they_fit)
{
	struct map_request request = {.length = SIZE, .flags = MAPPING_READ | MAPPING_WRITE};
	uint64_t address, first;

	REQUIRE_OK(memory_create(SIZE, MEMORY_RESIDENT, &request.memory));
	REQUIRE_OK(address_space_map(HANDLE_SELF, &request, &first));
	EXPECT_EQUAL(first % LARGE, 0);
	REQUIRE_OK(address_space_map(HANDLE_SELF, &request, &address));
	EXPECT_EQUAL(address % LARGE, 0);
	EXPECT_OK(address_space_unmap(HANDLE_SELF, first, SIZE));
	EXPECT_OK(address_space_unmap(HANDLE_SELF, address, SIZE));
	handle_close(request.memory);
}

// A revocation takes large pages away as it does others, and only its own.
TEST(large_pages_go_with_their_capability)
{
	struct mapping_info info;
	handle_t memory, lent;

	new_place();
	REQUIRE_OK(memory_create(SIZE, MEMORY_RESIDENT, &memory));
	REQUIRE_OK(handle_duplicate(memory, RIGHTS_SAME, &lent));
	REQUIRE(map_at(lent, place, 0, SIZE));
	REQUIRE(map_at(memory, place + 4 * LARGE, 0, SIZE));
	fill(place, SIZE);
	check_filled(place + 4 * LARGE, 0, SIZE);
	EXPECT_EQUAL(page_size(HANDLE_SELF, place + LARGE), LARGE);
	EXPECT_OK(handle_revoke(memory));
	EXPECT(address_space_query(HANDLE_SELF, place, &info) != ERR_OK || info.address >= place + SIZE);
	EXPECT_EQUAL(page_size(HANDLE_SELF, place + 4 * LARGE), LARGE);
	fill(place + 4 * LARGE, SIZE);
	EXPECT_OK(address_space_unmap(HANDLE_SELF, place + 4 * LARGE, SIZE));
	handle_close(memory);
}

TEST(large_pages_need_alignment)
{
	handle_t memory;

	new_place();
	REQUIRE_OK(memory_create(SIZE, MEMORY_RESIDENT, &memory));
	REQUIRE(map_at(memory, place + LARGE + PAGE_SIZE, 0, SIZE));
	fill(place + LARGE + PAGE_SIZE, SIZE);
	EXPECT_EQUAL(page_size(HANDLE_SELF, place + 2 * LARGE), PAGE_SIZE);
	REQUIRE(map_at(memory, place + 8 * LARGE, PAGE_SIZE, SIZE - PAGE_SIZE));
	EXPECT_EQUAL(*(volatile uint64_t *)(place + 8 * LARGE), PAGE_SIZE + 1);
	EXPECT_EQUAL(page_size(HANDLE_SELF, place + 8 * LARGE), PAGE_SIZE);
	EXPECT_OK(address_space_unmap(HANDLE_SELF, place, 16 * LARGE));
	handle_close(memory);
}

TEST(large_pages_are_split_by_unmapping_and_protecting)
{
	handle_t memory;

	new_place();
	REQUIRE_OK(memory_create(SIZE, MEMORY_RESIDENT, &memory));
	REQUIRE(map_at(memory, place, 0, SIZE));
	fill(place, SIZE);
	EXPECT_OK(address_space_unmap(HANDLE_SELF, place + 5 * PAGE_SIZE, 2 * PAGE_SIZE));
	EXPECT_EQUAL(page_size(HANDLE_SELF, place), PAGE_SIZE); // the rest is still there
	EXPECT_EQUAL(page_size(HANDLE_SELF, place + LARGE - 1), PAGE_SIZE);
	check_filled(place, 0, 5 * PAGE_SIZE);
	check_filled(place, 7 * PAGE_SIZE, SIZE);
	EXPECT_OK(address_space_protect(HANDLE_SELF, place + LARGE + PAGE_SIZE, PAGE_SIZE, MAPPING_READ));
	EXPECT_EQUAL(page_size(HANDLE_SELF, place + LARGE + PAGE_SIZE), PAGE_SIZE);
	fill(place, PAGE_SIZE);
	*(volatile uint64_t *)(place + LARGE) = LARGE + 1; // its neighbours can still be written
	*(volatile uint64_t *)(place + LARGE + 2 * PAGE_SIZE) = LARGE + 2 * PAGE_SIZE + 1;
	check_filled(place, LARGE, SIZE);
	EXPECT_EQUAL(page_size(HANDLE_SELF, place + LARGE), PAGE_SIZE);
	EXPECT_EQUAL(page_size(HANDLE_SELF, place + 2 * LARGE), LARGE);
	EXPECT_OK(memory_decommit(memory, 2 * LARGE + PAGE_SIZE, PAGE_SIZE));
	EXPECT_EQUAL(*(volatile uint64_t *)(place + 2 * LARGE + PAGE_SIZE), 0);
	check_filled(place, 2 * LARGE + 2 * PAGE_SIZE, SIZE);
	EXPECT_EQUAL(page_size(HANDLE_SELF, place + 2 * LARGE), PAGE_SIZE);
	EXPECT_OK(address_space_unmap(HANDLE_SELF, place, SIZE));
	handle_close(memory);
}

// Shared blocks are mapped for reading; a write takes one page out.
TEST(large_pages_are_copied_on_write)
{
	handle_t memory, clone;
	uint64_t word = 0;

	new_place();
	REQUIRE_OK(memory_create(SIZE, MEMORY_RESIDENT, &memory));
	REQUIRE(map_at(memory, place, 0, SIZE));
	fill(place, SIZE);
	REQUIRE_OK(memory_clone(memory, 0, SIZE, &clone));
	check_filled(place, 0, SIZE);
	EXPECT_EQUAL(page_size(HANDLE_SELF, place), LARGE);
	*(volatile uint64_t *)(place + 3 * PAGE_SIZE) = 99;
	EXPECT_EQUAL(page_size(HANDLE_SELF, place + 3 * PAGE_SIZE), PAGE_SIZE);
	EXPECT_OK(memory_read(clone, 3 * PAGE_SIZE, &word, sizeof(word)));
	EXPECT_EQUAL(word, 3 * PAGE_SIZE + 1);
	handle_close(clone);
	// What nobody shares any more can be written as a whole again.
	fill(place + LARGE, LARGE);
	EXPECT_EQUAL(page_size(HANDLE_SELF, place + LARGE), LARGE);
	EXPECT_EQUAL(*(volatile uint64_t *)(place + 3 * PAGE_SIZE), 99);
	check_filled(place, 4 * PAGE_SIZE, LARGE);
	EXPECT_OK(address_space_unmap(HANDLE_SELF, place, SIZE));
	handle_close(memory);
}

// --- On several CPUs

static atomic_bool stop;

static uint64_t count_up(void *argument)
{
	volatile uint64_t *word = argument;

	while (!atomic_load(&stop))
		*word += 1;
	return 0;
}

// A writer in one half of a large page goes on while it is cloned and the other half is unmapped and mapped again.
static void change_under_writer(void)
{
	uint64_t *word, seen = 0, later = 0;
	struct worker writer;
	handle_t memory, clone;

	new_place();
	word = (uint64_t *)(place + LARGE - 8);
	REQUIRE_OK(memory_create(LARGE, MEMORY_RESIDENT, &memory));
	REQUIRE(map_at(memory, place, 0, LARGE));
	*word = 0;
	EXPECT_EQUAL(page_size(HANDLE_SELF, place), LARGE);
	atomic_store(&stop, false);
	REQUIRE(worker_start(&writer, count_up, word));
	for (unsigned round = 0; round < 3; round++) {
		thread_yield();
		EXPECT_OK(address_space_unmap(HANDLE_SELF, place, LARGE / 2));
		EXPECT_EQUAL(page_size(HANDLE_SELF, place + LARGE / 2), PAGE_SIZE);
		REQUIRE_OK(memory_clone(memory, 0, LARGE, &clone));
		EXPECT_OK(memory_read(clone, LARGE - 8, &seen, sizeof(seen)));
		thread_yield();
		EXPECT(map_at(memory, place, 0, LARGE / 2));
		EXPECT_OK(memory_read(clone, LARGE - 8, &later, sizeof(later)));
		EXPECT_EQUAL(later, seen);
		handle_close(clone);
	}
	atomic_store(&stop, true);
	EXPECT_EQUAL(worker_join(&writer), 0);
	EXPECT(*word >= seen);
	EXPECT_OK(address_space_unmap(HANDLE_SELF, place, LARGE));
	handle_close(memory);
}

TEST(large_pages_change_under_a_writer)
{
	for (unsigned i = 0; i < 10; i++)
		change_under_writer();
}

// SPDX-License-Identifier: MIT
//
// Rings of the native library between two processes, over shared memory and notifications.

#include "test.h"
#include <runtime/ring.h>

#define RECORDS  20000
#define CAPACITY 16

struct record {
	uint64_t number, square;
};

enum given {
	MEMORY,
	FILLED,
	EMPTIED,
};

static bool map_ring(handle_t memory, handle_t filled, handle_t emptied, struct ring *ring)
{
	struct map_request request = {.memory = memory,
		.length = PAGE_SIZE,
		.flags = MAPPING_READ | MAPPING_WRITE | MAPPING_SHARED};
	uint64_t address;

	if (address_space_map(HANDLE_SELF, &request, &address) != ERR_OK)
		return false;
	*ring = ring_attach((void *)address, sizeof(struct record), CAPACITY, filled, emptied);
	return true;
}

static uint64_t get_all(uint64_t count)
{
	struct record record;
	struct ring ring;

	if (!map_ring(child_given[MEMORY], child_given[FILLED], child_given[EMPTIED], &ring))
		return 1;
	for (uint64_t i = 0; i < count; i++) {
		if (ring_get(&ring, &record, DEADLINE_NEVER) != ERR_OK)
			return 2;
		if (record.number != i || record.square != i * i)
			return 3;
	}
	return 0;
}

// The two ends, each with a handle of the kind that it needs and no more.
struct ends {
	handle_t memory, filled, emptied;
	struct ring put;
	struct child getter;
};

static bool make_ends(struct ends *ends)
{
	return memory_create(PAGE_SIZE, 0, &ends->memory) == ERR_OK &&
		notification_create(&ends->filled) == ERR_OK &&
		notification_create(&ends->emptied) == ERR_OK &&
		map_ring(ends->memory, ends->filled, ends->emptied, &ends->put);
}

static void close_ends(struct ends *ends)
{
	EXPECT_OK(address_space_unmap(HANDLE_SELF, (uintptr_t)ends->put.memory, PAGE_SIZE));
	handle_close(ends->memory);
	handle_close(ends->filled);
	handle_close(ends->emptied);
}

TEST(ring_carries_records_between_processes)
{
	uint64_t deadline = after(120000 * MILLISECOND);
	handle_t given[3];
	struct ends ends;

	REQUIRE(make_ends(&ends));
	given[MEMORY] = ends.memory;
	given[FILLED] = without(ends.filled, RIGHT_SEND);
	given[EMPTIED] = without(ends.emptied, RIGHT_RECEIVE);
	REQUIRE(child_start(&ends.getter, get_all, RECORDS, given, 3));
	for (uint64_t i = 0; i < RECORDS; i++)
		REQUIRE_OK(ring_put(&ends.put, &(struct record){i, i * i}, deadline));
	EXPECT_EQUAL(child_wait(&ends.getter).exit_status, 0);
	handle_close(given[FILLED]);
	handle_close(given[EMPTIED]);
	close_ends(&ends);
}

// Full, empty, and with nonsense in it.
TEST(ring_ends_believe_only_themselves)
{
	struct record record = {0};
	struct ring get;
	struct ends ends;

	REQUIRE(make_ends(&ends));
	get = ends.put;
	EXPECT_ERROR(TIMED_OUT, ring_get(&get, &record, after(MILLISECOND)));
	for (uint64_t i = 0; i < CAPACITY; i++)
		EXPECT_OK(ring_put(&ends.put, &(struct record){i, i}, DEADLINE_NEVER));
	EXPECT_ERROR(TIMED_OUT, ring_put(&ends.put, &record, after(MILLISECOND)));
	EXPECT_OK(ring_get(&get, &record, DEADLINE_NEVER));
	EXPECT_EQUAL(record.number, 0);
	EXPECT_OK(ring_put(&ends.put, &(struct record){CAPACITY, 0}, DEADLINE_NEVER));
	ends.put.memory->got = 1000;
	EXPECT_ERROR(BAD_STATE, ring_put(&ends.put, &record, DEADLINE_NEVER));
	ends.put.memory->put = 1000;
	EXPECT_ERROR(BAD_STATE, ring_get(&get, &record, DEADLINE_NEVER));
	close_ends(&ends);
}

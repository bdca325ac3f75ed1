// SPDX-License-Identifier: MIT
//
// Memory objects and accounts.

#include "test.h"
#include <string.h>

static char buffer[2 * PAGE_SIZE + 64], back[sizeof(buffer)];

TEST(memory_is_zero_and_keeps_what_is_written)
{
	handle_t memory;

	REQUIRE_OK(memory_create(4 * PAGE_SIZE, 0, &memory));
	memset(back, 1, sizeof(back));
	EXPECT_OK(memory_read(memory, PAGE_SIZE - 7, back, sizeof(back)));
	for (unsigned i = 0; i < sizeof(back); i++)
		EXPECT(back[i] == 0);
	for (unsigned i = 0; i < sizeof(buffer); i++)
		buffer[i] = (char)(i * 13 + 1);
	EXPECT_OK(memory_write(memory, PAGE_SIZE - 7, buffer, sizeof(buffer)));
	EXPECT_OK(memory_read(memory, PAGE_SIZE - 7, back, sizeof(back)));
	EXPECT(memcmp(buffer, back, sizeof(buffer)) == 0);
	handle_close(memory);
}

TEST(memory_create_arguments)
{
	handle_t memory;

	EXPECT_ERROR(INVALID_ARGUMENT, memory_create(0, 0, &memory));
	EXPECT_ERROR(INVALID_ARGUMENT, memory_create(PAGE_SIZE + 1, 0, &memory));
	EXPECT_ERROR(INVALID_ARGUMENT, memory_create(UINT64_MAX, 0, &memory));
	EXPECT_ERROR(INVALID_ARGUMENT, memory_create(UINT64_MAX & ~(PAGE_SIZE - 1), 0, &memory));
	EXPECT_ERROR(INVALID_ARGUMENT, memory_create(PAGE_SIZE, (uint64_t)1 << 40, &memory));
	EXPECT_ERROR(NO_MEMORY, memory_create((uint64_t)1 << 38, MEMORY_RESIDENT, &memory));
}

TEST(memory_ranges_and_pointers)
{
	handle_t memory, fewer;
	void *bad;

	REQUIRE_OK(memory_create(PAGE_SIZE, 0, &memory));
	EXPECT_ERROR(INVALID_ARGUMENT, memory_read(memory, PAGE_SIZE, back, 1));
	EXPECT_ERROR(INVALID_ARGUMENT, memory_read(memory, 1, back, PAGE_SIZE));
	EXPECT_ERROR(INVALID_ARGUMENT, memory_read(memory, UINT64_MAX, back, 2));
	EXPECT_ERROR(INVALID_ARGUMENT, memory_write(memory, 8, back, UINT64_MAX));
	for (unsigned i = 0; bad_pointer(i, &bad); i++) {
		EXPECT_ERROR(BAD_ADDRESS, memory_read(memory, 0, bad, 16));
		EXPECT_ERROR(BAD_ADDRESS, memory_write(memory, 0, bad, 16));
	}
	EXPECT_ERROR(BAD_ADDRESS, memory_read(memory, 0, end_of_page(8), 9));
	EXPECT_OK(memory_read(memory, 0, end_of_page(8), 8));
	fewer = without(memory, RIGHT_READ);
	EXPECT_ERROR(NO_RIGHTS, memory_read(fewer, 0, back, 1));
	handle_close(fewer);
	fewer = without(memory, RIGHT_WRITE);
	EXPECT_ERROR(NO_RIGHTS, memory_write(fewer, 0, back, 1));
	handle_close(fewer);
	handle_close(memory);
}

TEST(memory_info_counts_residents)
{
	struct memory_info info;
	handle_t memory;

	REQUIRE_OK(memory_create(8 * PAGE_SIZE, 0, &memory));
	EXPECT_OK(memory_info(memory, &info));
	EXPECT_EQUAL(info.size, 8 * PAGE_SIZE);
	EXPECT_EQUAL(info.resident, 0);
	EXPECT_OK(memory_write(memory, 3 * PAGE_SIZE, "x", 1));
	EXPECT_OK(memory_info(memory, &info));
	EXPECT_EQUAL(info.resident, PAGE_SIZE);
	handle_close(memory);
	REQUIRE_OK(memory_create(8 * PAGE_SIZE, MEMORY_RESIDENT, &memory));
	EXPECT_OK(memory_info(memory, &info));
	EXPECT_EQUAL(info.resident, 8 * PAGE_SIZE);
	handle_close(memory);
	REQUIRE_OK(memory_create(8 * PAGE_SIZE, MEMORY_CONTIGUOUS, &memory));
	EXPECT_OK(memory_info(memory, &info));
	EXPECT(info.physical != 0 && info.physical % PAGE_SIZE == 0);
	handle_close(memory);
}

TEST(memory_clone_is_copy_on_write)
{
	struct memory_info info;
	handle_t parent, clone;
	char byte = 0;

	REQUIRE_OK(memory_create(4 * PAGE_SIZE, 0, &parent));
	EXPECT_OK(memory_write(parent, PAGE_SIZE, "parent", 7));
	REQUIRE_OK(memory_clone(parent, PAGE_SIZE, 2 * PAGE_SIZE, &clone));
	EXPECT_OK(memory_info(clone, &info));
	EXPECT_EQUAL(info.size, 2 * PAGE_SIZE);
	EXPECT_OK(memory_read(clone, 0, back, 7));
	EXPECT(strcmp(back, "parent") == 0);
	EXPECT_OK(memory_write(clone, 0, "child", 6));
	EXPECT_OK(memory_read(parent, PAGE_SIZE, back, 7));
	EXPECT(strcmp(back, "parent") == 0);
	EXPECT_OK(memory_write(parent, 2 * PAGE_SIZE, "z", 1));
	EXPECT_OK(memory_read(clone, PAGE_SIZE, &byte, 1));
	EXPECT_EQUAL(byte, 0);
	EXPECT_ERROR(INVALID_ARGUMENT, memory_clone(parent, 0, 5 * PAGE_SIZE, &clone));
	EXPECT_ERROR(INVALID_ARGUMENT, memory_clone(parent, 1, PAGE_SIZE, &clone));
	EXPECT_ERROR(
		INVALID_ARGUMENT, memory_clone(parent, UINT64_MAX & ~(PAGE_SIZE - 1), 2 * PAGE_SIZE, &clone));
	handle_close(clone);
	handle_close(parent);
}

TEST(account_limits_pages)
{
	struct account_info before, used;
	handle_t account, process, space, memory;
	struct map_request request = {.length = 64 * PAGE_SIZE, .flags = MAPPING_READ | MAPPING_WRITE};
	uint64_t address, copied;
	unsigned touched = 0;

	REQUIRE_OK(account_create(start_handle(START_ACCOUNT), 32, 100, &account));
	EXPECT_OK(account_info(account, &before));
	EXPECT_EQUAL(before.pages_limit, 32);
	EXPECT_EQUAL(before.pages_used, 0);
	REQUIRE_OK(process_create(account, "poor", &process));
	REQUIRE_OK(process_address_space(process, &space));
	REQUIRE_OK(address_space_map(space, &request, &address));
	while (touched < 64 &&
		address_space_write(space, address + touched * PAGE_SIZE, "x", 1, &copied) == ERR_OK)
		touched++;
	EXPECT(touched > 0 && touched < 32);
	EXPECT_ERROR(NO_MEMORY, address_space_write(space, address + touched * PAGE_SIZE, "x", 1, &copied));
	EXPECT_OK(account_info(account, &used));
	EXPECT(used.pages_used <= 32 && used.pages_used >= touched);
	// The rest of the system does not notice.
	REQUIRE_OK(memory_create(PAGE_SIZE, MEMORY_RESIDENT, &memory));
	handle_close(memory);
	EXPECT_OK(process_kill(process, 0));
	handle_close(space);
	handle_close(process);
	EXPECT_OK(account_info(account, &used));
	EXPECT_EQUAL(used.pages_used, 0);
	EXPECT_EQUAL(used.objects_used, 0);
	handle_close(account);
}

TEST(account_arguments_and_rights)
{
	handle_t account, fewer, made;
	struct account_info info;

	EXPECT_ERROR(INVALID_ARGUMENT, account_create(start_handle(START_ACCOUNT), 0, 1, &account));
	EXPECT_ERROR(INVALID_ARGUMENT, account_create(start_handle(START_ACCOUNT), 1, 0, &account));
	REQUIRE_OK(account_create(start_handle(START_ACCOUNT), 10, 10, &account));
	fewer = without(account, RIGHT_CREATE);
	EXPECT_ERROR(NO_RIGHTS, account_create(fewer, 1, 1, &made));
	handle_close(fewer);
	fewer = without(account, RIGHT_READ);
	EXPECT_ERROR(NO_RIGHTS, account_info(fewer, &info));
	handle_close(fewer);
	fewer = without(account, RIGHT_GRANT);
	EXPECT_ERROR(NO_RIGHTS, process_create(fewer, "none", &made));
	handle_close(fewer);
	handle_close(account);
}

// Copies at every alignment of both sides, of lengths around those that the kernel has loops for.
TEST(memory_copies_at_any_alignment)
{
	static const uint16_t lengths[] = {0, 1, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 100, 200};
	static uint8_t from[256], to[256];
	handle_t memory;

	REQUIRE_OK(memory_create(PAGE_SIZE, 0, &memory));
	for (unsigned i = 0; i < sizeof(from); i++)
		from[i] = (uint8_t)(i * 37 + 11);
	for (unsigned round = 0; round < 64 * sizeof(lengths) / sizeof(lengths[0]); round++) {
		unsigned here = round % 8, there = round / 8 % 8, length = lengths[round / 64];

		memset(to, 0xee, sizeof(to));
		EXPECT_OK(memory_write(memory, there, from + here, length));
		EXPECT_OK(memory_read(memory, there, to + 16 + here, length));
		EXPECT(memcmp(to + 16 + here, from + here, length) == 0);
		EXPECT(to[15 + here] == 0xee && to[16 + here + length] == 0xee);
	}
	handle_close(memory);
}

TEST(memory_contiguous_is_in_one_piece)
{
	static const uint64_t sizes[] = {1, 2, 3, 8, 100, 512, 2048};
	handle_t memory, clone;

	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint64_t size = sizes[i] * PAGE_SIZE, block = PAGE_SIZE, word = 1;
		struct memory_info info;

		while (block < size)
			block *= 2;
		REQUIRE_OK(memory_create(size, MEMORY_CONTIGUOUS, &memory));
		EXPECT_OK(memory_info(memory, &info));
		EXPECT_EQUAL(info.resident, size);
		EXPECT(info.physical != 0 && info.physical % block == 0);
		for (uint64_t page = 0; page < sizes[i]; page++) {
			EXPECT_OK(memory_read(memory, page * PAGE_SIZE, &word, sizeof(word)));
			EXPECT_EQUAL(word, 0);
		}
		// What a device writes to stays where it is: a clone gets copies, and nothing is dropped.
		REQUIRE_OK(memory_clone(memory, 0, size, &clone));
		EXPECT_OK(memory_write(memory, 0, &size, sizeof(size)));
		EXPECT_OK(memory_info(clone, &info));
		EXPECT_EQUAL(info.physical, 0);
		EXPECT_ERROR(INVALID_ARGUMENT, memory_decommit(memory, 0, PAGE_SIZE));
		handle_close(clone);
		handle_close(memory);
	}
	// Larger than any block; larger than what there is.
	EXPECT_ERROR(
		INVALID_ARGUMENT, memory_create(((uint64_t)1 << 30) + PAGE_SIZE, MEMORY_CONTIGUOUS, &memory));
	EXPECT_ERROR(NO_MEMORY, memory_create((uint64_t)1 << 30, MEMORY_CONTIGUOUS, &memory));
	REQUIRE_OK(memory_create(PAGE_SIZE, MEMORY_CONTIGUOUS, &memory));
	clone = without(memory, RIGHT_CONTROL);
	EXPECT_OK(memory_info(clone, &(struct memory_info){0}));
	handle_close(clone);
	handle_close(memory);
}

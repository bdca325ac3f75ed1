// SPDX-License-Identifier: MIT
//
// Address spaces: mapping, unmapping, protection, clones, access from outside.

#include "test.h"
#include <string.h>

static char data[PAGE_SIZE + 100], back[sizeof(data)];

TEST(space_map_and_touch)
{
	struct map_request request = {.length = 16 * PAGE_SIZE, .flags = MAPPING_READ | MAPPING_WRITE};
	uint64_t address;

	REQUIRE_OK(address_space_map(HANDLE_SELF, &request, &address));
	for (unsigned i = 0; i < 16; i++) {
		volatile uint64_t *word = (uint64_t *)(address + i * PAGE_SIZE + 8 * i);

		EXPECT_EQUAL(*word, 0);
		*word = i;
		EXPECT_EQUAL(*word, i);
	}
	EXPECT_OK(address_space_unmap(HANDLE_SELF, address, request.length));
}

TEST(space_map_one_memory_twice)
{
	struct map_request request = {
		.length = PAGE_SIZE, .flags = MAPPING_READ | MAPPING_WRITE | MAPPING_SHARED};
	uint64_t first, second;

	REQUIRE_OK(memory_create(2 * PAGE_SIZE, 0, &request.memory));
	request.offset = PAGE_SIZE;
	REQUIRE_OK(address_space_map(HANDLE_SELF, &request, &first));
	request.flags = MAPPING_READ;
	REQUIRE_OK(address_space_map(HANDLE_SELF, &request, &second));
	*(volatile uint64_t *)first = 42;
	EXPECT_EQUAL(*(volatile uint64_t *)second, 42);
	EXPECT_OK(memory_read(request.memory, PAGE_SIZE, back, 8));
	EXPECT_EQUAL(back[0], 42);
	EXPECT_OK(address_space_unmap(HANDLE_SELF, first, PAGE_SIZE));
	EXPECT_EQUAL(*(volatile uint64_t *)second, 42);
	EXPECT_OK(address_space_unmap(HANDLE_SELF, second, PAGE_SIZE));
	handle_close(request.memory);
}

TEST(space_map_arguments)
{
	static const struct map_request bad[] = {
		{.length = 0, .flags = MAPPING_READ},
		{.length = PAGE_SIZE + 1, .flags = MAPPING_READ},
		{.length = UINT64_MAX & ~(PAGE_SIZE - 1), .flags = MAPPING_READ},
		{.length = PAGE_SIZE, .address = 1, .flags = MAPPING_READ | MAPPING_FIXED},
		{.length = PAGE_SIZE, .address = 0, .flags = MAPPING_READ | MAPPING_FIXED},
		{.length = PAGE_SIZE, .address = 0xffffffff80000000, .flags = MAPPING_READ | MAPPING_FIXED},
		{.length = PAGE_SIZE,
			.address = UINT64_MAX & ~(PAGE_SIZE - 1),
			.flags = MAPPING_READ | MAPPING_FIXED},
		{.length = PAGE_SIZE, .flags = MAPPING_READ | MAPPING_WRITE | MAPPING_EXECUTE},
		{.length = PAGE_SIZE, .flags = MAPPING_READ | (uint64_t)1 << 63},
		{.length = PAGE_SIZE, .offset = 1, .flags = MAPPING_READ},
	};
	uint64_t address;
	void *pointer;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_ERROR(INVALID_ARGUMENT, address_space_map(HANDLE_SELF, &bad[i], &address));
	for (unsigned i = 0; bad_pointer(i, &pointer); i++)
		EXPECT_ERROR(BAD_ADDRESS, address_space_map(HANDLE_SELF, pointer, &address));
	EXPECT_ERROR(BAD_ADDRESS,
		address_space_map(HANDLE_SELF, end_of_page(sizeof(struct map_request) - 8), &address));
}

TEST(space_map_rights)
{
	struct map_request request = {.length = PAGE_SIZE, .flags = MAPPING_READ | MAPPING_WRITE};
	handle_t memory, space, fewer;
	uint64_t address;

	REQUIRE_OK(memory_create(PAGE_SIZE, 0, &memory));
	request.memory = without(memory, RIGHT_WRITE);
	EXPECT_ERROR(NO_RIGHTS, address_space_map(HANDLE_SELF, &request, &address));
	request.flags = MAPPING_READ;
	EXPECT_OK(address_space_map(HANDLE_SELF, &request, &address));
	EXPECT_ERROR(NO_RIGHTS,
		address_space_protect(HANDLE_SELF, address, PAGE_SIZE, MAPPING_READ | MAPPING_WRITE));
	EXPECT_OK(address_space_unmap(HANDLE_SELF, address, PAGE_SIZE));
	handle_close(request.memory);
	request.memory = without(memory, RIGHT_EXECUTE);
	request.flags = MAPPING_READ | MAPPING_EXECUTE;
	EXPECT_ERROR(NO_RIGHTS, address_space_map(HANDLE_SELF, &request, &address));
	handle_close(request.memory);
	request.memory = without(memory, RIGHT_MAP);
	request.flags = MAPPING_READ;
	EXPECT_ERROR(NO_RIGHTS, address_space_map(HANDLE_SELF, &request, &address));
	handle_close(request.memory);
	// Past the end of the memory.
	request.memory = memory;
	request.offset = PAGE_SIZE;
	EXPECT_ERROR(INVALID_ARGUMENT, address_space_map(HANDLE_SELF, &request, &address));
	request.offset = UINT64_MAX & ~(PAGE_SIZE - 1);
	EXPECT_ERROR(INVALID_ARGUMENT, address_space_map(HANDLE_SELF, &request, &address));
	REQUIRE_OK(address_space_create(&space));
	fewer = without(space, RIGHT_MAP);
	request.offset = 0;
	EXPECT_ERROR(NO_RIGHTS, address_space_map(fewer, &request, &address));
	EXPECT_ERROR(NO_RIGHTS, address_space_unmap(fewer, PAGE_SIZE, PAGE_SIZE));
	EXPECT_ERROR(NO_RIGHTS, address_space_protect(fewer, PAGE_SIZE, PAGE_SIZE, MAPPING_READ));
	handle_close(fewer);
	handle_close(space);
	handle_close(memory);
}

TEST(space_map_fixed_and_replace)
{
	struct map_request request = {.length = 4 * PAGE_SIZE, .flags = MAPPING_READ | MAPPING_WRITE};
	uint64_t address, other;

	REQUIRE_OK(address_space_map(HANDLE_SELF, &request, &address));
	*(volatile char *)(address + PAGE_SIZE) = 1;
	request.address = address + PAGE_SIZE;
	request.length = PAGE_SIZE;
	request.flags |= MAPPING_FIXED;
	EXPECT_ERROR(EXISTS, address_space_map(HANDLE_SELF, &request, &other));
	request.flags |= MAPPING_REPLACE;
	EXPECT_OK(address_space_map(HANDLE_SELF, &request, &other));
	EXPECT_EQUAL(other, address + PAGE_SIZE);
	EXPECT_EQUAL(*(volatile char *)(address + PAGE_SIZE), 0);
	EXPECT_OK(address_space_unmap(HANDLE_SELF, address, 4 * PAGE_SIZE));
}

TEST(space_unmap_in_the_middle)
{
	struct map_request request = {.length = 5 * PAGE_SIZE, .flags = MAPPING_READ | MAPPING_WRITE};
	struct mapping_info info;
	uint64_t address, copied;
	char byte;

	REQUIRE_OK(address_space_map(HANDLE_SELF, &request, &address));
	memset((void *)address, 7, 5 * PAGE_SIZE);
	EXPECT_OK(address_space_unmap(HANDLE_SELF, address + 2 * PAGE_SIZE, PAGE_SIZE));
	EXPECT_ERROR(PEER_FAULT, address_space_read(HANDLE_SELF, address + 2 * PAGE_SIZE, &byte, 1, &copied));
	EXPECT_EQUAL(*(volatile char *)(address + PAGE_SIZE), 7);
	EXPECT_EQUAL(*(volatile char *)(address + 3 * PAGE_SIZE), 7);
	EXPECT_OK(address_space_query(HANDLE_SELF, address + 2 * PAGE_SIZE, &info));
	EXPECT_EQUAL(info.address, address + 3 * PAGE_SIZE);
	EXPECT_OK(address_space_unmap(HANDLE_SELF, address, 5 * PAGE_SIZE));
	EXPECT_ERROR(INVALID_ARGUMENT, address_space_unmap(HANDLE_SELF, address + 1, PAGE_SIZE));
	EXPECT_ERROR(INVALID_ARGUMENT, address_space_unmap(HANDLE_SELF, address, 0));
	EXPECT_ERROR(
		INVALID_ARGUMENT, address_space_unmap(HANDLE_SELF, address, UINT64_MAX & ~(PAGE_SIZE - 1)));
}

TEST(space_protect_changes_access)
{
	struct map_request request = {.length = 3 * PAGE_SIZE, .flags = MAPPING_READ | MAPPING_WRITE};
	uint64_t address, copied;

	REQUIRE_OK(address_space_map(HANDLE_SELF, &request, &address));
	memset((void *)address, 1, 3 * PAGE_SIZE);
	EXPECT_OK(address_space_protect(HANDLE_SELF, address + PAGE_SIZE, PAGE_SIZE, MAPPING_READ));
	EXPECT_ERROR(PEER_FAULT, address_space_write(HANDLE_SELF, address + PAGE_SIZE, "x", 1, &copied));
	EXPECT_OK(address_space_write(
		HANDLE_SELF, address, data, 2 * PAGE_SIZE > sizeof(data) ? sizeof(data) : 1, &copied));
	EXPECT_EQUAL(copied, PAGE_SIZE);
	EXPECT_EQUAL(*(volatile char *)(address + PAGE_SIZE), 1);
	EXPECT_OK(address_space_protect(
		HANDLE_SELF, address + PAGE_SIZE, PAGE_SIZE, MAPPING_READ | MAPPING_WRITE));
	*(volatile char *)(address + PAGE_SIZE) = 2;
	EXPECT_ERROR(INVALID_ARGUMENT,
		address_space_protect(
			HANDLE_SELF, address, PAGE_SIZE, MAPPING_READ | MAPPING_WRITE | MAPPING_EXECUTE));
	EXPECT_ERROR(
		INVALID_ARGUMENT, address_space_protect(HANDLE_SELF, address, PAGE_SIZE, MAPPING_SHARED));
	EXPECT_OK(address_space_unmap(HANDLE_SELF, address + PAGE_SIZE, PAGE_SIZE));
	EXPECT_ERROR(NOT_FOUND, address_space_protect(HANDLE_SELF, address, 3 * PAGE_SIZE, MAPPING_READ));
	EXPECT_OK(address_space_unmap(HANDLE_SELF, address, 3 * PAGE_SIZE));
}

TEST(space_read_and_write_another)
{
	struct map_request request = {.length = 2 * PAGE_SIZE,
		.address = 0x400000,
		.flags = MAPPING_READ | MAPPING_WRITE | MAPPING_FIXED};
	handle_t space, fewer;
	uint64_t address, copied;
	void *bad;

	REQUIRE_OK(address_space_create(&space));
	REQUIRE_OK(address_space_map(space, &request, &address));
	EXPECT_EQUAL(address, 0x400000);
	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = (char)(3 * i + 1);
	EXPECT_OK(address_space_write(space, address + 50, data, sizeof(data), &copied));
	EXPECT_EQUAL(copied, sizeof(data));
	EXPECT_OK(address_space_read(space, address + 50, back, sizeof(back), &copied));
	EXPECT(memcmp(data, back, sizeof(data)) == 0);
	// Short at the end of the mapping.
	EXPECT_OK(address_space_read(space, address + 2 * PAGE_SIZE - 10, back, 100, &copied));
	EXPECT_EQUAL(copied, 10);
	EXPECT_ERROR(PEER_FAULT, address_space_read(space, address + 2 * PAGE_SIZE, back, 1, &copied));
	EXPECT_ERROR(INVALID_ARGUMENT, address_space_read(space, UINT64_MAX - 4, back, 8, &copied));
	EXPECT_ERROR(INVALID_ARGUMENT, address_space_read(space, 0xffffffff80000000, back, 8, &copied));
	EXPECT_ERROR(INVALID_ARGUMENT, address_space_write(space, UINT64_MAX - 4, back, 8, &copied));
	EXPECT_ERROR(INVALID_ARGUMENT, address_space_write(space, 0xffffffff80000000, back, 8, &copied));
	EXPECT_ERROR(INVALID_ARGUMENT, address_space_sync_code(space, UINT64_MAX - 4, 8));
	EXPECT_ERROR(INVALID_ARGUMENT, address_space_sync_code(space, 0xffffffff80000000, 8));
	for (unsigned i = 0; bad_pointer(i, &bad); i++) {
		EXPECT_ERROR(BAD_ADDRESS, address_space_read(space, address, bad, 16, &copied));
		EXPECT_ERROR(BAD_ADDRESS, address_space_write(space, address, bad, 16, &copied));
	}
	fewer = without(space, RIGHT_READ);
	EXPECT_ERROR(NO_RIGHTS, address_space_read(fewer, address, back, 1, &copied));
	handle_close(fewer);
	fewer = without(space, RIGHT_WRITE);
	EXPECT_ERROR(NO_RIGHTS, address_space_write(fewer, address, back, 1, &copied));
	handle_close(fewer);
	handle_close(space);
}

TEST(space_clone_copies_on_write)
{
	struct map_request request = {.length = 4 * PAGE_SIZE,
		.address = 0x500000,
		.flags = MAPPING_READ | MAPPING_WRITE | MAPPING_FIXED};
	handle_t parent, child, fewer;
	uint64_t address, copied;

	REQUIRE_OK(address_space_create(&parent));
	REQUIRE_OK(address_space_map(parent, &request, &address));
	request.address = 0x600000;
	request.flags |= MAPPING_SHARED;
	REQUIRE_OK(address_space_map(parent, &request, &address));
	EXPECT_OK(address_space_write(parent, 0x500000, "private", 8, &copied));
	EXPECT_OK(address_space_write(parent, 0x600000, "shared", 7, &copied));
	REQUIRE_OK(address_space_clone(parent, &child));
	EXPECT_OK(address_space_read(child, 0x500000, back, 8, &copied));
	EXPECT(strcmp(back, "private") == 0);
	EXPECT_OK(address_space_write(child, 0x500000, "child", 6, &copied));
	EXPECT_OK(address_space_read(parent, 0x500000, back, 8, &copied));
	EXPECT(strcmp(back, "private") == 0);
	EXPECT_OK(address_space_write(parent, 0x501000, "later", 6, &copied));
	EXPECT_OK(address_space_read(child, 0x501000, back, 6, &copied));
	EXPECT_EQUAL(back[0], 0);
	EXPECT_OK(address_space_write(child, 0x600000, "SHARED", 7, &copied));
	EXPECT_OK(address_space_read(parent, 0x600000, back, 7, &copied));
	EXPECT(strcmp(back, "SHARED") == 0);
	handle_close(parent);
	EXPECT_OK(address_space_read(child, 0x500000, back, 6, &copied));
	EXPECT(strcmp(back, "child") == 0);
	fewer = without(child, RIGHT_MAP);
	EXPECT_ERROR(NO_RIGHTS, address_space_clone(fewer, &parent));
	handle_close(fewer);
	handle_close(child);
}

TEST(space_query_walks_the_mappings)
{
	struct map_request request = {
		.length = PAGE_SIZE, .address = 0x700000, .flags = MAPPING_READ | MAPPING_FIXED};
	struct mapping_info info;
	handle_t space;
	uint64_t address;

	REQUIRE_OK(address_space_create(&space));
	EXPECT_ERROR(NOT_FOUND, address_space_query(space, 0, &info));
	REQUIRE_OK(address_space_map(space, &request, &address));
	EXPECT_OK(address_space_query(space, 0, &info));
	EXPECT_EQUAL(info.address, 0x700000);
	EXPECT_EQUAL(info.length, PAGE_SIZE);
	EXPECT_EQUAL(info.flags & (MAPPING_READ | MAPPING_WRITE | MAPPING_EXECUTE), MAPPING_READ);
	EXPECT_ERROR(NOT_FOUND, address_space_query(space, 0x701000, &info));
	handle_close(space);
}

#define PLACES     16
#define FAR        ((uint64_t)1 << 26) // further apart than places that follow each other
#define RANDOM_END ((uint64_t)1 << 45) // an eighth of all user addresses, where there are most

static uint64_t place_in(handle_t space, uint64_t hint, uint64_t flags)
{
	struct map_request request = {.length = PAGE_SIZE, .address = hint, .flags = MAPPING_READ | flags};
	uint64_t address = 0;

	EXPECT_OK(address_space_map(space, &request, &address));
	EXPECT(address >= hint && address % PAGE_SIZE == 0);
	return address;
}

// All of this program: its image after it has moved itself, stacks, what it has mapped.
TEST(space_has_nothing_writable_and_executable)
{
	struct mapping_info info = {0};
	unsigned writable = 0, executable = 0;

	while (address_space_query(HANDLE_SELF, info.address + info.length, &info) == ERR_OK) {
		writable += (info.flags & MAPPING_WRITE) != 0;
		executable += (info.flags & MAPPING_EXECUTE) != 0;
		EXPECT(!(info.flags & MAPPING_WRITE) || !(info.flags & MAPPING_EXECUTE));
	}
	EXPECT(writable > 0 && executable > 0);
}

// How far apart places are. With tern.layout=fixed they are where they would be without chance.
static uint64_t distance(const uint64_t places[PLACES])
{
	uint64_t lowest = UINT64_MAX, highest = 0;

	for (unsigned i = 0; i < PLACES; i++) {
		lowest = places[i] < lowest ? places[i] : lowest;
		highest = places[i] > highest ? places[i] : highest;
	}
	return highest - lowest;
}

TEST(space_mappings_go_to_random_places)
{
	const uint64_t hint = 0x40000000;
	struct map_request request = {
		.length = PAGE_SIZE, .address = hint, .flags = MAPPING_READ | MAPPING_RANDOM | MAPPING_FIXED};
	uint64_t places[PLACES], address, apart;
	handle_t space;

	REQUIRE_OK(address_space_create(&space));
	EXPECT_ERROR(INVALID_ARGUMENT, address_space_map(space, &request, &address));
	for (unsigned i = 0; i < PLACES; i++) {
		places[i] = place_in(space, hint, MAPPING_RANDOM);
		EXPECT(places[i] < hint + RANDOM_END + PLACES * PAGE_SIZE);
	}
	apart = distance(places);
	EXPECT(apart > FAR || (places[0] == hint && apart == (PLACES - 1) * PAGE_SIZE));
	request.address = ~(uint64_t)(PAGE_SIZE - 1); // beyond all addresses: anywhere
	request.flags = MAPPING_READ | MAPPING_RANDOM;
	EXPECT_OK(address_space_map(space, &request, &address));
	handle_close(space);
}

// What has no wish goes from an address on that is another one in each space, and the same in a clone.
TEST(space_has_a_random_base)
{
	uint64_t places[PLACES], apart;
	handle_t space, clone;

	for (unsigned i = 0; i < PLACES; i++) {
		REQUIRE_OK(address_space_create(&space));
		REQUIRE_OK(address_space_clone(space, &clone));
		places[i] = place_in(space, 0, 0);
		EXPECT_EQUAL(place_in(clone, 0, 0), places[i]);
		EXPECT_EQUAL(place_in(space, 0, 0), places[i] + PAGE_SIZE);
		handle_close(clone);
		handle_close(space);
	}
	apart = distance(places);
	EXPECT(apart > FAR || apart == 0);
}

// A child process reads, writes and executes only what its mappings allow: see faults.c. Here: a destroyed
// space.
TEST(space_of_an_ended_process)
{
	struct map_request request = {.length = PAGE_SIZE, .flags = MAPPING_READ};
	handle_t process, space;
	uint64_t address;

	REQUIRE_OK(process_create(start_handle(START_ACCOUNT), "ends", &process));
	REQUIRE_OK(process_address_space(process, &space));
	EXPECT_OK(process_kill(process, 0));
	EXPECT_ERROR(BAD_STATE, address_space_map(space, &request, &address));
	handle_close(space);
	EXPECT_ERROR(BAD_STATE, process_address_space(process, &space));
	handle_close(process);
}

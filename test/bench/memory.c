// SPDX-License-Identifier: MIT
//
// Mapping, faults, clones.

#include "bench.h"
#include "counter.h"
#include <string.h>

#define COUNT  256
#define TARGET 0x40000000
#define MIB    ((uint64_t)1 << 20)

struct target {
	struct map_request request;
	uint64_t length;
};

// Maps one resident page again and again, each beside the other, and touches it: a present entry is left.
static uint64_t map_pages(void *context, uint64_t count)
{
	struct map_request request = *(struct map_request *)context;
	uint64_t total = 0;

	for (uint64_t i = 0; i < count; i++) {
		uint64_t start, address;

		request.address = TARGET + 2 * i * PAGE_SIZE;
		start = counter_read();
		address_space_map(HANDLE_SELF, &request, &address);
		*(volatile char *)request.address = 1;
		total += counter_read() - start;
	}
	address_space_unmap(HANDLE_SELF, TARGET, 2 * count * PAGE_SIZE);
	return counter_instructions(total);
}

static void prepare_pages(struct map_request *request, uint64_t count)
{
	uint64_t address;

	for (uint64_t i = 0; i < count; i++) {
		request->address = TARGET + 2 * i * PAGE_SIZE;
		MUST_OK(address_space_map(HANDLE_SELF, request, &address));
		*(volatile char *)request->address = 1;
	}
}

static uint64_t unmap_pages(void *context, uint64_t count)
{
	uint64_t start;

	prepare_pages(context, count);
	start = counter_read();
	for (uint64_t i = 0; i < count; i++)
		address_space_unmap(HANDLE_SELF, TARGET + 2 * i * PAGE_SIZE, PAGE_SIZE);
	return counter_instructions(counter_read() - start);
}

static uint64_t protect_pages(void *context, uint64_t count)
{
	uint64_t start, total;

	prepare_pages(context, count);
	start = counter_read();
	for (uint64_t i = 0; i < count; i++)
		address_space_protect(HANDLE_SELF, TARGET + 2 * i * PAGE_SIZE, PAGE_SIZE, MAPPING_READ);
	total = counter_read() - start;
	address_space_unmap(HANDLE_SELF, TARGET, 2 * count * PAGE_SIZE);
	return counter_instructions(total);
}

static uint64_t touch_pages(void *context, uint64_t count)
{
	struct map_request request = {.length = count * PAGE_SIZE,
		.address = TARGET,
		.flags = MAPPING_READ | MAPPING_WRITE | MAPPING_FIXED};
	uint64_t start, total, address;

	(void)context;
	MUST_OK(address_space_map(HANDLE_SELF, &request, &address));
	start = counter_read();
	for (uint64_t i = 0; i < count; i++)
		*(volatile char *)(TARGET + i * PAGE_SIZE) = 1;
	total = counter_read() - start;
	address_space_unmap(HANDLE_SELF, TARGET, request.length);
	return counter_instructions(total);
}

static uint64_t clone_space(void *context, uint64_t count)
{
	uint64_t start, total = 0;
	handle_t clone;

	for (uint64_t i = 0; i < count; i++) {
		start = counter_read();
		address_space_clone(*(handle_t *)context, &clone);
		total += counter_read() - start;
		handle_close(clone);
	}
	return counter_instructions(total);
}

static void bench_clone(void)
{
	struct map_request request = {
		.length = MIB, .address = TARGET, .flags = MAPPING_READ | MAPPING_WRITE | MAPPING_FIXED};
	static char zeroes[MIB];
	uint64_t address, copied;
	handle_t space;

	MUST_OK(address_space_create(&space));
	MUST_OK(address_space_map(space, &request, &address));
	MUST_OK(address_space_write(space, TARGET, zeroes, MIB, &copied));
	bench_timed("clone_1mib", clone_space, &space, 8);
	handle_close(space);
}

// Writes to pages that a clone of their memory shares.
static uint64_t write_shared(void *context, uint64_t count)
{
	struct map_request request = {.length = count * PAGE_SIZE,
		.address = TARGET,
		.flags = MAPPING_READ | MAPPING_WRITE | MAPPING_FIXED};
	uint64_t start, total, address;
	handle_t clone;

	(void)context;
	MUST_OK(memory_create(count * PAGE_SIZE, MEMORY_RESIDENT, &request.memory));
	MUST_OK(address_space_map(HANDLE_SELF, &request, &address));
	MUST_OK(memory_clone(request.memory, 0, count * PAGE_SIZE, &clone));
	start = counter_read();
	for (uint64_t i = 0; i < count; i++)
		*(volatile char *)(TARGET + i * PAGE_SIZE) = 1;
	total = counter_read() - start;
	address_space_unmap(HANDLE_SELF, TARGET, count * PAGE_SIZE);
	handle_close(clone);
	handle_close(request.memory);
	return counter_instructions(total);
}

// --- Faults as messages

static uint64_t touch(uint64_t address)
{
	return *(volatile uint64_t *)address;
}

// Answers faults of a thread in another process with FAULT_RESUME: they come again at once.
static void answer_faults(void *context, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		lean_answer_fault(*(handle_t *)context);
}

static void bench_fault(void)
{
	struct message message = {0};
	struct child child;
	handle_t endpoint;

	MUST_OK(endpoint_create(&endpoint));
	MUST(child_start_watched(&child, touch, TARGET, NULL, 0, endpoint));
	MUST_OK(endpoint_receive(endpoint, &message));
	bench("fault_rt", answer_faults, &endpoint, COUNT);
	process_kill(child.process, 0);
	child_wait(&child);
	// While it has a caller, whose loan is over, its own calls are those of a chain.
	message.info = 0;
	MUST(endpoint_reply(HANDLE_NONE, &message) == ERR_GONE);
	handle_close(endpoint);
}

void bench_memory(void)
{
	struct map_request request = {
		.length = PAGE_SIZE, .flags = MAPPING_READ | MAPPING_WRITE | MAPPING_FIXED};

	MUST_OK(memory_create(PAGE_SIZE, MEMORY_RESIDENT, &request.memory));
	bench_timed("page_map", map_pages, &request, COUNT);
	bench_timed("page_unmap", unmap_pages, &request, COUNT);
	bench_timed("page_protect", protect_pages, &request, COUNT);
	handle_close(request.memory);
	bench_timed("anon_fault", touch_pages, NULL, COUNT);
	bench_timed("cow_fault", write_shared, NULL, COUNT);
	bench_clone();
	bench_fault();
}

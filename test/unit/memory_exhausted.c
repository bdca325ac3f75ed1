// SPDX-License-Identifier: MIT
//
// Each allocation failing in turn: frames, then pages and objects of the account run out after every possible
// number. An operation then says so, and leaves what was there as it was; with enough of everything it works.

#include "machine.h"
#include "simulated_mmu.h"
#include <kernel/address_space.h>
#include <kernel/cpu.h>
#include <kernel/frame.h>
#include <kernel/memory.h>
#include <stdio.h>
#include <string.h>

#define BASE         ((vaddr_t)0x40000000)
#define PAGES        80
#define ATTEMPTS_MAX 1000

struct operation {
	const char *name;
	// True: it worked, and was undone as far as it leaves anything. False: no memory.
	bool (*run)(void);
};

static struct address_space *space;
static struct memory *object;

static bool no_memory(enum error error)
{
	CHECK(error == ERR_OK || error == ERR_NO_MEMORY);
	return error == ERR_NO_MEMORY;
}

static enum error map(vaddr_t address, unsigned pages, uint64_t flags, struct memory *memory)
{
	struct map_request request = {.length = pages * PAGE_SIZE,
		.address = address,
		.flags = flags | MAPPING_READ | MAPPING_FIXED};

	return address_space_map(space, memory, &request, MAPPING_READ | MAPPING_WRITE, &address);
}

static enum fault_kind write_page(vaddr_t address)
{
	return address_space_fault(space, address, FAULT_ACCESS_WRITE);
}

// --- Operations

static bool run_create(void)
{
	struct address_space *made = address_space_create(&root_account);

	if (made)
		object_put(&made->object);
	return made != NULL;
}

static bool run_map(void)
{
	if (no_memory(map(BASE + PAGES * PAGE_SIZE, 3, MAPPING_SHARED, NULL)))
		return false;
	CHECK(address_space_unmap(space, BASE + PAGES * PAGE_SIZE, 3 * PAGE_SIZE) == ERR_OK);
	return true;
}

// Replaces the inside of a mapping, which has to be split at both ends.
static bool run_replace(void)
{
	vaddr_t inside = BASE + 10 * PAGE_SIZE;

	if (no_memory(map(inside, 2, MAPPING_REPLACE | MAPPING_SHARED, object)))
		return false;
	CHECK(no_memory(map(inside, 2, MAPPING_REPLACE | MAPPING_WRITE, NULL)) == false);
	CHECK(write_page(inside) == FAULT_NONE && write_page(inside + PAGE_SIZE) == FAULT_NONE);
	return true;
}

static bool run_unmap_inside(void)
{
	vaddr_t inside = BASE + 20 * PAGE_SIZE;

	if (no_memory(address_space_unmap(space, inside, PAGE_SIZE)))
		return false;
	CHECK(map(inside, 1, MAPPING_WRITE, NULL) == ERR_OK && write_page(inside) == FAULT_NONE);
	return true;
}

static bool run_protect_inside(void)
{
	vaddr_t inside = BASE + 30 * PAGE_SIZE;

	if (no_memory(address_space_protect(space, inside, PAGE_SIZE, MAPPING_READ)))
		return false;
	CHECK(address_space_protect(space, inside, PAGE_SIZE, MAPPING_READ | MAPPING_WRITE) == ERR_OK);
	return true;
}

static bool run_clone(void)
{
	struct address_space *clone = address_space_clone(space, &root_account);

	if (clone)
		object_put(&clone->object);
	return clone != NULL;
}

static bool run_memory_clone(void)
{
	struct memory *clone = memory_clone(object, &root_account, PAGE_SIZE, 60 * PAGE_SIZE);

	if (clone)
		object_put(&clone->object);
	return clone != NULL;
}

static bool create(uint64_t flags)
{
	struct memory *made = memory_create(&root_account, 70 * PAGE_SIZE, flags);

	if (made)
		object_put(&made->object);
	return made != NULL;
}

static bool run_resident(void)
{
	return create(MEMORY_RESIDENT);
}

static bool run_contiguous(void)
{
	return create(MEMORY_CONTIGUOUS);
}

static bool run_stack(void)
{
	vaddr_t stack = kernel_stack_allocate(&root_account, 32 * 1024);

	if (stack)
		kernel_stack_free(&root_account, stack, 32 * 1024);
	return stack != 0;
}

// A page far from all others: page, nodes and page tables. Tables stay with the space, so it is one of its
// own.
static bool run_fault(void)
{
	struct address_space *fresh = space;
	struct address_space *own = address_space_create(&root_account);
	enum fault_kind kind = FAULT_NO_MEMORY;

	if (own == NULL)
		return false;
	space = own;
	if (map(BASE << 10, 1, MAPPING_WRITE, NULL) == ERR_OK)
		kind = write_page(BASE << 10);
	CHECK(kind == FAULT_NONE || kind == FAULT_NO_MEMORY);
	object_put(&own->object);
	space = fresh;
	return kind == FAULT_NONE;
}

static bool run_memory_write(void)
{
	static char data[3 * PAGE_SIZE];
	struct memory *made = memory_create(&root_account, (uint64_t)1 << 30, 0);
	enum memory_result result;

	if (made == NULL)
		return false;
	result = memory_write(made, 100 * PAGE_SIZE + 5, data, sizeof(data));
	object_put(&made->object);
	return result == MEMORY_OK;
}

static const struct operation operations[] = {
	{"create a space", run_create},
	{"map", run_map},
	{"replace", run_replace},
	{"unmap inside", run_unmap_inside},
	{"protect inside", run_protect_inside},
	{"clone a space", run_clone},
	{"clone memory", run_memory_clone},
	{"create resident memory", run_resident},
	{"create contiguous memory", run_contiguous},
	{"allocate a kernel stack", run_stack},
	{"fault", run_fault},
	{"write to memory", run_memory_write},
};

// --- Limits

static void limit_frames(uint64_t count)
{
	machine_take_frames(count);
}

static void limit_pages(uint64_t count)
{
	root_account.pages_limit = root_account.pages_used + count;
}

static void limit_objects(uint64_t count)
{
	root_account.objects_limit = root_account.objects_used + count;
}

static void unlimit_frames(void)
{
	machine_return_frames();
}

static void unlimit_account(void)
{
	root_account.pages_limit = UINT64_MAX;
	root_account.objects_limit = UINT64_MAX;
}

static const struct {
	void (*limit)(uint64_t count);
	void (*unlimit)(void);
} limits[] = {
	{limit_frames, unlimit_frames}, {limit_pages, unlimit_account}, {limit_objects, unlimit_account}};

static void check_content(void)
{
	for (unsigned i = 0; i < PAGES; i++) {
		paddr_t frame = PADDR_NONE;

		CHECK(address_space_pin(space, BASE + i * PAGE_SIZE, true, &frame) == ERR_OK);
		CHECK(*(uint64_t *)phys_to_virt(frame) == (i == 10 || i == 11 || i == 20 ? 0 : i));
		frame_unpin(frame);
	}
}

// How often it failed before it worked.
static unsigned exhaust(const struct operation *operation, unsigned kind)
{
	uint64_t pages = root_account.pages_used, object_count = root_account.objects_used,
		 frames = frame_free();
	unsigned attempt = 0;
	bool worked = false;

	for (; !worked; attempt++) {
		CHECK(attempt < ATTEMPTS_MAX);
		limits[kind].limit(attempt);
		worked = operation->run();
		object_reap();
		limits[kind].unlimit();
		CHECK(root_account.pages_used == pages && root_account.objects_used == object_count);
		CHECK(frame_free() == frames);
	}
	return attempt - 1;
}

static void prepare(void)
{
	space = address_space_create(&root_account);
	object = memory_create(&root_account, 100 * PAGE_SIZE, MEMORY_RESIDENT);
	CHECK(space && object && map(BASE, PAGES, MAPPING_WRITE, NULL) == ERR_OK);
	for (unsigned i = 0; i < PAGES; i++) {
		paddr_t frame = PADDR_NONE;

		CHECK(write_page(BASE + i * PAGE_SIZE) == FAULT_NONE);
		CHECK(address_space_pin(space, BASE + i * PAGE_SIZE, true, &frame) == ERR_OK);
		*(uint64_t *)phys_to_virt(frame) = i == 10 || i == 11 || i == 20 ? 0 : i;
		frame_unpin(frame);
	}
	// The kernel area keeps its tables, and stacks of the default size.
	CHECK(run_stack());
}

int main(void)
{
	machine_start(4);
	prepare();
	for (unsigned i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
		unsigned failed[3];

		for (unsigned kind = 0; kind < 3; kind++)
			failed[kind] = exhaust(&operations[i], kind);
		printf("%s: failed without %u frames, %u pages, %u objects\n", operations[i].name, failed[0],
			failed[1], failed[2]);
		check_content();
	}
	object_put(&object->object);
	object_put(&space->object);
	object_reap();
	CHECK(root_account.pages_used == 0 && root_account.objects_used == 0);
	return 0;
}

// SPDX-License-Identifier: MIT
//
// Time, handles and pointers for the tests.

#include "test.h"

uint64_t now(void)
{
	uint64_t time = 0;

	clock_get(&time);
	return time;
}

uint64_t after(uint64_t nanoseconds)
{
	return now() + nanoseconds;
}

handle_t without(handle_t handle, rights_t rights)
{
	struct handle_info info;
	handle_t fewer = HANDLE_NONE;

	if (handle_info(handle, &info) == ERR_OK)
		handle_duplicate(handle, info.rights & ~rights, &fewer);
	return fewer;
}

bool bad_pointer(unsigned index, void **pointer)
{
	static const uintptr_t addresses[] = {
		0,                             // null
		8,                             // in the page of null
		(uintptr_t)0xffffffff80000000, // kernel
		(uintptr_t)0xffff800000000000, // the lowest kernel half address of 48-bit machines
		(uintptr_t)0x0001000000000000, // not canonical on x86_64, above user space elsewhere
		(uintptr_t)0x8000000000000000,
		(uintptr_t)0x0000000012345000, // nothing is mapped there
		UINTPTR_MAX,                   // wraps
		UINTPTR_MAX - 7,
	};

	if (index >= sizeof(addresses) / sizeof(addresses[0]))
		return false;
	*pointer = (void *)addresses[index];
	return true;
}

void *end_of_page(size_t length)
{
	struct map_request request = {.length = 2 * PAGE_SIZE, .flags = MAPPING_READ | MAPPING_WRITE};
	static uint64_t pages;

	if (pages == 0) {
		EXPECT_OK(address_space_map(HANDLE_SELF, &request, &pages));
		// A guard keeps others from mapping something there.
		request = (struct map_request){.length = PAGE_SIZE,
			.address = pages + PAGE_SIZE,
			.flags = MAPPING_GUARD | MAPPING_FIXED | MAPPING_REPLACE};
		EXPECT_OK(address_space_map(HANDLE_SELF, &request, &request.address));
	}
	return (void *)(pages + PAGE_SIZE - length);
}

void settled_info(handle_t system, struct system_info *info)
{
	struct system_info last;
	unsigned same = 0;

	EXPECT_OK(system_info(system, info));
	for (unsigned i = 0; i < 300 && same < 30; i++) {
		last = *info;
		thread_sleep(after(10 * MILLISECOND));
		EXPECT_OK(system_info(system, info));
		same = info->objects == last.objects && info->processes == last.processes &&
				info->memory_free == last.memory_free
			? same + 1
			: 0;
	}
}

void expect_as_before(handle_t system, const struct system_info *before, struct system_info *later)
{
	uint64_t deadline = after(30000 * MILLISECOND);

	do {
		thread_sleep(after(MILLISECOND));
		EXPECT_OK(system_info(system, later));
	} while ((later->memory_free != before->memory_free || later->objects != before->objects ||
			 later->threads != before->threads || later->processes != before->processes) &&
		now() < deadline);
	EXPECT_EQUAL(later->memory_free, before->memory_free);
	EXPECT_EQUAL(later->objects, before->objects);
	EXPECT_EQUAL(later->threads, before->threads);
	EXPECT_EQUAL(later->processes, before->processes);
}

// --- What the kernel keeps

#define KEPT_STACKS 1024

static void never_started(uint64_t argument)
{
	thread_exit(argument);
}

void fill_kept(void)
{
	struct thread_attributes attributes = {.name = "fills",
		.entry = (uintptr_t)never_started,
		.stack_pointer = PAGE_SIZE,
		.flags = THREAD_SUSPENDED};
	static handle_t threads[KEPT_STACKS];
	uint64_t status;

	for (unsigned i = 0; i < KEPT_STACKS; i++)
		EXPECT_OK(thread_create(HANDLE_SELF, &attributes, &threads[i]));
	for (unsigned i = 0; i < KEPT_STACKS; i++) {
		EXPECT_OK(thread_kill(threads[i], 0));
		EXPECT_OK(thread_join(threads[i], DEADLINE_NEVER, &status));
		EXPECT_OK(handle_close(threads[i]));
	}
}

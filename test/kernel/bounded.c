// SPDX-License-Identifier: MIT
//
// The largest operations there are. They go in bounded steps: what a kernel that measures itself says about
// them while they run is checked by a system test.

#include "test.h"
#include <string.h>

#define MEBIBYTE ((uint64_t)1 << 20)
#define GIBIBYTE ((uint64_t)1 << 30)

#define DENSE (96 * MEBIBYTE)

static uint64_t map(handle_t memory, uint64_t length, uint64_t flags)
{
	struct map_request request = {
		.memory = memory, .length = length, .flags = MAPPING_READ | MAPPING_WRITE | flags};
	uint64_t address = 0;

	EXPECT_OK(address_space_map(HANDLE_SELF, &request, &address));
	return address;
}

static void touch(uint64_t address, uint64_t length, uint64_t step)
{
	for (uint64_t at = 0; address && at < length; at += step)
		*(volatile uint64_t *)(address + at) = at;
}

static void check_touched(uint64_t address, uint64_t length, uint64_t step)
{
	for (uint64_t at = 0; address && at < length; at += step)
		if (*(volatile uint64_t *)(address + at) != at)
			test_fail(__FILE__, __LINE__, "the word at %#llx is wrong", (unsigned long long)at);
}

// Each operation on a range with a page in every `step` bytes.
static void work_on(uint64_t length, uint64_t step)
{
	uint64_t address = map(HANDLE_NONE, length, 0);
	handle_t clone;

	touch(address, length, step);
	EXPECT_OK(address_space_protect(HANDLE_SELF, address, length, MAPPING_READ));
	EXPECT_OK(address_space_protect(HANDLE_SELF, address, length, MAPPING_READ | MAPPING_WRITE));
	EXPECT_OK(address_space_clone(HANDLE_SELF, &clone));
	touch(address, length, step * 4);
	EXPECT_OK(address_space_unmap(clone, address, length / 2));
	EXPECT_OK(address_space_sync_code(HANDLE_SELF, address, length));
	handle_close(clone);
	check_touched(address, length, step);
	EXPECT_OK(address_space_unmap(HANDLE_SELF, address, length));
}

TEST(bounded_dense)
{
	work_on(DENSE, PAGE_SIZE);
}

TEST(bounded_sparse)
{
	work_on(GIBIBYTE, 2 * MEBIBYTE);
	work_on(GIBIBYTE, MEBIBYTE / 8);
	work_on(16 * GIBIBYTE, GIBIBYTE);
}

TEST(bounded_memory_objects)
{
	uint64_t address, size = 32 * MEBIBYTE;
	handle_t memory, clone;

	REQUIRE_OK(memory_create(size, MEMORY_RESIDENT, &memory));
	address = map(memory, size, MAPPING_SHARED);
	touch(address, size, PAGE_SIZE);
	REQUIRE_OK(memory_clone(memory, 0, size, &clone));
	EXPECT_OK(memory_write(clone, 0, (void *)address, MEBIBYTE));
	EXPECT_OK(memory_read(clone, MEBIBYTE, (void *)address, MEBIBYTE));
	EXPECT_OK(memory_decommit(memory, 0, size / 2));
	handle_close(clone);
	EXPECT_OK(address_space_unmap(HANDLE_SELF, address, size));
	handle_close(memory);
	REQUIRE_OK(memory_create(16 * MEBIBYTE, MEMORY_CONTIGUOUS, &memory));
	handle_close(memory);
	REQUIRE_OK(memory_create((uint64_t)1 << 40, 0, &memory));
	EXPECT_OK(memory_write(memory, ((uint64_t)1 << 40) - 8, "x", 1));
	REQUIRE_OK(memory_clone(memory, 0, (uint64_t)1 << 40, &clone));
	EXPECT_OK(memory_decommit(memory, 0, (uint64_t)1 << 40));
	handle_close(memory);
	handle_close(clone);
}

// What is mapped many times is taken from all of them.
TEST(bounded_shared_memory)
{
	enum { TIMES = 20, PAGES = 200 };
	static uint64_t addresses[TIMES];
	handle_t memory, clone;

	REQUIRE_OK(memory_create(PAGES * PAGE_SIZE, 0, &memory));
	for (unsigned i = 0; i < TIMES; i++) {
		addresses[i] = map(memory, PAGES * PAGE_SIZE, MAPPING_SHARED);
		touch(addresses[i], PAGES * PAGE_SIZE, PAGE_SIZE);
	}
	REQUIRE_OK(memory_clone(memory, 0, PAGES * PAGE_SIZE, &clone));
	touch(addresses[0], PAGES * PAGE_SIZE, PAGE_SIZE);
	handle_close(clone);
	EXPECT_OK(memory_decommit(memory, 0, PAGES * PAGE_SIZE));
	for (unsigned i = 0; i < TIMES; i++)
		EXPECT_OK(address_space_unmap(HANDLE_SELF, addresses[i], PAGES * PAGE_SIZE));
	handle_close(memory);
}

// Neighbours that differ in what they allow, so that they stay apart.
TEST(bounded_many_mappings)
{
	enum { COUNT = 3000 };
	uint64_t address = map(HANDLE_NONE, COUNT * PAGE_SIZE, 0);
	handle_t clone;

	for (unsigned i = 0; i < COUNT; i += 2)
		EXPECT_OK(
			address_space_protect(HANDLE_SELF, address + i * PAGE_SIZE, PAGE_SIZE, MAPPING_READ));
	EXPECT_OK(address_space_clone(HANDLE_SELF, &clone));
	handle_close(clone);
	EXPECT_OK(
		address_space_protect(HANDLE_SELF, address, COUNT * PAGE_SIZE, MAPPING_READ | MAPPING_WRITE));
	for (unsigned i = 0; i < COUNT; i += 2)
		EXPECT_OK(
			address_space_protect(HANDLE_SELF, address + i * PAGE_SIZE, PAGE_SIZE, MAPPING_READ));
	EXPECT_OK(address_space_unmap(HANDLE_SELF, address, COUNT * PAGE_SIZE));
}

static uint64_t use_much_memory(uint64_t length)
{
	struct map_request request = {.length = length, .flags = MAPPING_READ | MAPPING_WRITE};
	uint64_t address;

	if (address_space_map(HANDLE_SELF, &request, &address) != ERR_OK)
		return 1;
	for (uint64_t at = 0; at < length; at += PAGE_SIZE)
		*(volatile uint64_t *)(address + at) = at;
	return 0;
}

TEST(bounded_exit_with_much_memory)
{
	struct child child;

	REQUIRE(child_start(&child, use_much_memory, DENSE, NULL, 0));
	EXPECT_EQUAL(child_wait(&child).exit_status, 0);
}

// Fills its table with an object for each handle.
static uint64_t fill_table(uint64_t argument)
{
	enum error error = ERR_OK;
	handle_t handle;

	(void)argument;
	while (error == ERR_OK)
		error = notification_create(&handle);
	return error;
}

TEST(bounded_exit_with_a_full_table)
{
	struct child child;

	REQUIRE(child_start(&child, fill_table, 0, NULL, 0));
	EXPECT_EQUAL(child_wait(&child).exit_status, ERR_NO_SLOTS);
}

TEST(bounded_revocation)
{
	enum { PROCESSES = 4, HANDLES = 25000 };
	handle_t processes[PROCESSES], notification, granted;

	REQUIRE_OK(notification_create(&notification));
	for (unsigned i = 0; i < PROCESSES; i++) {
		REQUIRE_OK(process_create(start_handle(START_ACCOUNT), "holder", &processes[i]));
		for (unsigned j = 0; j < HANDLES; j++)
			REQUIRE_OK(handle_grant(processes[i], notification, RIGHTS_SAME, &granted));
	}
	EXPECT_OK(handle_revoke(notification));
	for (unsigned i = 0; i < PROCESSES; i++) {
		struct process_info info;

		EXPECT_OK(process_info(processes[i], &info));
		EXPECT_EQUAL(info.handle_count, 0);
		handle_close(processes[i]);
	}
	handle_close(notification);
}

#define THREADS 256

#define CHAIN 32

enum wait { WAIT_SEND, WAIT_RECEIVE, WAIT_NOTIFICATION, WAIT_FUTEX, WAIT_OWNED, WAIT_COUNT };

static handle_t waited_for;
static uint32_t futex_word;
static uint64_t common_deadline;
static uint32_t chain_words[CHAIN + 1];
static handle_t threads[THREADS];

// A chain of threads each of which waits for the one before, and the others for the last of them: with a deadline or for good.
static void wait_for_owner(unsigned index)
{
	unsigned link = index < CHAIN ? index : CHAIN;

	if (index > 0)
		futex_wait_owned(HANDLE_SELF, (uintptr_t)&chain_words[link], 0, threads[link - 1], 0,
			index % 2 ? common_deadline - 100 * MILLISECOND : DEADLINE_NEVER);
}

static void wait_and_sleep(uint64_t argument)
{
	enum wait wait = argument % WAIT_COUNT;
	struct short_message message = {0};
	uint64_t bits;

	if (wait == WAIT_SEND)
		endpoint_call_short(waited_for, &message);
	else if (wait == WAIT_RECEIVE)
		endpoint_receive_short(waited_for, &message);
	else if (wait == WAIT_NOTIFICATION)
		notification_wait(waited_for, DEADLINE_NEVER, &bits);
	else if (wait == WAIT_FUTEX)
		futex_wait(HANDLE_SELF, (uintptr_t)&futex_word, 0, DEADLINE_NEVER);
	else
		wait_for_owner((unsigned)(argument / WAIT_COUNT));
	thread_sleep(common_deadline);
	thread_exit(0);
}

static uint64_t start_threads(enum wait wait)
{
	struct thread_attributes attributes = {
		.name = "one of many", .entry = (uintptr_t)wait_and_sleep, .stack_size = 2 * PAGE_SIZE};
	uint64_t started = 0;

	for (; started < THREADS; started++) {
		attributes.argument = started * WAIT_COUNT + wait;
		attributes.priority = wait == WAIT_OWNED ? 1 + (uint32_t)started / 2 : 0;
		if (thread_create(HANDLE_SELF, &attributes, &threads[started]) != ERR_OK)
			break;
		// Those that others wait for are named.
		if (wait != WAIT_OWNED)
			handle_close(threads[started]);
	}
	return started;
}

// Threads that wait in one queue, are let go all at once, and sleep until the same moment.
static uint64_t wait_together(uint64_t wait)
{
	uint64_t woken, count;

	if ((wait < WAIT_NOTIFICATION ? endpoint_create(&waited_for) : notification_create(&waited_for)) !=
		ERR_OK)
		return 1;
	clock_get(&common_deadline);
	common_deadline += 400 * MILLISECOND;
	if (start_threads((enum wait)wait) != THREADS)
		return 2;
	thread_sleep(common_deadline - 200 * MILLISECOND);
	handle_close(waited_for);
	futex_wake(HANDLE_SELF, (uintptr_t)&futex_word, UINT64_MAX, &woken);
	// Some of them time out, some get it, and the others as threads end.
	for (unsigned i = 0; i < CHAIN; i++)
		futex_hand_over(HANDLE_SELF, (uintptr_t)&chain_words[CHAIN], chain_words[CHAIN], 0, &count);
	// Some processes end before their threads wake up.
	thread_sleep(common_deadline + 50 * MILLISECOND - (wait % 2) * 100 * MILLISECOND);
	return 0;
}

TEST(bounded_many_threads)
{
	for (uint64_t wait = 0; wait < WAIT_COUNT; wait++) {
		struct child child;

		REQUIRE(child_start(&child, wait_together, wait, NULL, 0));
		EXPECT_EQUAL(child_wait(&child).exit_status, 0);
	}
}

#define WINDOW  (16 * MEBIBYTE)
#define WINDOWS 1024

// A copy into one memory that is mapped again and again; at the beginning of each part the source has the part's number.
struct long_copy {
	handle_t source;
	uint64_t address;
};

static uint64_t copy_long(void *argument)
{
	const struct long_copy *copy = argument;

	return memory_read(copy->source, 0, (void *)copy->address, WINDOWS * WINDOW);
}

static void make_long_copy(struct long_copy *copy)
{
	struct map_request request = {.length = WINDOWS * WINDOW, .flags = MAPPING_GUARD};
	handle_t target;

	REQUIRE_OK(memory_create(WINDOWS * WINDOW, 0, &copy->source));
	REQUIRE_OK(memory_create(WINDOW, 0, &target));
	REQUIRE_OK(address_space_map(HANDLE_SELF, &request, &copy->address));
	request = (struct map_request){.memory = target,
		.length = WINDOW,
		.flags = MAPPING_READ | MAPPING_WRITE | MAPPING_SHARED | MAPPING_FIXED | MAPPING_REPLACE};
	for (uint64_t i = 0; i < WINDOWS; i++) {
		uint64_t number = i + 1;

		EXPECT_OK(memory_write(copy->source, i * WINDOW, &number, sizeof(number)));
		request.address = copy->address + i * WINDOW;
		EXPECT_OK(address_space_map(HANDLE_SELF, &request, &request.address));
	}
	handle_close(target);
}

// To its end it would go on for minutes.
TEST(bounded_copy_ends_with_its_thread)
{
	struct long_copy copy = {0};
	volatile uint64_t *number;
	handle_t notification;
	struct worker worker;
	uint64_t bits;

	make_long_copy(&copy);
	REQUIRE(copy.address != 0);
	number = (uint64_t *)copy.address;
	REQUIRE_OK(notification_create(&notification));
	REQUIRE(worker_start(&worker, copy_long, &copy));
	REQUIRE_OK(thread_watch(worker.thread, notification, 1));
	while (*number == 0)
		thread_yield();
	EXPECT_OK(thread_kill(worker.thread, 3));
	EXPECT_OK(notification_wait(notification, DEADLINE_NEVER, &bits));
	EXPECT(*number < WINDOWS);
	EXPECT_EQUAL(worker_join(&worker), 3);
	EXPECT_OK(address_space_unmap(HANDLE_SELF, copy.address, WINDOWS * WINDOW));
	handle_close(copy.source);
	handle_close(notification);
}

// --- Servers whose clients have gone

static handle_t endpoints[THREADS];
static _Atomic unsigned serving;

static void serve_for_ever(uint64_t index)
{
	struct short_message message = {0};

	// All of them get here: only then it has no more priority than its client.
	endpoint_receive_short(endpoints[index], &message);
	thread_set_priority(HANDLE_SELF, 1);
	serving++;
	for (;;)
		thread_yield();
}

static void call_for_ever(uint64_t index)
{
	struct short_message message = {0};

	endpoint_call_short(endpoints[index], &message);
	thread_exit(0);
}

static bool start_pair(unsigned index)
{
	struct thread_attributes server = {.name = "server",
		.entry = (uintptr_t)serve_for_ever,
		.argument = index,
		.stack_size = 2 * PAGE_SIZE};
	struct thread_attributes client = server;
	handle_t thread;

	client.entry = (uintptr_t)call_for_ever;
	client.priority = THREAD_PRIORITY_DEFAULT / 2;
	return endpoint_create(&endpoints[index]) == ERR_OK &&
		thread_create(HANDLE_SELF, &server, &thread) == ERR_OK &&
		thread_create(HANDLE_SELF, &client, &threads[index]) == ERR_OK;
}

// Servers that are ready lose their clients, and with them their priority, before one of them runs again.
static uint64_t lose_clients(uint64_t argument)
{
	for (unsigned i = 0; i < THREADS; i++)
		if (!start_pair(i))
			return 1;
	while (serving < THREADS) {
		clock_get(&common_deadline);
		thread_sleep(common_deadline + MILLISECOND);
	}
	for (unsigned i = 0; i < THREADS; i++)
		if (thread_kill(threads[i], 0) != ERR_OK)
			return 2;
	clock_get(&common_deadline);
	thread_sleep(common_deadline + MILLISECOND);
	return argument;
}

TEST(bounded_many_lost_loans)
{
	struct child child;

	REQUIRE(child_start(&child, lose_clients, 0, NULL, 0));
	EXPECT_EQUAL(child_wait(&child).exit_status, 0);
}

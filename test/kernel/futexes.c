// SPDX-License-Identifier: MIT
//
// Futexes: waiting, waking, requeueing, across mappings and processes.

#include "isa.h"
#include "test.h"

static _Atomic uint32_t word, other;

static uint64_t wait_at_word(void *argument)
{
	return futex_wait(HANDLE_SELF, (uintptr_t)argument, 5, DEADLINE_NEVER);
}

TEST(futex_compares_before_it_waits)
{
	word = 4;
	EXPECT_ERROR(MISMATCH, futex_wait(HANDLE_SELF, (uintptr_t)&word, 5, DEADLINE_NEVER));
	word = 5;
	EXPECT_ERROR(TIMED_OUT, futex_wait(HANDLE_SELF, (uintptr_t)&word, 5, after(10 * MILLISECOND)));
}

TEST(futex_wakes_as_many_as_asked)
{
	struct worker workers[4];
	uint64_t woken = 0;

	word = 5;
	EXPECT_OK(futex_wake(HANDLE_SELF, (uintptr_t)&word, 10, &woken));
	EXPECT_EQUAL(woken, 0);
	for (unsigned i = 0; i < 4; i++) {
		REQUIRE(worker_start(&workers[i], wait_at_word, (void *)(uintptr_t)&word));
		EXPECT(wait_for_state(workers[i].thread, THREAD_BLOCKED));
	}
	EXPECT_OK(futex_wake(HANDLE_SELF, (uintptr_t)&word, 1, &woken));
	EXPECT_EQUAL(woken, 1);
	EXPECT_RESULT(OK, futex_wait, worker_join(&workers[0]));
	EXPECT_OK(futex_wake(HANDLE_SELF, (uintptr_t)&word, UINT64_MAX, &woken));
	EXPECT_EQUAL(woken, 3);
	for (unsigned i = 1; i < 4; i++)
		EXPECT_EQUAL(worker_join(&workers[i]), ERR_OK);
}

TEST(futex_requeue)
{
	struct worker workers[3];
	uint64_t count = 0;

	word = 5;
	for (unsigned i = 0; i < 3; i++) {
		REQUIRE(worker_start(&workers[i], wait_at_word, (void *)(uintptr_t)&word));
		EXPECT(wait_for_state(workers[i].thread, THREAD_BLOCKED));
	}
	EXPECT_ERROR(
		MISMATCH, futex_requeue(HANDLE_SELF, (uintptr_t)&word, 6, 1, (uintptr_t)&other, 10, &count));
	EXPECT_OK(futex_requeue(HANDLE_SELF, (uintptr_t)&word, 5, 1, (uintptr_t)&other, 10, &count));
	EXPECT_EQUAL(count, 3);
	EXPECT_OK(futex_wake(HANDLE_SELF, (uintptr_t)&word, 10, &count));
	EXPECT_EQUAL(count, 0);
	// One that was moved can still be killed.
	EXPECT_OK(thread_kill(workers[1].thread, 50));
	EXPECT_EQUAL(worker_join(&workers[1]), 50);
	EXPECT_OK(futex_wake(HANDLE_SELF, (uintptr_t)&other, 10, &count));
	EXPECT_EQUAL(count, 1);
	EXPECT_EQUAL(worker_join(&workers[0]), ERR_OK);
	EXPECT_EQUAL(worker_join(&workers[2]), ERR_OK);
}

TEST(futex_bad_arguments)
{
	handle_t space, fewer;
	uint64_t count;
	void *bad;

	EXPECT_ERROR(INVALID_ARGUMENT, futex_wait(HANDLE_SELF, (uintptr_t)&word + 1, 0, 0));
	EXPECT_ERROR(INVALID_ARGUMENT, futex_wake(HANDLE_SELF, (uintptr_t)&word + 2, 1, &count));
	EXPECT_ERROR(INVALID_ARGUMENT, futex_requeue(HANDLE_SELF, (uintptr_t)&word, 0, 1, 3, 1, &count));
	for (unsigned i = 0; bad_pointer(i, &bad); i++) {
		uintptr_t address = (uintptr_t)bad & ~(uintptr_t)3;

		EXPECT_ERROR(BAD_ADDRESS, futex_wait(HANDLE_SELF, address, 0, 0));
		EXPECT_ERROR(BAD_ADDRESS, futex_wake(HANDLE_SELF, address, 1, &count));
		EXPECT_ERROR(
			BAD_ADDRESS, futex_requeue(HANDLE_SELF, address, 0, 1, (uintptr_t)&word, 1, &count));
		EXPECT_ERROR(BAD_ADDRESS,
			futex_requeue(HANDLE_SELF, (uintptr_t)&word, word, 1, address, 1, &count));
	}
	REQUIRE_OK(address_space_create(&space));
	EXPECT_ERROR(BAD_ADDRESS, futex_wait(space, (uintptr_t)&word, 0, 0));
	fewer = without(space, RIGHT_READ);
	EXPECT_ERROR(NO_RIGHTS, futex_wait(fewer, (uintptr_t)&word, 0, 0));
	EXPECT_ERROR(NO_RIGHTS, futex_wake(fewer, (uintptr_t)&word, 1, &count));
	handle_close(fewer);
	handle_close(space);
}

TEST(futex_exchange_compares_first)
{
	struct map_request request = {.length = PAGE_SIZE, .flags = MAPPING_READ};
	handle_t space, fewer;
	uint64_t address, copied;
	uint32_t value = 1;

	word = 5;
	EXPECT_ERROR(MISMATCH, futex_exchange(HANDLE_SELF, (uintptr_t)&word, 4, 9));
	EXPECT_EQUAL(word, 5);
	EXPECT_OK(futex_exchange(HANDLE_SELF, (uintptr_t)&word, 5, 9));
	EXPECT_EQUAL(word, 9);
	EXPECT_ERROR(INVALID_ARGUMENT, futex_exchange(HANDLE_SELF, (uintptr_t)&word + 2, 9, 1));
	EXPECT_ERROR(BAD_ADDRESS, futex_exchange(HANDLE_SELF, UINT64_MAX - 3, 0, 1));
	REQUIRE_OK(address_space_create(&space));
	EXPECT_ERROR(BAD_ADDRESS, futex_exchange(space, (uintptr_t)&word, 9, 1));
	REQUIRE_OK(address_space_map(space, &request, &address));
	EXPECT_ERROR(BAD_ADDRESS, futex_exchange(space, address, 0, 1));
	request.flags |= MAPPING_WRITE;
	REQUIRE_OK(address_space_map(space, &request, &address));
	EXPECT_OK(futex_exchange(space, address + 8, 0, 7));
	EXPECT_OK(address_space_read(space, address + 8, &value, sizeof(value), &copied));
	EXPECT_EQUAL(value, 7);
	fewer = without(space, RIGHT_WRITE);
	EXPECT_ERROR(NO_RIGHTS, futex_exchange(fewer, address, 0, 1));
	handle_close(fewer);
	handle_close(space);
}

static uint64_t hold_word(uint64_t dies)
{
	struct map_request request = {.memory = child_given[0],
		.length = PAGE_SIZE,
		.flags = MAPPING_READ | MAPPING_WRITE | MAPPING_SHARED};
	uint64_t address;

	if (address_space_map(HANDLE_SELF, &request, &address) != ERR_OK ||
		thread_set_clear_tid(address) != ERR_OK)
		return 1;
	*(volatile uint32_t *)address = 5;
	notification_signal(child_given[1], 1);
	if (dies)
		isa_illegal_instruction();
	return thread_sleep(DEADLINE_NEVER);
}

// The holder of a word in shared memory ends with its process, killed or by a fault: who waits for the word is told.
TEST(futex_holder_dies_with_its_process)
{
	struct map_request request = {
		.length = PAGE_SIZE, .flags = MAPPING_READ | MAPPING_WRITE | MAPPING_SHARED};
	handle_t given[2];
	uint64_t address, bits;

	REQUIRE_OK(memory_create(PAGE_SIZE, 0, &request.memory));
	REQUIRE_OK(address_space_map(HANDLE_SELF, &request, &address));
	REQUIRE_OK(notification_create(&given[1]));
	given[0] = request.memory;
	for (uint64_t dies = 0; dies < 2; dies++) {
		struct worker waiter;
		struct child child;

		*(volatile uint32_t *)address = 5;
		REQUIRE(worker_start(&waiter, wait_at_word, (void *)address));
		EXPECT(wait_for_state(waiter.thread, THREAD_BLOCKED));
		REQUIRE(child_start(&child, hold_word, dies, given, 2));
		EXPECT_OK(notification_wait(given[1], DEADLINE_NEVER, &bits));
		if (!dies)
			EXPECT_OK(process_kill(child.process, 0));
		EXPECT_EQUAL(worker_join(&waiter), ERR_OK);
		EXPECT_EQUAL(*(volatile uint32_t *)address, 0);
		child_wait(&child);
	}
	address_space_unmap(HANDLE_SELF, address, PAGE_SIZE);
	handle_close(request.memory);
	handle_close(given[1]);
}

// Two mappings of one memory, and a third in another space, are one futex where they are MAPPING_SHARED.
TEST(futex_of_shared_memory)
{
	struct map_request request = {
		.length = PAGE_SIZE, .flags = MAPPING_READ | MAPPING_WRITE | MAPPING_SHARED};
	uint64_t first, second, foreign, woken = 0;
	struct worker worker;
	handle_t space;

	REQUIRE_OK(memory_create(PAGE_SIZE, 0, &request.memory));
	REQUIRE_OK(address_space_map(HANDLE_SELF, &request, &first));
	REQUIRE_OK(address_space_map(HANDLE_SELF, &request, &second));
	REQUIRE_OK(address_space_create(&space));
	REQUIRE_OK(address_space_map(space, &request, &foreign));
	*(volatile uint32_t *)first = 5;
	for (unsigned i = 0; i < 2; i++) {
		REQUIRE(worker_start(&worker, wait_at_word, (void *)first));
		EXPECT(wait_for_state(worker.thread, THREAD_BLOCKED));
		if (i == 0)
			EXPECT_OK(futex_wake(HANDLE_SELF, second, 1, &woken));
		else
			EXPECT_OK(futex_wake(space, foreign, 1, &woken));
		EXPECT_EQUAL(woken, 1);
		worker_join(&worker);
	}
	address_space_unmap(HANDLE_SELF, first, PAGE_SIZE);
	address_space_unmap(HANDLE_SELF, second, PAGE_SIZE);
	handle_close(space);
	handle_close(request.memory);
}

// --- Between processes

#define PATIENCE (3000 * MILLISECOND) // in which all below have come to wait

static uint64_t wait_in_child(uint64_t patience)
{
	struct map_request request = {.memory = child_given[0],
		.length = PAGE_SIZE,
		.flags = MAPPING_READ | MAPPING_WRITE | MAPPING_SHARED};
	uint64_t address;

	if (address_space_map(HANDLE_SELF, &request, &address) != ERR_OK)
		return UINT64_MAX;
	notification_signal(child_given[1], 1);
	return futex_wait(HANDLE_SELF, address, 5, patience ? after(patience) : DEADLINE_NEVER);
}

static bool start_waiting_child(struct child *child, uint64_t patience, const handle_t given[2])
{
	uint64_t bits;

	return child_start(child, wait_in_child, patience, given, 2) &&
		notification_wait(given[1], after(60000 * MILLISECOND), &bits) == ERR_OK &&
		wait_for_state(child->thread, THREAD_BLOCKED);
}

// Two processes wait at a word and are moved to another one by a third: there the one's time runs out, and the other is woken.
TEST(futex_requeue_between_processes)
{
	struct map_request request = {
		.length = PAGE_SIZE, .flags = MAPPING_READ | MAPPING_WRITE | MAPPING_SHARED};
	struct child patient, impatient;
	uint64_t first, second, count = 0;
	handle_t given[2];

	REQUIRE_OK(memory_create(PAGE_SIZE, 0, &request.memory));
	REQUIRE_OK(address_space_map(HANDLE_SELF, &request, &first));
	REQUIRE_OK(notification_create(&given[1]));
	given[0] = request.memory;
	second = first + PAGE_SIZE / 2;
	*(volatile uint32_t *)first = 5;
	REQUIRE(start_waiting_child(&patient, 0, given));
	REQUIRE(start_waiting_child(&impatient, PATIENCE, given));
	EXPECT_OK(futex_requeue(HANDLE_SELF, first, 5, 0, second, 10, &count));
	EXPECT_EQUAL(count, 2);
	EXPECT_OK(futex_wake(HANDLE_SELF, first, 10, &count));
	EXPECT_EQUAL(count, 0);
	EXPECT_RESULT(TIMED_OUT, futex_wait, child_wait(&impatient).exit_status);
	EXPECT_OK(futex_wake(HANDLE_SELF, second, 10, &count));
	EXPECT_EQUAL(count, 1);
	EXPECT_RESULT(OK, futex_wait, child_wait(&patient).exit_status);
	EXPECT_OK(futex_wake(HANDLE_SELF, second, 10, &count));
	EXPECT_EQUAL(count, 0);
	address_space_unmap(HANDLE_SELF, first, PAGE_SIZE);
	handle_close(request.memory);
	handle_close(given[1]);
}

// SPDX-License-Identifier: MIT
//
// Memory that several threads use while it is changed: on several CPUs a missing TLB shootdown shows.

#include "isa.h"
#include "test.h"
#include <string.h>

#define PAGES 3

// A thread that counts up a word in each page until it is told to stop; a fault is resumed by the test.
struct writer {
	volatile uint64_t *words[PAGES];
	atomic_bool stop;
	struct worker worker;
	handle_t faults;
};

static uint64_t count_up(void *argument)
{
	struct writer *writer = argument;

	while (!atomic_load(&writer->stop))
		for (unsigned i = 0; i < PAGES; i++)
			*writer->words[i] += 1;
	return 0;
}

static bool start_writer(struct writer *writer)
{
	struct map_request request = {.length = PAGES * PAGE_SIZE, .flags = MAPPING_READ | MAPPING_WRITE};
	struct thread_attributes attributes = {.name = "writer"};
	uint64_t address;

	if (address_space_map(HANDLE_SELF, &request, &address) != ERR_OK ||
		endpoint_create(&writer->faults) != ERR_OK)
		return false;
	for (unsigned i = 0; i < PAGES; i++)
		writer->words[i] = (uint64_t *)(address + i * PAGE_SIZE);
	atomic_init(&writer->stop, false);
	attributes.fault_endpoint = writer->faults;
	if (!worker_start_with(&writer->worker, count_up, writer, &attributes))
		return false;
	for (uint64_t deadline = after(10000 * MILLISECOND); *writer->words[0] == 0 && now() < deadline;)
		thread_yield();
	return *writer->words[0] > 0;
}

static void resume_if_faulted(struct writer *writer)
{
	struct message message = {.info = MESSAGE_TRY};

	if (endpoint_receive(writer->faults, &message) != ERR_OK)
		return;
	EXPECT_EQUAL(message_label(message.info), FAULT_PAGE);
	message.info = MESSAGE_INFO(FAULT_RESUME, 0, 0);
	EXPECT_OK(endpoint_reply(HANDLE_NONE, &message));
}

static void stop_writer(struct writer *writer)
{
	uint64_t deadline = after(60000 * MILLISECOND);
	struct thread_info info;

	atomic_store(&writer->stop, true);
	// A fault from before it was allowed to write again may be told of only now.
	do {
		resume_if_faulted(writer);
		thread_sleep(after(MILLISECOND));
	} while (thread_info(writer->worker.thread, &info) == ERR_OK && info.state < THREAD_ZOMBIE &&
		now() < deadline);
	EXPECT_EQUAL(worker_join(&writer->worker), 0);
	handle_close(writer->faults);
	address_space_unmap(HANDLE_SELF, (uintptr_t)writer->words[0], PAGES * PAGE_SIZE);
}

// Long enough for a thread on another CPU to go on.
static void let_run(void)
{
	uint64_t end = after(MILLISECOND / 20);

	thread_yield();
	while (now() < end)
		;
}

TEST(memory_protected_is_written_by_nobody)
{
	static struct writer writer;
	uint64_t address, before[PAGES];

	REQUIRE(start_writer(&writer));
	address = (uintptr_t)writer.words[0];
	for (unsigned round = 0; round < 60; round++) {
		let_run();
		EXPECT_OK(address_space_protect(HANDLE_SELF, address, PAGES * PAGE_SIZE, MAPPING_READ));
		for (unsigned i = 0; i < PAGES; i++)
			before[i] = *writer.words[i];
		let_run();
		for (unsigned i = 0; i < PAGES; i++)
			EXPECT_EQUAL(*writer.words[i], before[i]);
		EXPECT_OK(address_space_protect(
			HANDLE_SELF, address, PAGES * PAGE_SIZE, MAPPING_READ | MAPPING_WRITE));
		resume_if_faulted(&writer);
	}
	stop_writer(&writer);
}

static uint64_t read_word(handle_t space, const volatile uint64_t *address)
{
	uint64_t word = 0, copied;

	EXPECT_OK(address_space_read(space, (uintptr_t)address, &word, sizeof(word), &copied));
	return word;
}

TEST(memory_cloned_does_not_change_any_more)
{
	static struct writer writer;
	uint64_t before[PAGES];
	handle_t clone;

	REQUIRE(start_writer(&writer));
	for (unsigned round = 0; round < 30; round++) {
		let_run();
		REQUIRE_OK(address_space_clone(HANDLE_SELF, &clone));
		for (unsigned i = 0; i < PAGES; i++)
			before[i] = read_word(clone, writer.words[i]);
		let_run();
		for (unsigned i = 0; i < PAGES; i++) {
			EXPECT_EQUAL(read_word(clone, writer.words[i]), before[i]);
			EXPECT(*writer.words[i] >= before[i]);
		}
		handle_close(clone);
	}
	stop_writer(&writer);
}

// --- Threads that map and unmap in one space

#define CHURNERS     4
#define CHURN_ROUNDS 4
#define CHURN_PAGES  90 // more than one step of the kernel

static atomic_bool all_started;

static bool pages_are(uint64_t address, unsigned first, unsigned end, uint64_t mark)
{
	for (unsigned i = first; i < end; i++)
		if (*(volatile uint64_t *)(address + i * PAGE_SIZE) != mark + i)
			return false;
	return true;
}

// Maps, marks, unmaps the middle, maps it again: what others unmap meanwhile must not be ours.
static uint64_t churn(void *argument)
{
	struct map_request request = {
		.length = CHURN_PAGES * PAGE_SIZE, .flags = MAPPING_READ | MAPPING_WRITE};
	uint64_t address, again;

	while (!atomic_load(&all_started)) // starting one needs a place that nobody takes
		thread_yield();
	for (uint64_t round = 0; round < CHURN_ROUNDS; round++) {
		uint64_t mark = (uintptr_t)argument << 32 | round << 16 | 1;
		struct map_request middle = {.length = 30 * PAGE_SIZE,
			.flags = MAPPING_READ | MAPPING_WRITE | MAPPING_FIXED | MAPPING_REPLACE};

		if (address_space_map(HANDLE_SELF, &request, &address) != ERR_OK)
			return 1;
		for (unsigned i = 0; i < CHURN_PAGES; i++)
			*(volatile uint64_t *)(address + i * PAGE_SIZE) = mark + i;
		middle.address = address + 30 * PAGE_SIZE;
		if (address_space_map(HANDLE_SELF, &middle, &again) != ERR_OK || again != middle.address)
			return 2;
		for (unsigned i = 30; i < 60; i++) {
			volatile uint64_t *word = (uint64_t *)(address + i * PAGE_SIZE);

			if (*word != 0)
				return 3;
			*word = mark + i;
		}
		if (!pages_are(address, 0, CHURN_PAGES, mark))
			return 4;
		if (address_space_unmap(HANDLE_SELF, address, request.length) != ERR_OK)
			return 5;
	}
	return 0;
}

TEST(memory_mapped_and_unmapped_by_many)
{
	struct worker workers[CHURNERS];

	atomic_store(&all_started, false);
	for (uintptr_t i = 0; i < CHURNERS; i++)
		REQUIRE(worker_start(&workers[i], churn, (void *)(i + 1)));
	atomic_store(&all_started, true);
	for (unsigned i = 0; i < CHURNERS; i++)
		EXPECT_EQUAL(worker_join(&workers[i]), 0);
}

// --- A page that is used in the middle of a protect, which goes in steps

#define STEPPED_PAGES 4096

static volatile uint64_t queries;

static uint64_t count_without_pause(void *argument)
{
	volatile uint64_t *word = argument;

	while (word)
		*word += 1;
	return 0;
}

static uint64_t execute_when_allowed(void *argument)
{
	struct mapping_info info = {0};

	while (!(info.flags & MAPPING_EXECUTE)) {
		if (address_space_query(HANDLE_SELF, (uintptr_t)argument, &info) != ERR_OK)
			return 1;
		queries++;
	}
	((void (*)(void))argument)();
	return 2;
}

// One thread writes to the last page, and another one executes it as soon as that is allowed, which is long before the steps come there.
static void protect_between(uint64_t address, volatile uint64_t *word, handle_t faults)
{
	struct thread_attributes counting = {.name = "counting", .affinity = 4, .fault_endpoint = faults};
	struct thread_attributes executing = {.name = "executing", .affinity = 2};
	struct worker counter, executor;
	uint64_t before;

	REQUIRE(worker_start_with(&counter, count_without_pause, (void *)(uintptr_t)word, &counting));
	REQUIRE(worker_start_with(&executor, execute_when_allowed,
		(void *)((uintptr_t)word & ~(uintptr_t)(PAGE_SIZE - 1)), &executing));
	EXPECT(goes_on(word, 1) && goes_on(&queries, 1));
	EXPECT_OK(address_space_protect(
		HANDLE_SELF, address, STEPPED_PAGES * PAGE_SIZE, MAPPING_READ | MAPPING_EXECUTE));
	before = *word;
	let_run();
	EXPECT_EQUAL(*word, before);
	thread_kill(counter.thread, 0);
	thread_kill(executor.thread, 0);
	EXPECT_EQUAL(worker_join(&counter), 0);
	EXPECT_EQUAL(worker_join(&executor), 0);
}

TEST(memory_protected_in_steps_is_written_by_nobody)
{
	static const uint8_t code[] = {ISA_GUEST_SPIN};
	struct map_request request = {
		.length = STEPPED_PAGES * PAGE_SIZE, .flags = MAPPING_READ | MAPPING_WRITE};
	struct system_info info;
	uint64_t address, last;
	handle_t faults;

	REQUIRE_OK(system_info(start_handle(START_SYSTEM), &info));
	if (info.cpu_count < 3)
		return;
	REQUIRE_OK(endpoint_create(&faults));
	EXPECT_OK(thread_set_affinity(HANDLE_SELF, 1));
	for (unsigned round = 0; round < 4; round++) {
		REQUIRE_OK(address_space_map(HANDLE_SELF, &request, &address));
		for (uint64_t at = 0; at < request.length; at += PAGE_SIZE)
			*(volatile uint64_t *)(address + at) = at;
		last = address + request.length - PAGE_SIZE;
		memcpy((void *)last, code, sizeof(code));
		protect_between(address, (uint64_t *)(last + PAGE_SIZE / 2), faults);
		EXPECT_OK(address_space_unmap(HANDLE_SELF, address, request.length));
	}
	EXPECT_OK(thread_set_affinity(HANDLE_SELF, UINT64_MAX));
	handle_close(faults);
}

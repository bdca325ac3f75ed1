// SPDX-License-Identifier: MIT
//
// Memory whose pages a user program supplies.

#include "isa.h"
#include "test.h"
#include <string.h>

#define PAGES     40
#define BADGE     0x7000
#define STOP      77 // label of the message that ends a pager
#define PATIENCE  (20000 * MILLISECOND)
#define NO_OFFSET UINT64_MAX

// A pager of a pattern: each word of what it serves is its offset plus the badge it was asked with.
struct pager {
	handle_t endpoint, asking; // the second with a badge
	handle_t source;           // one page
	struct worker worker;
	uint64_t refused; // offset of a page that it refuses
	atomic_uint asked;
	struct pager_message last;
};

static uint64_t pattern[PAGE_SIZE / sizeof(uint64_t)];

static void fill_pattern(uint64_t *words, uint64_t offset, uint64_t badge)
{
	for (unsigned i = 0; i < PAGE_SIZE / sizeof(uint64_t); i++)
		words[i] = badge + offset + i * sizeof(uint64_t);
}

static bool is_pattern(const uint64_t *words, uint64_t offset, uint64_t badge)
{
	for (unsigned i = 0; i < PAGE_SIZE / sizeof(uint64_t); i++)
		if (words[i] != badge + offset + i * sizeof(uint64_t))
			return false;
	return true;
}

static enum error supply_pattern(handle_t source, handle_t memory, uint64_t offset, uint64_t badge)
{
	enum error error;

	fill_pattern(pattern, offset, badge);
	error = memory_write(source, 0, pattern, PAGE_SIZE);
	if (!error)
		error = memory_supply(memory, offset, source, 0, PAGE_SIZE);
	return error ? error : memory_decommit(source, 0, PAGE_SIZE);
}

static uint64_t serve(void *argument)
{
	struct pager *pager = argument;
	struct message message = {0};

	endpoint_receive(pager->endpoint, &message);
	while (message_label(message.info) != STOP) {
		uint64_t offset = message.words[0];
		enum error error = ERR_OK;

		if (message_label(message.info) != FAULT_PAGER ||
			message_length(message.info) != PAGER_MESSAGE_WORDS ||
			!(message.info & MESSAGE_CALL) || !(message.info & MESSAGE_FAULT))
			return 1;
		pager->last = (struct pager_message){
			offset, message.words[1], message.words[2], message.words[3]};
		if (offset != pager->refused)
			error = supply_pattern(pager->source, HANDLE_NONE, offset, message.badge);
		atomic_fetch_add(&pager->asked, 1);
		message.info = MESSAGE_INFO(
			offset == pager->refused || error ? FAULT_KILL : FAULT_RESUME, 0, 0);
		endpoint_reply_receive(pager->endpoint, &message);
	}
	message.info = 0;
	endpoint_reply(HANDLE_NONE, &message);
	return 0;
}

// Makes the endpoint and the source; the worker is started by pager_start.
static bool pager_prepare(struct pager *pager)
{
	*pager = (struct pager){.refused = NO_OFFSET};
	return endpoint_create(&pager->endpoint) == ERR_OK &&
		handle_mint(pager->endpoint, RIGHT_SEND, BADGE, &pager->asking) == ERR_OK &&
		memory_create(PAGE_SIZE, 0, &pager->source) == ERR_OK;
}

static bool pager_start(struct pager *pager)
{
	return pager_prepare(pager) && worker_start(&pager->worker, serve, pager);
}

static void pager_close(struct pager *pager)
{
	handle_close(pager->source);
	handle_close(pager->asking);
	handle_close(pager->endpoint);
}

static void pager_stop(struct pager *pager)
{
	struct message message = {.info = MESSAGE_INFO(STOP, 0, 0)};

	EXPECT_OK(endpoint_call(pager->endpoint, &message));
	EXPECT_EQUAL(worker_join(&pager->worker), 0);
	pager_close(pager);
}

static uint64_t *map(handle_t space, handle_t memory, uint64_t length, uint64_t flags)
{
	struct map_request request = {
		.memory = memory, .length = length, .flags = MAPPING_READ | MAPPING_WRITE | flags};
	uint64_t address = 0;

	EXPECT_OK(address_space_map(space, &request, &address));
	return (uint64_t *)address;
}

static void unmap(const uint64_t *address, uint64_t length)
{
	EXPECT_OK(address_space_unmap(HANDLE_SELF, (uintptr_t)address, length));
}

static const uint64_t *page_of(const uint64_t *base, unsigned page)
{
	return (const uint64_t *)((uintptr_t)base + page * PAGE_SIZE);
}

TEST(pager_arguments_and_rights)
{
	handle_t memory, plain, fewer;
	struct pager pager;

	REQUIRE(pager_prepare(&pager));
	EXPECT_ERROR(INVALID_ARGUMENT, memory_create_paged(pager.asking, 0, &memory));
	EXPECT_ERROR(INVALID_ARGUMENT, memory_create_paged(pager.asking, PAGE_SIZE + 1, &memory));
	EXPECT_ERROR(
		INVALID_ARGUMENT, memory_create_paged(pager.asking, UINT64_MAX - PAGE_SIZE + 1, &memory));
	EXPECT_ERROR(WRONG_TYPE, memory_create_paged(pager.source, PAGE_SIZE, &memory));
	EXPECT_ERROR(BAD_HANDLE, memory_create_paged(HANDLE_NONE, PAGE_SIZE, &memory));
	fewer = without(pager.endpoint, RIGHT_SEND);
	EXPECT_ERROR(NO_RIGHTS, memory_create_paged(fewer, PAGE_SIZE, &memory));
	handle_close(fewer);

	REQUIRE_OK(memory_create_paged(pager.asking, 4 * PAGE_SIZE, &memory));
	REQUIRE_OK(memory_create(4 * PAGE_SIZE, 0, &plain));
	EXPECT_ERROR(INVALID_ARGUMENT, memory_supply(memory, 1, plain, 0, PAGE_SIZE));
	EXPECT_ERROR(INVALID_ARGUMENT, memory_supply(memory, 0, plain, 8, PAGE_SIZE));
	EXPECT_ERROR(INVALID_ARGUMENT, memory_supply(memory, 0, plain, 0, 0));
	EXPECT_ERROR(INVALID_ARGUMENT, memory_supply(memory, 0, plain, 0, PAGE_SIZE - 8));
	EXPECT_ERROR(INVALID_ARGUMENT, memory_supply(memory, PAGE_SIZE, plain, 0, 4 * PAGE_SIZE));
	EXPECT_ERROR(INVALID_ARGUMENT, memory_supply(memory, 0, plain, PAGE_SIZE, 4 * PAGE_SIZE));
	EXPECT_ERROR(
		INVALID_ARGUMENT, memory_supply(memory, UINT64_MAX - PAGE_SIZE + 1, plain, 0, PAGE_SIZE));
	EXPECT_ERROR(INVALID_ARGUMENT, memory_supply(memory, 0, plain, 0, UINT64_MAX - PAGE_SIZE + 1));
	EXPECT_ERROR(INVALID_ARGUMENT, memory_supply(plain, 0, plain, 0, PAGE_SIZE)); // has no pager
	EXPECT_ERROR(INVALID_ARGUMENT, memory_supply(memory, 0, memory, 0, PAGE_SIZE));
	EXPECT_ERROR(WRONG_TYPE, memory_supply(pager.endpoint, 0, plain, 0, PAGE_SIZE));
	EXPECT_ERROR(WRONG_TYPE, memory_supply(memory, 0, pager.endpoint, 0, PAGE_SIZE));
	EXPECT_ERROR(BAD_STATE, memory_supply(HANDLE_NONE, 0, plain, 0, PAGE_SIZE));
	fewer = without(memory, RIGHT_CONTROL);
	EXPECT_LACKS(CONTROL, memory_supply, memory_supply(fewer, 0, plain, 0, PAGE_SIZE));
	handle_close(fewer);
	fewer = without(plain, RIGHT_READ);
	EXPECT_ERROR(NO_RIGHTS, memory_supply(memory, 0, fewer, 0, PAGE_SIZE));
	handle_close(fewer);

	EXPECT_ERROR(INVALID_ARGUMENT, memory_decommit(plain, 8, PAGE_SIZE));
	EXPECT_ERROR(INVALID_ARGUMENT, memory_decommit(plain, 0, 5 * PAGE_SIZE));
	EXPECT_ERROR(INVALID_ARGUMENT, memory_decommit(plain, PAGE_SIZE, UINT64_MAX - PAGE_SIZE + 1));
	fewer = without(plain, RIGHT_WRITE);
	EXPECT_ERROR(NO_RIGHTS, memory_decommit(fewer, 0, PAGE_SIZE));
	handle_close(fewer);
	handle_close(plain);
	REQUIRE_OK(memory_create(PAGE_SIZE, MEMORY_CONTIGUOUS, &plain));
	EXPECT_ERROR(INVALID_ARGUMENT, memory_decommit(plain, 0, PAGE_SIZE));
	handle_close(plain);
	handle_close(memory);
	pager_close(&pager);
}

TEST(memory_decommitted_is_zero_again)
{
	struct memory_info info;
	handle_t memory;
	uint64_t *words;

	REQUIRE_OK(memory_create(200 * PAGE_SIZE, 0, &memory));
	words = map(HANDLE_SELF, memory, 200 * PAGE_SIZE, MAPPING_SHARED);
	for (unsigned i = 0; i < 200; i++)
		words[i * PAGE_SIZE / sizeof(*words)] = i + 1;
	EXPECT_OK(memory_decommit(memory, PAGE_SIZE, 198 * PAGE_SIZE));
	EXPECT_OK(memory_info(memory, &info));
	EXPECT_EQUAL(info.resident, 2 * PAGE_SIZE);
	for (unsigned i = 0; i < 200; i++)
		EXPECT_EQUAL(words[i * PAGE_SIZE / sizeof(*words)], i == 0 || i == 199 ? i + 1 : 0);
	unmap(words, 200 * PAGE_SIZE);
	handle_close(memory);
}

// --- Served

static struct pager child_pager;

static uint64_t serve_in_child(uint64_t argument)
{
	(void)argument;
	child_pager = (struct pager){.endpoint = child_given[0], .refused = NO_OFFSET};
	if (memory_create(PAGE_SIZE, 0, &child_pager.source) != ERR_OK)
		return 2;
	return serve(&child_pager);
}

// The pager is another process, which has no handle to the memory.
TEST(pager_serves_from_another_process)
{
	struct message message = {.info = MESSAGE_INFO(STOP, 0, 0)};
	handle_t endpoint, asking, memory;
	struct child child;
	uint64_t *words;

	REQUIRE_OK(endpoint_create(&endpoint));
	REQUIRE_OK(handle_mint(endpoint, RIGHT_SEND, BADGE, &asking));
	REQUIRE(child_start(&child, serve_in_child, 0, &endpoint, 1));
	REQUIRE_OK(memory_create_paged(asking, PAGES * PAGE_SIZE, &memory));
	words = map(HANDLE_SELF, memory, PAGES * PAGE_SIZE, MAPPING_SHARED);
	for (unsigned i = PAGES; i-- > 0;)
		EXPECT(is_pattern(page_of(words, i), i * PAGE_SIZE, BADGE));
	words[5] = 1; // written like other memory, and kept
	EXPECT_OK(memory_read(memory, 0, pattern, PAGE_SIZE));
	EXPECT_EQUAL(pattern[5], 1);
	EXPECT_OK(endpoint_call(endpoint, &message));
	EXPECT_EQUAL(child_wait(&child).exit_status, 0);
	unmap(words, PAGES * PAGE_SIZE);
	handle_close(memory);
	handle_close(asking);
	handle_close(endpoint);
}

TEST(pager_is_asked_once_until_pages_are_dropped)
{
	struct thread_info self;
	struct handle_info info;
	struct pager pager;
	handle_t memory;
	uint64_t *words;

	REQUIRE(pager_start(&pager));
	REQUIRE_OK(memory_create_paged(pager.asking, 4 * PAGE_SIZE, &memory));
	words = map(HANDLE_SELF, memory, 3 * PAGE_SIZE, MAPPING_SHARED);
	EXPECT(is_pattern(page_of(words, 2), 2 * PAGE_SIZE, BADGE));
	EXPECT_OK(handle_info(memory, &info));
	EXPECT_OK(thread_info(HANDLE_SELF, &self));
	EXPECT_EQUAL(pager.last.offset, 2 * PAGE_SIZE);
	EXPECT_EQUAL(pager.last.access, FAULT_ACCESS_READ);
	EXPECT_EQUAL(pager.last.memory_id, info.object_id);
	EXPECT_EQUAL(pager.last.thread_id, self.id);
	EXPECT(is_pattern(page_of(words, 2), 2 * PAGE_SIZE, BADGE));
	EXPECT_EQUAL(pager.asked, 1);
	words[0] = 9;
	EXPECT_EQUAL(pager.last.access, FAULT_ACCESS_WRITE);
	EXPECT_EQUAL(words[1], BADGE + 8);
	EXPECT_EQUAL(pager.asked, 2);
	EXPECT_OK(memory_decommit(memory, 0, 4 * PAGE_SIZE));
	EXPECT(is_pattern(words, 0, BADGE));
	EXPECT_EQUAL(pager.asked, 3);
	unmap(words, 3 * PAGE_SIZE);
	handle_close(memory);
	pager_stop(&pager);
}

// Without being asked, and without touching what is there.
TEST(pager_supplies_ahead)
{
	handle_t memory, source;
	struct pager pager;
	uint64_t word = 0;

	REQUIRE(pager_prepare(&pager));
	REQUIRE_OK(memory_create_paged(pager.asking, 200 * PAGE_SIZE, &memory));
	REQUIRE_OK(memory_create(200 * PAGE_SIZE, 0, &source));
	for (uint64_t i = 0; i < 200; i += 2)
		EXPECT_OK(memory_write(source, i * PAGE_SIZE, &i, sizeof(i)));
	EXPECT_ERROR(PEER_FAULT, memory_read(memory, 4 * PAGE_SIZE, &word, sizeof(word)));
	EXPECT_ERROR(PEER_FAULT, memory_write(memory, 4 * PAGE_SIZE, &word, sizeof(word)));
	EXPECT_OK(supply_pattern(pager.source, memory, 4 * PAGE_SIZE, BADGE));
	EXPECT_OK(memory_supply(memory, 0, source, 0, 200 * PAGE_SIZE));
	for (uint64_t i = 0; i < 200; i++) {
		EXPECT_OK(memory_read(memory, i * PAGE_SIZE, &word, sizeof(word)));
		EXPECT_EQUAL(word, i == 4 ? BADGE + 4 * PAGE_SIZE : i % 2 == 0 ? i : 0);
	}
	// Neither sees what the other writes.
	word = 1000;
	EXPECT_OK(memory_write(source, 6 * PAGE_SIZE, &word, sizeof(word)));
	EXPECT_OK(memory_read(memory, 6 * PAGE_SIZE, &word, sizeof(word)));
	EXPECT_EQUAL(word, 6);
	handle_close(source);
	handle_close(memory);
	pager_close(&pager);
}

#define READERS 8

static atomic_uint readers_ready;

static uint64_t read_page(void *argument)
{
	atomic_fetch_add(&readers_ready, 1);
	while (readers_ready != READERS)
		thread_yield();
	return is_pattern(argument, 3 * PAGE_SIZE, BADGE);
}

TEST(pager_many_threads_miss_one_page)
{
	struct worker readers[READERS];
	struct pager pager;
	handle_t memory;
	uint64_t *words;

	REQUIRE(pager_start(&pager));
	REQUIRE_OK(memory_create_paged(pager.asking, 4 * PAGE_SIZE, &memory));
	words = map(HANDLE_SELF, memory, 4 * PAGE_SIZE, MAPPING_SHARED);
	for (unsigned round = 0; round < 10; round++) {
		readers_ready = 0;
		for (unsigned i = 0; i < READERS; i++)
			REQUIRE(worker_start(&readers[i], read_page, (void *)page_of(words, 3)));
		for (unsigned i = 0; i < READERS; i++)
			EXPECT_EQUAL(worker_join(&readers[i]), 1);
		EXPECT_OK(memory_decommit(memory, 0, 4 * PAGE_SIZE));
	}
	EXPECT(pager.asked >= 10 && pager.asked <= 10 * READERS);
	unmap(words, 4 * PAGE_SIZE);
	handle_close(memory);
	pager_stop(&pager);
}

// --- Copies

TEST(pager_serves_clones_too)
{
	handle_t memory, clone;
	struct pager pager;
	uint64_t *words, *copy;

	REQUIRE(pager_start(&pager));
	REQUIRE_OK(memory_create_paged(pager.asking, 6 * PAGE_SIZE, &memory));
	words = map(HANDLE_SELF, memory, 6 * PAGE_SIZE, MAPPING_SHARED);
	*(uint64_t *)page_of(words, 3) = 33;
	REQUIRE_OK(memory_clone(memory, 2 * PAGE_SIZE, 3 * PAGE_SIZE, &clone));
	copy = map(HANDLE_SELF, clone, 3 * PAGE_SIZE, MAPPING_SHARED);
	EXPECT_EQUAL(pager.asked, 1);
	EXPECT_EQUAL(*page_of(copy, 1), 33); // resident when it was cloned
	EXPECT_EQUAL(pager.asked, 1);
	EXPECT(is_pattern(page_of(copy, 0), 2 * PAGE_SIZE, BADGE));
	EXPECT_EQUAL(pager.last.offset, 2 * PAGE_SIZE);
	EXPECT_EQUAL(pager.asked, 2);
	*(uint64_t *)page_of(copy, 0) = 1;
	*(uint64_t *)page_of(copy, 1) = 2;
	*(uint64_t *)page_of(words, 4) = 3;
	EXPECT_EQUAL(*page_of(words, 2), BADGE + 2 * PAGE_SIZE);
	EXPECT_EQUAL(*page_of(words, 3), 33);
	EXPECT_EQUAL(*page_of(copy, 2), BADGE + 4 * PAGE_SIZE);
	// Outside its part of what the pager serves.
	EXPECT_ERROR(INVALID_ARGUMENT, memory_supply(clone, 0, pager.source, 0, PAGE_SIZE));
	EXPECT_ERROR(INVALID_ARGUMENT, memory_supply(clone, 5 * PAGE_SIZE, pager.source, 0, PAGE_SIZE));
	EXPECT_OK(memory_supply(clone, 4 * PAGE_SIZE, pager.source, 0, PAGE_SIZE));
	unmap(words, 6 * PAGE_SIZE);
	unmap(copy, 3 * PAGE_SIZE);
	handle_close(clone);
	handle_close(memory);
	pager_stop(&pager);
}

// What a space maps privately is the copy's own; what it has not touched, the copy asks for itself.
TEST(pager_serves_copies_of_spaces)
{
	uint64_t *private, *shared, word = 0, copied;
	handle_t memory, space;
	struct pager pager;

	REQUIRE(pager_start(&pager));
	REQUIRE_OK(memory_create_paged(pager.asking, 4 * PAGE_SIZE, &memory));
	private = map(HANDLE_SELF, memory, 4 * PAGE_SIZE, 0);
	shared = map(HANDLE_SELF, memory, 4 * PAGE_SIZE, MAPPING_SHARED);
	*(uint64_t *)page_of(private, 1) = 11;
	REQUIRE_OK(address_space_clone(HANDLE_SELF, &space));
	*(uint64_t *)page_of(private, 1) = 12;
	EXPECT_OK(address_space_read(space, (uintptr_t)page_of(private, 1), &word, sizeof(word), &copied));
	EXPECT_EQUAL(word, 11);
	EXPECT_OK(address_space_read(space, (uintptr_t)page_of(shared, 1), &word, sizeof(word), &copied));
	EXPECT_EQUAL(word, 12);
	EXPECT_ERROR(PEER_FAULT,
		address_space_read(space, (uintptr_t)page_of(private, 2), &word, sizeof(word), &copied));
	EXPECT_EQUAL(pager.asked, 1);
	handle_close(space);
	unmap(private, 4 * PAGE_SIZE);
	unmap(shared, 4 * PAGE_SIZE);
	handle_close(memory);
	pager_stop(&pager);
}

// --- Copies of the kernel

static uint64_t write_to_caller(void *argument)
{
	struct message message = {0};
	uint64_t copied = 0, wrong = 0;
	static char bytes[2 * PAGE_SIZE];

	endpoint_receive(*(handle_t *)argument, &message);
	wrong |= (reply_write(HANDLE_NONE, 0, 0, bytes, sizeof(bytes), &copied) != ERR_OK ||
			 copied != PAGE_SIZE)
		<< 0;
	wrong |= (reply_write(HANDLE_NONE, 0, PAGE_SIZE, bytes, PAGE_SIZE, &copied) != ERR_PEER_FAULT) << 1;
	wrong |= (reply_read(HANDLE_NONE, 0, PAGE_SIZE, bytes, PAGE_SIZE, &copied) != ERR_PEER_FAULT) << 2;
	message.info = 0;
	endpoint_reply(HANDLE_NONE, &message);
	return wrong;
}

TEST(pager_is_not_waited_for_by_copies)
{
	struct message message = {.info = MESSAGE_BUFFERS};
	handle_t memory, server;
	struct worker worker;
	struct pager pager;
	uint64_t *words;

	REQUIRE(pager_start(&pager));
	REQUIRE_OK(memory_create_paged(pager.asking, 2 * PAGE_SIZE, &memory));
	words = map(HANDLE_SELF, memory, 2 * PAGE_SIZE, MAPPING_SHARED);
	EXPECT_EQUAL(*words, BADGE);
	REQUIRE_OK(endpoint_create(&server));
	REQUIRE(worker_start(&worker, write_to_caller, &server));
	message_offer(0, words, 2 * PAGE_SIZE, OFFER_READ | OFFER_WRITE);
	EXPECT_OK(endpoint_call(server, &message));
	EXPECT_EQUAL(worker_join(&worker), 0);
	EXPECT_ERROR(BAD_ADDRESS, handle_info(memory, (struct handle_info *)page_of(words, 1)));
	EXPECT_EQUAL(pager.asked, 1);
	EXPECT_EQUAL(*page_of(words, 1), BADGE + PAGE_SIZE);
	EXPECT_OK(handle_info(memory, (struct handle_info *)page_of(words, 1)));
	unmap(words, 2 * PAGE_SIZE);
	handle_close(memory);
	handle_close(server);
	pager_stop(&pager);
}

// --- Refusal and death

static enum error receive(handle_t endpoint, struct message *message)
{
	message->info = 0;
	return endpoint_receive(endpoint, message);
}

static uint64_t touch(void *argument)
{
	return *(volatile uint64_t *)argument;
}

static bool start_toucher(struct worker *worker, const void *address, handle_t faults)
{
	struct thread_attributes attributes = {.name = "toucher", .fault_endpoint = faults};

	return worker_start_with(worker, touch, (void *)address, &attributes);
}

// The toucher's fault arrives as any other; it tries again if told to.
static void expect_fault(handle_t faults, const void *address, enum fault_reply reply)
{
	struct message message = {.info = MESSAGE_DEADLINE};

	message_buffer()->deadline = after(PATIENCE);
	EXPECT_OK(endpoint_receive(faults, &message));
	EXPECT_EQUAL(message_label(message.info), FAULT_PAGER);
	EXPECT_EQUAL(message_length(message.info), FAULT_MESSAGE_WORDS);
	EXPECT_EQUAL(message.words[0], (uintptr_t)address);
	EXPECT_EQUAL(message.words[1], FAULT_ACCESS_READ);
	message.info = MESSAGE_INFO(reply, 0, 0);
	EXPECT_OK(endpoint_reply(HANDLE_NONE, &message));
}

TEST(pager_refuses)
{
	struct worker toucher;
	handle_t memory, faults;
	struct pager pager;
	uint64_t *words;

	REQUIRE(pager_start(&pager));
	REQUIRE_OK(endpoint_create(&faults));
	REQUIRE_OK(memory_create_paged(pager.asking, 2 * PAGE_SIZE, &memory));
	words = map(HANDLE_SELF, memory, 2 * PAGE_SIZE, MAPPING_SHARED);
	pager.refused = PAGE_SIZE;
	REQUIRE(start_toucher(&toucher, page_of(words, 1), faults));
	expect_fault(faults, page_of(words, 1), FAULT_RESUME);
	expect_fault(faults, page_of(words, 1), FAULT_KILL);
	EXPECT_EQUAL(worker_join(&toucher), FAULT_PAGER);
	EXPECT_EQUAL(pager.asked, 2);
	unmap(words, 2 * PAGE_SIZE);
	handle_close(memory);
	handle_close(faults);
	pager_stop(&pager);
}

static uint64_t die_when_asked(uint64_t argument)
{
	struct message message = {0};

	if (receive(child_given[0], &message) != ERR_OK)
		return 1;
	if (argument)
		thread_sleep(DEADLINE_NEVER); // to be killed with one request taken, and others waiting
	return 0;
}

// The request is taken, others are in the queue, nobody else can receive.
TEST(pager_dies_with_requests_taken)
{
	for (uint64_t killed = 0; killed < 2; killed++) {
		handle_t endpoint, asking, memory, faults;
		struct worker touchers[3];
		struct child child;
		uint64_t *words;

		REQUIRE_OK(endpoint_create(&endpoint));
		REQUIRE_OK(endpoint_create(&faults));
		REQUIRE_OK(handle_mint(endpoint, RIGHT_SEND, BADGE, &asking));
		REQUIRE(child_start(&child, die_when_asked, killed, &endpoint, 1));
		handle_close(endpoint);
		REQUIRE_OK(memory_create_paged(asking, 3 * PAGE_SIZE, &memory));
		handle_close(asking);
		words = map(HANDLE_SELF, memory, 3 * PAGE_SIZE, MAPPING_SHARED);
		for (unsigned i = 0; i < 3; i++)
			REQUIRE(start_toucher(&touchers[i], page_of(words, 1), faults));
		for (unsigned i = 0; killed && i < 3; i++)
			EXPECT(wait_for_state(touchers[i].thread, THREAD_BLOCKED));
		if (killed)
			EXPECT_OK(process_kill(child.process, 0));
		for (unsigned i = 0; i < 3; i++)
			expect_fault(faults, page_of(words, 1), FAULT_KILL);
		for (unsigned i = 0; i < 3; i++)
			EXPECT_EQUAL(worker_join(&touchers[i]), FAULT_PAGER);
		child_wait(&child);
		unmap(words, 3 * PAGE_SIZE);
		handle_close(memory);
		handle_close(faults);
	}
}

// A pager that comes in the place of one that died is asked what that one was asked.
TEST(pager_is_restarted)
{
	struct worker toucher;
	struct child child;
	struct pager pager;
	handle_t memory;
	uint64_t *words;

	REQUIRE(pager_prepare(&pager));
	REQUIRE(child_start(&child, die_when_asked, 0, &pager.endpoint, 1));
	REQUIRE_OK(memory_create_paged(pager.asking, PAGE_SIZE, &memory));
	words = map(HANDLE_SELF, memory, PAGE_SIZE, MAPPING_SHARED);
	REQUIRE(start_toucher(&toucher, words, HANDLE_NONE));
	EXPECT_EQUAL(child_wait(&child).exit_status, 0);
	REQUIRE(worker_start(&pager.worker, serve, &pager));
	EXPECT_EQUAL(worker_join(&toucher), BADGE);
	unmap(words, PAGE_SIZE);
	handle_close(memory);
	pager_stop(&pager);
}

static uint64_t answer_oddly(void *argument)
{
	struct pager *pager = argument;
	struct message message = {0};
	handle_t reply, other;
	uint64_t copied;

	if (memory_create_paged(pager->asking, PAGE_SIZE, &other) != ERR_OK)
		return 1;
	for (unsigned i = 0; i < 3; i++) { // resumed without a page
		if (receive(pager->endpoint, &message) != ERR_OK)
			return 2;
		message.info = MESSAGE_INFO(FAULT_RESUME, MESSAGE_WORDS, 0);
		if (endpoint_reply(HANDLE_NONE, &message) != ERR_OK)
			return 3;
	}
	if (receive(pager->endpoint, &message) != ERR_OK)
		return 4;
	// There are no buffers, no page outside the memory, and no other memory to take pages from.
	if (reply_write(HANDLE_NONE, 0, 0, pattern, 8, &copied) != ERR_INVALID_ARGUMENT ||
		memory_supply(HANDLE_NONE, PAGE_SIZE, pager->source, 0, PAGE_SIZE) != ERR_INVALID_ARGUMENT ||
		memory_supply(HANDLE_NONE, 0, other, 0, PAGE_SIZE) != ERR_INVALID_ARGUMENT)
		return 5;
	if (reply_save(&reply) != ERR_OK || handle_close(reply) != ERR_OK)
		return 6;
	if (receive(pager->endpoint, &message) != ERR_OK || reply_save(&reply) != ERR_OK)
		return 7;
	if (supply_pattern(pager->source, reply, 0, BADGE) != ERR_OK)
		return 8;
	message.info = MESSAGE_INFO(FAULT_RESUME, 0, 0);
	if (endpoint_reply(reply, &message) != ERR_OK)
		return 9;
	if (memory_supply(reply, 0, pager->source, 0, PAGE_SIZE) != ERR_BAD_HANDLE ||
		endpoint_reply(reply, &message) != ERR_BAD_HANDLE)
		return 10;
	handle_close(other);
	return 0;
}

TEST(pager_answers_oddly)
{
	struct pager pager;
	handle_t memory;
	uint64_t *words;

	REQUIRE(pager_prepare(&pager));
	REQUIRE(worker_start(&pager.worker, answer_oddly, &pager));
	REQUIRE_OK(memory_create_paged(pager.asking, PAGE_SIZE, &memory));
	words = map(HANDLE_SELF, memory, PAGE_SIZE, MAPPING_SHARED);
	EXPECT(is_pattern(words, 0, BADGE));
	EXPECT_EQUAL(worker_join(&pager.worker), 0);
	unmap(words, PAGE_SIZE);
	handle_close(memory);
	pager_close(&pager);
}

// The mapping and the thread go while the pager works.
TEST(pager_is_late)
{
	struct message message = {0};
	struct worker touchers[2];
	struct pager pager;
	handle_t memory, replies[2];
	uint64_t *words;

	REQUIRE(pager_prepare(&pager));
	REQUIRE_OK(memory_create_paged(pager.asking, PAGE_SIZE, &memory));
	words = map(HANDLE_SELF, memory, PAGE_SIZE, MAPPING_SHARED);
	for (unsigned i = 0; i < 2; i++) {
		REQUIRE(start_toucher(&touchers[i], words, i == 0 ? HANDLE_NONE : pager.endpoint));
		EXPECT_OK(receive(pager.endpoint, &message));
		EXPECT_EQUAL(message_label(message.info), FAULT_PAGER);
		EXPECT_OK(reply_save(&replies[i]));
	}
	EXPECT_OK(thread_kill(touchers[0].thread, 5));
	EXPECT_EQUAL(worker_join(&touchers[0]), 5);
	EXPECT_RESULT(GONE, memory_supply, supply_pattern(pager.source, replies[0], 0, BADGE));
	message.info = MESSAGE_INFO(FAULT_RESUME, 0, 0);
	EXPECT_ERROR(GONE, endpoint_reply(replies[0], &message));
	unmap(words, PAGE_SIZE);
	handle_close(memory);
	EXPECT_OK(supply_pattern(pager.source, replies[1], 0, BADGE));
	message.info = MESSAGE_INFO(FAULT_RESUME, 0, 0);
	EXPECT_OK(endpoint_reply(replies[1], &message));
	EXPECT_OK(receive(pager.endpoint, &message)); // as its fault endpoint
	EXPECT_EQUAL(message_label(message.info), FAULT_PAGE);
	message.info = MESSAGE_INFO(FAULT_KILL, 0, 0);
	EXPECT_OK(endpoint_reply(HANDLE_NONE, &message));
	EXPECT_EQUAL(worker_join(&touchers[1]), FAULT_PAGE);
	pager_close(&pager);
}

// --- Who pays

static uint64_t clone_and_send(uint64_t argument)
{
	struct message message = {.info = MESSAGE_INFO(0, 0, 1)};

	(void)argument;
	if (memory_clone(child_given[1], 0, 64 * PAGE_SIZE, &child_message_buffer->capabilities[0]) != ERR_OK)
		return 1;
	return endpoint_send(child_given[0], &message);
}

// Pages are charged to the account of the memory, here a child's, up to its limit.
TEST(pager_charges_the_account_of_the_memory)
{
	handle_t given[2], account, source;
	struct account_info before, used;
	struct message message = {0};
	struct child child;
	struct pager pager;

	REQUIRE(pager_prepare(&pager));
	REQUIRE_OK(endpoint_create(&given[0]));
	REQUIRE_OK(memory_create_paged(pager.asking, 64 * PAGE_SIZE, &given[1]));
	REQUIRE_OK(memory_create(64 * PAGE_SIZE, 0, &source));
	REQUIRE_OK(account_create(start_handle(START_ACCOUNT), 400, 100, &account));
	REQUIRE(child_start_in(&child, account, clone_and_send, 0, given, 2));
	REQUIRE_OK(receive(given[0], &message));
	child_wait(&child);
	EXPECT_OK(account_info(account, &before));
	EXPECT_OK(memory_supply(message_buffer()->capabilities[0], 0, source, 0, 32 * PAGE_SIZE));
	EXPECT_OK(account_info(account, &used));
	EXPECT(used.pages_used >= before.pages_used + 32 && used.pages_used <= before.pages_used + 34);
	handle_close(message_buffer()->capabilities[0]);
	handle_close(given[0]);
	handle_close(given[1]);
	handle_close(source);
	EXPECT_OK(account_info(account, &used));
	EXPECT_EQUAL(used.pages_used, 0);
	handle_close(account);
	pager_close(&pager);
}

// --- Guests

#define GUEST_CODE  0x10000
#define GUEST_DATA  0x20000
#define GUEST_STATE 0x8000

static struct guest_state *const state = (struct guest_state *)GUEST_STATE;

struct guest_run {
	handle_t space;
	uint64_t reason;
	struct guest_state left; // its state afterwards
};

static uint64_t run_guest(void *argument)
{
	struct guest_run *run = argument;
	enum error error;

	if (guest_bind(run->space, GUEST_STATE) != ERR_OK)
		return 1;
	memset(state, 0, sizeof(*state));
	isa_fill_registers(&state->registers);
	ISA_PROGRAM_COUNTER(&state->registers) = GUEST_CODE;
	ISA_FIRST_ARGUMENT(&state->registers) = GUEST_DATA + 8;
	ISA_STACK_POINTER(&state->registers) = GUEST_DATA + 64;
	error = guest_enter(&run->reason);
	memcpy(&run->left, state, sizeof(run->left));
	return error;
}

// A guest that loads the word that its first argument points to, from the second page that a pager serves.
static bool make_guest(struct guest_run *run, handle_t memory)
{
	static const uint8_t code[] = {ISA_GUEST_LOAD, ISA_GUEST_SYSCALL};
	struct map_request text = {.length = PAGE_SIZE,
		.address = GUEST_CODE,
		.flags = MAPPING_READ | MAPPING_EXECUTE | MAPPING_FIXED};
	struct map_request data = {.memory = memory,
		.length = PAGE_SIZE,
		.address = GUEST_DATA,
		.offset = PAGE_SIZE,
		.flags = MAPPING_READ | MAPPING_WRITE | MAPPING_FIXED};
	uint64_t address;

	if (address_space_create(&run->space) != ERR_OK ||
		memory_create(PAGE_SIZE, 0, &text.memory) != ERR_OK)
		return false;
	EXPECT_OK(memory_write(text.memory, 0, code, sizeof(code)));
	EXPECT_OK(address_space_map(run->space, &text, &address));
	EXPECT_OK(address_space_map(run->space, &data, &address));
	EXPECT_OK(address_space_sync_code(run->space, GUEST_CODE, PAGE_SIZE));
	handle_close(text.memory);
	return true;
}

TEST(pager_serves_guests)
{
	struct guest_run run;
	struct worker worker;
	struct pager pager;
	handle_t memory;

	REQUIRE(pager_start(&pager));
	for (unsigned refuses = 0; refuses < 2; refuses++) {
		pager.refused = refuses ? PAGE_SIZE : NO_OFFSET;
		REQUIRE_OK(memory_create_paged(pager.asking, 2 * PAGE_SIZE, &memory));
		REQUIRE(make_guest(&run, memory));
		REQUIRE(worker_start(&worker, run_guest, &run));
		EXPECT_EQUAL(worker_join(&worker), 0);
		EXPECT_EQUAL(run.reason, refuses ? GUEST_EXIT_FAULT : GUEST_EXIT_SYSCALL);
		EXPECT(!refuses || run.left.fault_kind == FAULT_PAGER);
		EXPECT(!refuses || run.left.fault_address == GUEST_DATA + 8);
		EXPECT_EQUAL(pager.last.offset, PAGE_SIZE);
		handle_close(memory);
		handle_close(run.space);
	}
	EXPECT_EQUAL(pager.asked, 2);
	pager_stop(&pager);
}

// A kick ends the guest's wait for its pager, taken by it or not.
TEST(pager_waits_of_guests_are_kicked)
{
	struct message message = {0};
	struct guest_run run;
	struct worker worker;
	struct pager pager;
	handle_t memory;

	REQUIRE(pager_prepare(&pager));
	REQUIRE_OK(memory_create_paged(pager.asking, 2 * PAGE_SIZE, &memory));
	for (unsigned taken = 0; taken < 2; taken++) {
		REQUIRE(make_guest(&run, memory));
		REQUIRE(worker_start(&worker, run_guest, &run));
		if (taken)
			EXPECT_OK(receive(pager.endpoint, &message));
		else
			EXPECT(wait_for_state(worker.thread, THREAD_BLOCKED));
		EXPECT_OK(guest_kick(worker.thread));
		EXPECT_EQUAL(worker_join(&worker), 0);
		EXPECT_EQUAL(run.reason, GUEST_EXIT_KICKED);
		EXPECT_EQUAL(ISA_PROGRAM_COUNTER(&run.left.registers), GUEST_CODE);
		handle_close(run.space);
	}
	message.info = MESSAGE_INFO(FAULT_RESUME, 0, 0);
	EXPECT_ERROR(GONE, endpoint_reply(HANDLE_NONE, &message));
	handle_close(memory);
	pager_close(&pager);
}

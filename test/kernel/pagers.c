// SPDX-License-Identifier: MIT
//
// Memory whose pages a user program supplies.

#include "pagers.h"

#define PAGES 40

static uint64_t pattern[PAGE_SIZE / sizeof(uint64_t)];

static void pager_fill(uint64_t *words, uint64_t offset, uint64_t badge)
{
	for (unsigned i = 0; i < PAGE_SIZE / sizeof(uint64_t); i++)
		words[i] = badge + offset + i * sizeof(uint64_t);
}

bool pager_is_pattern(const uint64_t *words, uint64_t offset, uint64_t badge)
{
	for (unsigned i = 0; i < PAGE_SIZE / sizeof(uint64_t); i++)
		if (words[i] != badge + offset + i * sizeof(uint64_t))
			return false;
	return true;
}

enum error pager_supply(handle_t source, handle_t memory, uint64_t offset, uint64_t badge)
{
	enum error error;

	pager_fill(pattern, offset, badge);
	error = memory_write(source, 0, pattern, PAGE_SIZE);
	if (!error)
		error = memory_supply(memory, offset, source, 0, PAGE_SIZE);
	return error ? error : memory_decommit(source, 0, PAGE_SIZE);
}

uint64_t pager_serve(void *argument)
{
	struct pager *pager = argument;
	struct message message = {0};

	endpoint_receive(pager->endpoint, &message);
	while (message_label(message.info) != PAGER_STOP) {
		uint64_t offset = message.words[0];
		enum error error = ERR_OK;

		if (message_label(message.info) != FAULT_PAGER ||
			message_length(message.info) != PAGER_MESSAGE_WORDS ||
			!(message.info & MESSAGE_CALL) || !(message.info & MESSAGE_FAULT))
			return 1;
		pager->last = (struct pager_message){
			offset, message.words[1], message.words[2], message.words[3]};
		if (offset != pager->refused)
			error = pager_supply(pager->source, HANDLE_NONE, offset, message.badge);
		atomic_fetch_add(&pager->asked, 1);
		message.info = MESSAGE_INFO(
			offset == pager->refused || error ? FAULT_KILL : FAULT_RESUME, 0, 0);
		endpoint_reply_receive(pager->endpoint, &message);
	}
	message.info = 0;
	endpoint_reply(HANDLE_NONE, &message);
	return 0;
}

bool pager_prepare(struct pager *pager)
{
	*pager = (struct pager){.refused = PAGER_NO_OFFSET};
	return endpoint_create(&pager->endpoint) == ERR_OK &&
		handle_mint(pager->endpoint, RIGHT_SEND, PAGER_BADGE, &pager->asking) == ERR_OK &&
		memory_create(PAGE_SIZE, 0, &pager->source) == ERR_OK;
}

bool pager_start(struct pager *pager)
{
	return pager_prepare(pager) && worker_start(&pager->worker, pager_serve, pager);
}

void pager_close(struct pager *pager)
{
	handle_close(pager->source);
	handle_close(pager->asking);
	handle_close(pager->endpoint);
}

void pager_stop(struct pager *pager)
{
	struct message message = {.info = MESSAGE_INFO(PAGER_STOP, 0, 0)};

	EXPECT_OK(endpoint_call(pager->endpoint, &message));
	EXPECT_EQUAL(worker_join(&pager->worker), 0);
	pager_close(pager);
}

uint64_t *pager_map(handle_t space, handle_t memory, uint64_t length, uint64_t flags)
{
	struct map_request request = {
		.memory = memory, .length = length, .flags = MAPPING_READ | MAPPING_WRITE | flags};
	uint64_t address = 0;

	EXPECT_OK(address_space_map(space, &request, &address));
	return (uint64_t *)address;
}

void pager_unmap(const uint64_t *address, uint64_t length)
{
	EXPECT_OK(address_space_unmap(HANDLE_SELF, (uintptr_t)address, length));
}

const uint64_t *pager_page(const uint64_t *base, unsigned page)
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
	words = pager_map(HANDLE_SELF, memory, 200 * PAGE_SIZE, MAPPING_SHARED);
	for (unsigned i = 0; i < 200; i++)
		words[i * PAGE_SIZE / sizeof(*words)] = i + 1;
	EXPECT_OK(memory_decommit(memory, PAGE_SIZE, 198 * PAGE_SIZE));
	EXPECT_OK(memory_info(memory, &info));
	EXPECT_EQUAL(info.resident, 2 * PAGE_SIZE);
	for (unsigned i = 0; i < 200; i++)
		EXPECT_EQUAL(words[i * PAGE_SIZE / sizeof(*words)], i == 0 || i == 199 ? i + 1 : 0);
	pager_unmap(words, 200 * PAGE_SIZE);
	handle_close(memory);
}

// --- Served

static struct pager child_pager;

static uint64_t serve_in_child(uint64_t argument)
{
	(void)argument;
	child_pager = (struct pager){.endpoint = child_given[0], .refused = PAGER_NO_OFFSET};
	if (memory_create(PAGE_SIZE, 0, &child_pager.source) != ERR_OK)
		return 2;
	return pager_serve(&child_pager);
}

// The pager is another process, which has no handle to the memory.
TEST(pager_serves_from_another_process)
{
	struct message message = {.info = MESSAGE_INFO(PAGER_STOP, 0, 0)};
	handle_t endpoint, asking, memory;
	struct child child;
	uint64_t *words;

	REQUIRE_OK(endpoint_create(&endpoint));
	REQUIRE_OK(handle_mint(endpoint, RIGHT_SEND, PAGER_BADGE, &asking));
	REQUIRE(child_start(&child, serve_in_child, 0, &endpoint, 1));
	REQUIRE_OK(memory_create_paged(asking, PAGES * PAGE_SIZE, &memory));
	words = pager_map(HANDLE_SELF, memory, PAGES * PAGE_SIZE, MAPPING_SHARED);
	for (unsigned i = PAGES; i-- > 0;)
		EXPECT(pager_is_pattern(pager_page(words, i), i * PAGE_SIZE, PAGER_BADGE));
	words[5] = 1; // written like other memory, and kept
	EXPECT_OK(memory_read(memory, 0, pattern, PAGE_SIZE));
	EXPECT_EQUAL(pattern[5], 1);
	EXPECT_OK(endpoint_call(endpoint, &message));
	EXPECT_EQUAL(child_wait(&child).exit_status, 0);
	pager_unmap(words, PAGES * PAGE_SIZE);
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
	words = pager_map(HANDLE_SELF, memory, 3 * PAGE_SIZE, MAPPING_SHARED);
	EXPECT(pager_is_pattern(pager_page(words, 2), 2 * PAGE_SIZE, PAGER_BADGE));
	EXPECT_OK(handle_info(memory, &info));
	EXPECT_OK(thread_info(HANDLE_SELF, &self));
	EXPECT_EQUAL(pager.last.offset, 2 * PAGE_SIZE);
	EXPECT_EQUAL(pager.last.access, FAULT_ACCESS_READ);
	EXPECT_EQUAL(pager.last.memory_id, info.object_id);
	EXPECT_EQUAL(pager.last.thread_id, self.id);
	EXPECT(pager_is_pattern(pager_page(words, 2), 2 * PAGE_SIZE, PAGER_BADGE));
	EXPECT_EQUAL(pager.asked, 1);
	words[0] = 9;
	EXPECT_EQUAL(pager.last.access, FAULT_ACCESS_WRITE);
	EXPECT_EQUAL(words[1], PAGER_BADGE + 8);
	EXPECT_EQUAL(pager.asked, 2);
	EXPECT_OK(memory_decommit(memory, 0, 4 * PAGE_SIZE));
	EXPECT(pager_is_pattern(words, 0, PAGER_BADGE));
	EXPECT_EQUAL(pager.asked, 3);
	pager_unmap(words, 3 * PAGE_SIZE);
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
	EXPECT_OK(pager_supply(pager.source, memory, 4 * PAGE_SIZE, PAGER_BADGE));
	EXPECT_OK(memory_supply(memory, 0, source, 0, 200 * PAGE_SIZE));
	for (uint64_t i = 0; i < 200; i++) {
		EXPECT_OK(memory_read(memory, i * PAGE_SIZE, &word, sizeof(word)));
		EXPECT_EQUAL(word, i == 4 ? PAGER_BADGE + 4 * PAGE_SIZE : i % 2 == 0 ? i : 0);
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
	return pager_is_pattern(argument, 3 * PAGE_SIZE, PAGER_BADGE);
}

TEST(pager_many_threads_miss_one_page)
{
	struct worker readers[READERS];
	struct pager pager;
	handle_t memory;
	uint64_t *words;

	REQUIRE(pager_start(&pager));
	REQUIRE_OK(memory_create_paged(pager.asking, 4 * PAGE_SIZE, &memory));
	words = pager_map(HANDLE_SELF, memory, 4 * PAGE_SIZE, MAPPING_SHARED);
	for (unsigned round = 0; round < 10; round++) {
		readers_ready = 0;
		for (unsigned i = 0; i < READERS; i++)
			REQUIRE(worker_start(&readers[i], read_page, (void *)pager_page(words, 3)));
		for (unsigned i = 0; i < READERS; i++)
			EXPECT_EQUAL(worker_join(&readers[i]), 1);
		EXPECT_OK(memory_decommit(memory, 0, 4 * PAGE_SIZE));
	}
	EXPECT(pager.asked >= 10 && pager.asked <= 10 * READERS);
	pager_unmap(words, 4 * PAGE_SIZE);
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
	words = pager_map(HANDLE_SELF, memory, 6 * PAGE_SIZE, MAPPING_SHARED);
	*(uint64_t *)pager_page(words, 3) = 33;
	REQUIRE_OK(memory_clone(memory, 2 * PAGE_SIZE, 3 * PAGE_SIZE, &clone));
	copy = pager_map(HANDLE_SELF, clone, 3 * PAGE_SIZE, MAPPING_SHARED);
	EXPECT_EQUAL(pager.asked, 1);
	EXPECT_EQUAL(*pager_page(copy, 1), 33); // resident when it was cloned
	EXPECT_EQUAL(pager.asked, 1);
	EXPECT(pager_is_pattern(pager_page(copy, 0), 2 * PAGE_SIZE, PAGER_BADGE));
	EXPECT_EQUAL(pager.last.offset, 2 * PAGE_SIZE);
	EXPECT_EQUAL(pager.asked, 2);
	*(uint64_t *)pager_page(copy, 0) = 1;
	*(uint64_t *)pager_page(copy, 1) = 2;
	*(uint64_t *)pager_page(words, 4) = 3;
	EXPECT_EQUAL(*pager_page(words, 2), PAGER_BADGE + 2 * PAGE_SIZE);
	EXPECT_EQUAL(*pager_page(words, 3), 33);
	EXPECT_EQUAL(*pager_page(copy, 2), PAGER_BADGE + 4 * PAGE_SIZE);
	// Outside its part of what the pager serves.
	EXPECT_ERROR(INVALID_ARGUMENT, memory_supply(clone, 0, pager.source, 0, PAGE_SIZE));
	EXPECT_ERROR(INVALID_ARGUMENT, memory_supply(clone, 5 * PAGE_SIZE, pager.source, 0, PAGE_SIZE));
	EXPECT_OK(memory_supply(clone, 4 * PAGE_SIZE, pager.source, 0, PAGE_SIZE));
	pager_unmap(words, 6 * PAGE_SIZE);
	pager_unmap(copy, 3 * PAGE_SIZE);
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
	private = pager_map(HANDLE_SELF, memory, 4 * PAGE_SIZE, 0);
	shared = pager_map(HANDLE_SELF, memory, 4 * PAGE_SIZE, MAPPING_SHARED);
	*(uint64_t *)pager_page(private, 1) = 11;
	REQUIRE_OK(address_space_clone(HANDLE_SELF, &space));
	*(uint64_t *)pager_page(private, 1) = 12;
	EXPECT_OK(address_space_read(space, (uintptr_t)pager_page(private, 1), &word, sizeof(word), &copied));
	EXPECT_EQUAL(word, 11);
	EXPECT_OK(address_space_read(space, (uintptr_t)pager_page(shared, 1), &word, sizeof(word), &copied));
	EXPECT_EQUAL(word, 12);
	EXPECT_ERROR(PEER_FAULT,
		address_space_read(space, (uintptr_t)pager_page(private, 2), &word, sizeof(word), &copied));
	EXPECT_EQUAL(pager.asked, 1);
	handle_close(space);
	pager_unmap(private, 4 * PAGE_SIZE);
	pager_unmap(shared, 4 * PAGE_SIZE);
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
	words = pager_map(HANDLE_SELF, memory, 2 * PAGE_SIZE, MAPPING_SHARED);
	EXPECT_EQUAL(*words, PAGER_BADGE);
	REQUIRE_OK(endpoint_create(&server));
	REQUIRE(worker_start(&worker, write_to_caller, &server));
	message_offer(0, words, 2 * PAGE_SIZE, OFFER_READ | OFFER_WRITE);
	EXPECT_OK(endpoint_call(server, &message));
	EXPECT_EQUAL(worker_join(&worker), 0);
	EXPECT_ERROR(BAD_ADDRESS, handle_info(memory, (struct handle_info *)pager_page(words, 1)));
	EXPECT_EQUAL(pager.asked, 1);
	EXPECT_EQUAL(*pager_page(words, 1), PAGER_BADGE + PAGE_SIZE);
	EXPECT_OK(handle_info(memory, (struct handle_info *)pager_page(words, 1)));
	pager_unmap(words, 2 * PAGE_SIZE);
	handle_close(memory);
	handle_close(server);
	pager_stop(&pager);
}

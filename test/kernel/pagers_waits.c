// SPDX-License-Identifier: MIT
//
// What becomes of those who wait for a pager: it refuses, dies or is late, an account is exhausted, a guest is
// kicked.

#include "isa.h"
#include "pagers.h"
#include <string.h>

#define PATIENCE (20000 * MILLISECOND)

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
	words = pager_map(HANDLE_SELF, memory, 2 * PAGE_SIZE, MAPPING_SHARED);
	pager.refused = PAGE_SIZE;
	REQUIRE(start_toucher(&toucher, pager_page(words, 1), faults));
	expect_fault(faults, pager_page(words, 1), FAULT_RESUME);
	expect_fault(faults, pager_page(words, 1), FAULT_KILL);
	EXPECT_EQUAL(worker_join(&toucher), FAULT_PAGER);
	EXPECT_EQUAL(pager.asked, 2);
	pager_unmap(words, 2 * PAGE_SIZE);
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
		REQUIRE_OK(handle_mint(endpoint, RIGHT_SEND, PAGER_BADGE, &asking));
		REQUIRE(child_start(&child, die_when_asked, killed, &endpoint, 1));
		handle_close(endpoint);
		REQUIRE_OK(memory_create_paged(asking, 3 * PAGE_SIZE, &memory));
		handle_close(asking);
		words = pager_map(HANDLE_SELF, memory, 3 * PAGE_SIZE, MAPPING_SHARED);
		for (unsigned i = 0; i < 3; i++)
			REQUIRE(start_toucher(&touchers[i], pager_page(words, 1), faults));
		for (unsigned i = 0; killed && i < 3; i++)
			EXPECT(wait_for_state(touchers[i].thread, THREAD_BLOCKED));
		if (killed)
			EXPECT_OK(process_kill(child.process, 0));
		for (unsigned i = 0; i < 3; i++)
			expect_fault(faults, pager_page(words, 1), FAULT_KILL);
		for (unsigned i = 0; i < 3; i++)
			EXPECT_EQUAL(worker_join(&touchers[i]), FAULT_PAGER);
		child_wait(&child);
		pager_unmap(words, 3 * PAGE_SIZE);
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
	words = pager_map(HANDLE_SELF, memory, PAGE_SIZE, MAPPING_SHARED);
	REQUIRE(start_toucher(&toucher, words, HANDLE_NONE));
	EXPECT_EQUAL(child_wait(&child).exit_status, 0);
	REQUIRE(worker_start(&pager.worker, pager_serve, &pager));
	EXPECT_EQUAL(worker_join(&toucher), PAGER_BADGE);
	pager_unmap(words, PAGE_SIZE);
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
	if (reply_write(HANDLE_NONE, 0, 0, &copied, 8, &copied) != ERR_INVALID_ARGUMENT ||
		memory_supply(HANDLE_NONE, PAGE_SIZE, pager->source, 0, PAGE_SIZE) != ERR_INVALID_ARGUMENT ||
		memory_supply(HANDLE_NONE, 0, other, 0, PAGE_SIZE) != ERR_INVALID_ARGUMENT)
		return 5;
	if (reply_save(&reply) != ERR_OK || handle_close(reply) != ERR_OK)
		return 6;
	if (receive(pager->endpoint, &message) != ERR_OK || reply_save(&reply) != ERR_OK)
		return 7;
	if (pager_supply(pager->source, reply, 0, PAGER_BADGE) != ERR_OK)
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
	words = pager_map(HANDLE_SELF, memory, PAGE_SIZE, MAPPING_SHARED);
	EXPECT(pager_is_pattern(words, 0, PAGER_BADGE));
	EXPECT_EQUAL(worker_join(&pager.worker), 0);
	pager_unmap(words, PAGE_SIZE);
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
	words = pager_map(HANDLE_SELF, memory, PAGE_SIZE, MAPPING_SHARED);
	for (unsigned i = 0; i < 2; i++) {
		REQUIRE(start_toucher(&touchers[i], words, i == 0 ? HANDLE_NONE : pager.endpoint));
		EXPECT_OK(receive(pager.endpoint, &message));
		EXPECT_EQUAL(message_label(message.info), FAULT_PAGER);
		EXPECT_OK(reply_save(&replies[i]));
	}
	EXPECT_OK(thread_kill(touchers[0].thread, 5));
	EXPECT_EQUAL(worker_join(&touchers[0]), 5);
	EXPECT_RESULT(GONE, memory_supply, pager_supply(pager.source, replies[0], 0, PAGER_BADGE));
	message.info = MESSAGE_INFO(FAULT_RESUME, 0, 0);
	EXPECT_ERROR(GONE, endpoint_reply(replies[0], &message));
	pager_unmap(words, PAGE_SIZE);
	handle_close(memory);
	EXPECT_OK(pager_supply(pager.source, replies[1], 0, PAGER_BADGE));
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

// What an account has once it has no more than some objects: a child's thread may still be on its way out, on another CPU.
static void settled_account(handle_t account, uint64_t objects, struct account_info *info)
{
	uint64_t deadline = after(30000 * MILLISECOND);

	do {
		thread_sleep(after(MILLISECOND));
		EXPECT_OK(account_info(account, info));
	} while (info->objects_used > objects && now() < deadline);
	EXPECT_EQUAL(info->objects_used, objects);
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
	settled_account(account, 1, &before);
	EXPECT_OK(memory_supply(message_buffer()->capabilities[0], 0, source, 0, 32 * PAGE_SIZE));
	EXPECT_OK(account_info(account, &used));
	EXPECT(used.pages_used >= before.pages_used + 32 && used.pages_used <= before.pages_used + 34);
	handle_close(message_buffer()->capabilities[0]);
	handle_close(given[0]);
	handle_close(given[1]);
	handle_close(source);
	settled_account(account, 0, &used);
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
		pager.refused = refuses ? PAGE_SIZE : PAGER_NO_OFFSET;
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

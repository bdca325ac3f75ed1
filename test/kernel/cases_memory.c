// SPDX-License-Identifier: MIT
//
// Every system call that takes memory or a slot, in a child whose account or table has nothing left. The account gets back
// one page or object at a time until the call succeeds, so that each of its allocations fails once; a failure leaves
// everything as it was.

#include "cases.h"
#include "isa.h"

enum { ACCOUNT, PHYSICAL, INTERRUPTS, ENDPOINT };

#define POOL_PAGES       512
#define NOT_RAM          ((uint64_t)1 << 47)
#define CALLER_BUFFER    0x20000
#define STATE_ADDRESS    0x30000
#define BUFFER_OF_CALLEE 0x40000
#define SPACE_ADDRESS    0x100000

// What the calls work on, in the child.
static handle_t notification, memory, paged, endpoint, space, process;
static uint64_t region, pool, offered;
static char byte;

static void thread_entry(void)
{
}

static struct thread_attributes attributes = {
	.entry = (uintptr_t)thread_entry,
	.flags = THREAD_SUSPENDED,
	.message_buffer = BUFFER_OF_CALLEE,
};
static struct map_request shared = {.length = PAGE_SIZE, .flags = MAPPING_READ | MAPPING_SHARED};

MEMORY_CASE(handle_duplicate, PAGES | SLOTS, notification, RIGHTS_SAME, &made);
MEMORY_CASE(handle_mint, PAGES | SLOTS, notification, RIGHTS_SAME, 1, &made);
MEMORY_CASE(handle_grant, PAGES, process, notification, RIGHTS_SAME, &made);
MEMORY_CASE(account_create, PAGES | OBJECTS | SLOTS, child_given[ACCOUNT], 1, 1, &made);
MEMORY_CASE(process_create, PAGES | OBJECTS | SLOTS, child_given[ACCOUNT], "poor", &made);
MEMORY_CASE(process_address_space, PAGES | SLOTS, process, &made);
MEMORY_CASE(thread_create, PAGES | OBJECTS | SLOTS, HANDLE_SELF, &attributes, &made);
MEMORY_CASE(scheduling_context_create, PAGES | OBJECTS | SLOTS, &made);
MEMORY_CASE(memory_create, PAGES | OBJECTS | SLOTS, 2 * PAGE_SIZE, MEMORY_RESIDENT, &made);
MEMORY_CASE(
	memory_create_physical, PAGES | OBJECTS | SLOTS, child_given[PHYSICAL], NOT_RAM, PAGE_SIZE, &made);
MEMORY_CASE(memory_clone, PAGES | OBJECTS | SLOTS, memory, 0, 2 * PAGE_SIZE, &made);
MEMORY_CASE(memory_write, PAGES, memory, 2 * PAGE_SIZE, &byte, 1);
MEMORY_CASE(memory_create_paged, PAGES | OBJECTS | SLOTS, endpoint, PAGE_SIZE, &made);
MEMORY_CASE(memory_supply, PAGES | OBJECTS, paged, 0, memory, 0, PAGE_SIZE);
MEMORY_CASE(address_space_create, PAGES | OBJECTS | SLOTS, &made);
MEMORY_CASE(address_space_map, OBJECTS, HANDLE_SELF, &shared, &yielded);
MEMORY_CASE(address_space_unmap, OBJECTS, HANDLE_SELF, region + PAGE_SIZE, PAGE_SIZE);
MEMORY_CASE(address_space_protect, OBJECTS, HANDLE_SELF, region + PAGE_SIZE, PAGE_SIZE, MAPPING_READ);
MEMORY_CASE(address_space_clone, PAGES | OBJECTS | SLOTS, space, &made);
MEMORY_CASE(address_space_read, PAGES, space, SPACE_ADDRESS + PAGE_SIZE, &byte, 1, &yielded);
MEMORY_CASE(address_space_write, PAGES, space, SPACE_ADDRESS + PAGE_SIZE, &byte, 1, &yielded);
MEMORY_CASE(endpoint_create, PAGES | OBJECTS | SLOTS, &made);
MEMORY_CASE(reply_save, PAGES | OBJECTS | SLOTS, &made);
MEMORY_CASE(reply_read, PAGES, HANDLE_NONE, 0, 0, &byte, 1, &yielded);
MEMORY_CASE(reply_write, PAGES, HANDLE_NONE, 0, 0, &byte, 1, &yielded);
MEMORY_CASE(notification_create, PAGES | OBJECTS | SLOTS, &made);
MEMORY_CASE(interrupt_create, PAGES | OBJECTS | SLOTS, child_given[INTERRUPTS], ISA_FREE_LINE, 0, &made);
MEMORY_CASE(timer_object_create, PAGES | OBJECTS | SLOTS, notification, 1, &made);
MEMORY_CASE(futex_exchange, PAGES, space, SPACE_ADDRESS + PAGE_SIZE, 0, 1);
MEMORY_CASE(futex_hand_over, PAGES, space, SPACE_ADDRESS + PAGE_SIZE, 0, 1, &yielded);
MEMORY_CASE(guest_bind, PAGES | OBJECTS, space, STATE_ADDRESS);
MEMORY_CASE(resource_create, PAGES | OBJECTS | SLOTS, child_given[PHYSICAL], NOT_RAM, PAGE_SIZE, &made);

extern const struct memory_case __start_memory_cases[], __stop_memory_cases[];

// --- The child: before it is poor

static bool map(handle_t where, struct map_request request, uint64_t *address)
{
	return address_space_map(where, &request, address) == ERR_OK;
}

static void touch_stack(void)
{
	volatile char stack[16 * 1024];

	for (size_t i = 0; i < sizeof(stack); i += PAGE_SIZE)
		stack[i] = 0;
}

// Calls the child itself and offers a page that nobody has touched.
static void call_and_wait(void)
{
	struct message_buffer *buffer = (struct message_buffer *)CALLER_BUFFER;
	struct message message = {.info = MESSAGE_BUFFERS};

	buffer->offered_count = 1;
	buffer->offered[0] = (struct message_offer){.address_space = HANDLE_SELF,
		.address = offered,
		.length = 1,
		.flags = OFFER_READ | OFFER_WRITE};
	endpoint_call(endpoint, &message);
	thread_exit(0);
}

static bool take_a_call(void)
{
	struct thread_attributes caller = {
		.entry = (uintptr_t)call_and_wait, .message_buffer = CALLER_BUFFER};
	struct message message = {0};

	return thread_create(HANDLE_SELF, &caller, &made) == ERR_OK &&
		endpoint_receive(endpoint, &message) == ERR_OK;
}

static bool prepare(void)
{
	const struct map_request private = {.length = 3 * PAGE_SIZE, .flags = MAPPING_READ | MAPPING_WRITE};
	const struct map_request many = {
		.length = POOL_PAGES * PAGE_SIZE, .flags = MAPPING_READ | MAPPING_WRITE};
	const struct map_request fixed = {.length = 3 * PAGE_SIZE,
		.address = SPACE_ADDRESS,
		.flags = MAPPING_READ | MAPPING_WRITE | MAPPING_FIXED};

	touch_stack();
	return notification_create(&notification) == ERR_OK && endpoint_create(&endpoint) == ERR_OK &&
		memory_create_paged(endpoint, PAGE_SIZE, &paged) == ERR_OK &&
		memory_create(4 * PAGE_SIZE, 0, &memory) == ERR_OK &&
		memory_write(memory, 0, &byte, 1) == ERR_OK &&
		memory_write(memory, PAGE_SIZE, &byte, 1) == ERR_OK &&
		process_create(child_given[ACCOUNT], "target", &process) == ERR_OK &&
		address_space_create(&space) == ERR_OK && map(space, fixed, &yielded) &&
		address_space_write(space, SPACE_ADDRESS, &byte, 1, &yielded) == ERR_OK &&
		map(HANDLE_SELF, private, &region) && map(HANDLE_SELF, private, &offered) &&
		map(HANDLE_SELF, many, &pool);
}

// --- The child: poor

static handle_t hoard[256];
static unsigned hoarded, given_back;

static enum error drain(unsigned limit)
{
	enum error error = ERR_OK;

	if (limit == OBJECTS) {
		while (hoarded < sizeof(hoard) / sizeof(hoard[0]) && !error) {
			error = notification_create(&hoard[hoarded]);
			hoarded += !error;
		}
		return error;
	}
	while (limit == PAGES && hoarded < POOL_PAGES && !error) {
		error = address_space_write(HANDLE_SELF, pool + hoarded * PAGE_SIZE, &byte, 1, &yielded);
		hoarded += !error;
	}
	// The last slots of the table's last page, or of the table.
	do
		error = handle_duplicate(notification, RIGHTS_SAME, &made);
	while (!error);
	return error;
}

static bool give_one_back(unsigned limit)
{
	if (given_back == hoarded)
		return false;
	if (limit == OBJECTS)
		return handle_close(hoard[given_back++]) == ERR_OK;
	return address_space_unmap(HANDLE_SELF, pool + given_back++ * PAGE_SIZE, PAGE_SIZE) == ERR_OK;
}

struct use {
	struct account_info account;
	struct process_info process;
};

static struct use use_now(void)
{
	struct use use;

	account_info(child_given[ACCOUNT], &use.account);
	process_info(HANDLE_SELF, &use.process);
	return use;
}

// A capability table that has grown stays so: then there are slots again, though no page.
static bool table_has_grown(const struct use *before, const struct use *after)
{
	return after->account.pages_used == before->account.pages_used + 1 &&
		handle_duplicate(notification, RIGHTS_SAME, &made) == ERR_OK && handle_close(made) == ERR_OK;
}

// Makes a call that has to fail and leave everything as it was.
static bool fails(const struct memory_case *tried, enum error wanted, enum error *error)
{
	struct use before = use_now(), after;

	*error = tried->call();
	after = use_now();
	return *error == wanted && before.account.objects_used == after.account.objects_used &&
		before.process.handle_count == after.process.handle_count &&
		(before.account.pages_used == after.account.pages_used || table_has_grown(&before, &after));
}

// The status of a child says at which line what went wrong: 0 if nothing did.
#define COMPLAINT(error, count) ((uint64_t)__LINE__ << 32 | (uint64_t)(error) << 16 | (count))

static uint64_t exhaust(uint64_t argument)
{
	const struct memory_case *tried = &__start_memory_cases[argument / 8];
	unsigned limit = argument % 8;
	enum error error;

	if (!prepare() || !take_a_call())
		return COMPLAINT(0, 0);
	error = drain(limit);
	if (error != ERR_NO_MEMORY)
		return COMPLAINT(error, hoarded);
	while (fails(tried, ERR_NO_MEMORY, &error))
		if (!give_one_back(limit))
			return COMPLAINT(error, given_back);
	return error == ERR_OK && given_back > 0 ? 0 : COMPLAINT(error, given_back);
}

static uint64_t fill_table(uint64_t argument)
{
	enum error error;

	(void)argument;
	if (!prepare() || !take_a_call())
		return COMPLAINT(0, 0);
	error = drain(SLOTS);
	if (error != ERR_NO_SLOTS)
		return COMPLAINT(error, 0);
	for (const struct memory_case *tried = __start_memory_cases; tried < __stop_memory_cases; tried++)
		if ((tried->limits & SLOTS) && !fails(tried, ERR_NO_SLOTS, &error))
			return COMPLAINT(error, tried - __start_memory_cases);
	return 0;
}

// --- The parent

static bool start_poor(struct child *child, uint64_t (*function)(uint64_t), uint64_t argument, uint64_t pages)
{
	handle_t given[CHILD_GIVEN] = {
		[PHYSICAL] = start_handle(START_PHYSICAL), [INTERRUPTS] = start_handle(START_INTERRUPTS)};
	bool started;

	if (account_create(start_handle(START_ACCOUNT), pages, 150, &given[ACCOUNT]) != ERR_OK ||
		endpoint_create(&endpoint) != ERR_OK)
		return false;
	given[ENDPOINT] = endpoint;
	started = child_start_in(child, given[ACCOUNT], function, argument, given, CHILD_GIVEN);
	handle_close(given[ACCOUNT]);
	return started;
}

static void expect_no_complaint(struct child *child, const char *name)
{
	uint64_t status = child_wait(child).exit_status;

	if (status != 0)
		test_fail(__FILE__, (int)(status >> 32), "%s: error %u, %u", name,
			(unsigned)(status >> 16) & 0xffff, (unsigned)status & 0xffff);
	handle_close(endpoint);
}

static void exhaust_for_each(unsigned limit)
{
	struct child child;

	for (const struct memory_case *tried = __start_memory_cases; tried < __stop_memory_cases; tried++) {
		if (!(tried->limits & limit))
			continue;
		REQUIRE(start_poor(
			&child, exhaust, (uint64_t)(tried - __start_memory_cases) * 8 + limit, 300));
		expect_no_complaint(&child, tried->name);
	}
}

TEST(every_call_that_takes_pages)
{
	exhaust_for_each(PAGES);
}

TEST(every_call_that_takes_objects)
{
	exhaust_for_each(OBJECTS);
}

TEST(every_call_that_takes_a_slot)
{
	struct child child;

	REQUIRE(start_poor(&child, fill_table, 0, 1000));
	expect_no_complaint(&child, "a full table");
}

// --- Messages: what they carry needs slots where it goes

#define PATIENCE (60000 * MILLISECOND)

// A message with or without a capability; an answer has no deadline.
static struct message *answering(unsigned capabilities)
{
	static struct message message;

	message_buffer()->capabilities[0] = notification;
	message.info = MESSAGE_INFO(0, 0, capabilities);
	return &message;
}

static struct message *carrying(unsigned capabilities)
{
	struct message *message = answering(capabilities);

	message_buffer()->deadline = after(PATIENCE);
	message->info |= MESSAGE_DEADLINE;
	return message;
}

// Takes one call when there is no room any more for a capability, then makes one; its status is the error of that.
static uint64_t talk_in_want(uint64_t limit)
{
	struct message message = {0};
	enum error error;

	if (!prepare())
		return 100;
	drain((unsigned)limit);
	error = endpoint_receive(child_given[ENDPOINT], &message);
	if (error || message_capabilities(message.info) > 0)
		return 101;
	message.info = 0;
	endpoint_reply(HANDLE_NONE, &message);
	return endpoint_call(child_given[ENDPOINT], &message);
}

static bool take_its_call(void)
{
	return endpoint_receive(endpoint, carrying(0)) == ERR_OK;
}

TEST(messages_where_there_is_no_memory_for_capabilities)
{
	struct child child;

	REQUIRE_OK(notification_create(&notification));
	REQUIRE(start_poor(&child, talk_in_want, PAGES, 300));
	EXPECT_ERROR(NO_MEMORY, endpoint_call(endpoint, carrying(1)));
	EXPECT_ERROR(NO_MEMORY, endpoint_send(endpoint, carrying(1)));
	REQUIRE_OK(endpoint_call(endpoint, carrying(0)));
	REQUIRE(take_its_call());
	EXPECT_ERROR(NO_MEMORY, endpoint_reply(HANDLE_NONE, answering(1)));
	EXPECT_RESULT(NO_MEMORY, endpoint_call, child_wait(&child).exit_status);
	handle_close(endpoint);
	handle_close(notification);
}

TEST(messages_where_there_are_no_slots_for_capabilities)
{
	struct child child;

	REQUIRE_OK(notification_create(&notification));
	REQUIRE(start_poor(&child, talk_in_want, SLOTS, 1000));
	EXPECT_ERROR(NO_SLOTS, endpoint_call(endpoint, carrying(1)));
	EXPECT_ERROR(NO_SLOTS, endpoint_send(endpoint, carrying(1)));
	REQUIRE_OK(endpoint_call(endpoint, carrying(0)));
	REQUIRE(take_its_call());
	EXPECT_ERROR(NO_SLOTS, endpoint_reply(HANDLE_NONE, answering(1)));
	EXPECT_RESULT(NO_SLOTS, endpoint_call, child_wait(&child).exit_status);
	handle_close(endpoint);
	handle_close(notification);
}

TEST(handle_grant_to_a_full_table)
{
	handle_t target, granted;
	struct process_info info;

	REQUIRE_OK(notification_create(&notification));
	REQUIRE_OK(process_create(start_handle(START_ACCOUNT), "full", &target));
	while (handle_grant(target, notification, RIGHT_SEND, &granted) == ERR_OK)
		;
	EXPECT_ERROR(NO_SLOTS, handle_grant(target, notification, RIGHT_SEND, &granted));
	EXPECT_OK(process_info(target, &info));
	EXPECT_EQUAL(info.handle_count, 32768);
	handle_close(target);
	handle_close(notification);
}

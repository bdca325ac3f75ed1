// SPDX-License-Identifier: MIT
//
// Every wait: cancelled by a kick, and ended by the end of what is waited for.

#include "cases.h"

struct wait_case {
	const char *name;
	enum error (*call)(void);
};

#define WAIT_CASE(the_call, ...)                 \
	static enum error the_call##_waits(void) \
	{                                        \
		return the_call(__VA_ARGS__);    \
	}                                        \
	TABLE_ROW(wait_case, row_##the_call) = {#the_call, the_call##_waits}

// What is waited for. A client waits at `called`, for the reply that has to be there.
static handle_t never_ending, endpoint, called, notification;
static struct worker client;
static _Atomic uint32_t word;
static struct message message;

static struct message *empty(void)
{
	message.info = 0;
	return &message;
}

static struct message *answer(void)
{
	endpoint_receive(called, empty());
	return empty();
}

WAIT_CASE(thread_join, never_ending, DEADLINE_NEVER, &yielded);
WAIT_CASE(thread_sleep, DEADLINE_NEVER);
WAIT_CASE(endpoint_call, endpoint, empty());
WAIT_CASE(endpoint_send, endpoint, empty());
WAIT_CASE(endpoint_receive, endpoint, empty());
WAIT_CASE(endpoint_reply_receive, endpoint, answer());
WAIT_CASE(notification_wait, notification, DEADLINE_NEVER, &yielded);
WAIT_CASE(futex_wait, HANDLE_SELF, (uintptr_t)&word, 0, DEADLINE_NEVER);
WAIT_CASE(futex_wait_owned, HANDLE_SELF, (uintptr_t)&word, 0, never_ending, 1, DEADLINE_NEVER);

extern const struct wait_case __start_wait_cases[], __stop_wait_cases[];

static uint64_t call_once(void *argument)
{
	struct message request = {0};

	return endpoint_call(*(handle_t *)argument, &request);
}

static void never_runs(void)
{
}

static bool make_all(void)
{
	struct thread_attributes suspended = {.entry = (uintptr_t)never_runs, .flags = THREAD_SUSPENDED};

	return thread_create(HANDLE_SELF, &suspended, &never_ending) == ERR_OK &&
		endpoint_create(&endpoint) == ERR_OK && endpoint_create(&called) == ERR_OK &&
		notification_create(&notification) == ERR_OK && worker_start(&client, call_once, &called) &&
		wait_for_state(client.thread, THREAD_BLOCKED);
}

static void close_all(void)
{
	EXPECT_OK(thread_kill(never_ending, 0));
	handle_close(never_ending);
	handle_close(endpoint);
	handle_close(called);
	handle_close(notification);
	worker_join(&client);
}

static bool is_waiting(handle_t thread)
{
	struct thread_info info;

	return thread_info(thread, &info) == ERR_OK &&
		(info.state == THREAD_BLOCKED || info.state == THREAD_SLEEPING);
}

// --- Kicks: of a thread with a guest state that says `interruptible`

#define STATE_ADDRESS 0x8000

static uint64_t wait_interruptibly(void *argument)
{
	struct guest_state *state = (struct guest_state *)STATE_ADDRESS;
	const struct wait_case *tried = argument;
	handle_t space;
	uint64_t result;

	if (address_space_create(&space) != ERR_OK || guest_bind(space, STATE_ADDRESS) != ERR_OK)
		return 1000;
	state->interruptible = 1;
	result = tried->call();
	guest_bind(HANDLE_NONE, 0);
	handle_close(space);
	return result;
}

TEST(every_wait_is_cancelled_by_a_kick)
{
	for (const struct wait_case *tried = __start_wait_cases; tried < __stop_wait_cases; tried++) {
		struct worker worker;
		uint64_t result;

		REQUIRE(make_all());
		REQUIRE(worker_start(&worker, wait_interruptibly, (void *)(uintptr_t)tried));
		while (!is_waiting(worker.thread))
			thread_sleep(after(MILLISECOND));
		EXPECT_OK(guest_kick(worker.thread));
		result = worker_join(&worker);
		if (result != ERR_CANCELLED)
			test_fail(__FILE__, __LINE__, "%s: error %u", tried->name, (unsigned)result);
		close_all();
	}
}

static enum error call_endpoint(void)
{
	return endpoint_call(endpoint, empty());
}

// One that was not received yet is withdrawn; the server of an accepted one learns of it when it answers.
TEST(kicked_caller_takes_its_call_back)
{
	const struct wait_case tried = {.name = "call", .call = call_endpoint};

	for (unsigned accepted = 0; accepted < 2; accepted++) {
		struct message taken = {.info = MESSAGE_TRY};
		struct worker worker;

		REQUIRE(make_all());
		REQUIRE(worker_start(&worker, wait_interruptibly, (void *)(uintptr_t)&tried));
		while (!is_waiting(worker.thread))
			thread_sleep(after(MILLISECOND));
		if (accepted)
			EXPECT_OK(endpoint_receive(endpoint, &taken));
		EXPECT_OK(guest_kick(worker.thread));
		EXPECT_EQUAL(worker_join(&worker), ERR_CANCELLED);
		taken.info = accepted ? 0 : MESSAGE_TRY;
		if (accepted)
			EXPECT_ERROR(GONE, endpoint_reply(HANDLE_NONE, &taken));
		else
			EXPECT_ERROR(WOULD_BLOCK, endpoint_receive(endpoint, &taken));
		close_all();
	}
}

// --- The end of what is waited for

static uint64_t do_call(void *argument)
{
	return ((enum error(*)(void))argument)();
}

// The result of a call whose objects are closed while it waits.
static uint64_t closed_under(enum error (*call)(void))
{
	struct worker worker;
	uint64_t result;

	if (!make_all() || !worker_start(&worker, do_call, (void *)call))
		return 1000;
	while (!is_waiting(worker.thread))
		thread_sleep(after(MILLISECOND));
	handle_close(endpoint);
	handle_close(notification);
	result = worker_join(&worker);
	close_all();
	return result;
}

TEST(waits_end_with_what_is_waited_for)
{
	EXPECT_RESULT(PEER_CLOSED, endpoint_call, closed_under(endpoint_call_waits));
	EXPECT_RESULT(PEER_CLOSED, endpoint_send, closed_under(endpoint_send_waits));
	EXPECT_RESULT(PEER_CLOSED, endpoint_receive, closed_under(endpoint_receive_waits));
	EXPECT_RESULT(PEER_CLOSED, endpoint_reply_receive, closed_under(endpoint_reply_receive_waits));
	EXPECT_RESULT(PEER_CLOSED, notification_wait, closed_under(notification_wait_waits));
}

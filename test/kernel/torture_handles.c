// SPDX-License-Identifier: MIT
//
// Handles that go while others use them: calls and answers, over and over, through handles that are closed and revoked
// meanwhile, at endpoints that end, by processes that are killed. A call that begins when its handle has gone is not made,
// however often it was before.

#include "test.h"

#define ROUNDS   40
#define PAIRS    4
#define LOWER    (THREAD_PRIORITY_DEFAULT - 1)
#define PATIENCE (60000 * MILLISECOND)

// Handles that a thread uses one after the other; number `i` comes into use when i of them have gone.
struct series {
	handle_t root; // what they are derived from
	handle_t handles[ROUNDS + 1];
	_Atomic unsigned current, gone;
};

struct pair {
	handle_t endpoint;
	struct series calls, receives;
	struct worker client, server;
	_Atomic uint64_t received; // calls
	_Atomic bool stop;
};

static struct pair pairs[PAIRS];

// The value is how many calls went wrong: through a handle that had gone, or through another than that.
static uint64_t call_until_stopped(void *argument)
{
	struct pair *pair = argument;
	uint64_t wrong = 0;

	while (!pair->stop) {
		unsigned gone = pair->calls.gone, current = pair->calls.current;
		struct message message = {.info = MESSAGE_INFO(0, 1, 0)};
		enum error error = endpoint_call(pair->calls.handles[current], &message);

		if (error) {
			wrong += error != ERR_BAD_HANDLE && error != ERR_PEER_CLOSED && error != ERR_GONE;
			thread_yield();
		} else {
			wrong += current < gone || message.words[0] != current + 1;
		}
	}
	return wrong;
}

// Answers with the badge.
static uint64_t serve_until_stopped(void *argument)
{
	struct pair *pair = argument;
	struct message message = {0};
	bool called = false;
	uint64_t wrong = 0;

	while (!pair->stop) {
		unsigned gone = pair->receives.gone, current = pair->receives.current;
		handle_t handle = pair->receives.handles[current];
		struct message answer = {.info = MESSAGE_INFO(0, 1, 0), .words = {message.badge}};
		enum error error;

		if (!called)
			answer.info = 0;
		error = called ? endpoint_reply_receive(handle, &answer) : endpoint_receive(handle, &answer);
		if (error) {
			wrong += error != ERR_BAD_HANDLE && error != ERR_PEER_CLOSED &&
				error != ERR_BAD_STATE;
			called = called && error == ERR_BAD_HANDLE;
			thread_yield();
		} else {
			wrong += current < gone;
			called = true;
			message = answer;
			pair->received++;
		}
	}
	return wrong;
}

// --- What is done to them

// The next handle of a series, derived from its root. It may be in use before it is returned.
static void bring_next(struct series *series, rights_t right, unsigned number)
{
	EXPECT_OK(handle_mint(series->root, right | RIGHT_TRANSFER, number + 1, &series->handles[number]));
	series->current = number;
}

static bool bring_endpoint(struct pair *pair, unsigned number)
{
	if (endpoint_create(&pair->endpoint) != ERR_OK ||
		handle_duplicate(pair->endpoint, RIGHTS_SAME, &pair->calls.root) != ERR_OK ||
		handle_duplicate(pair->endpoint, RIGHTS_SAME, &pair->receives.root) != ERR_OK)
		return false;
	bring_next(&pair->receives, RIGHT_RECEIVE, number);
	bring_next(&pair->calls, RIGHT_SEND, number);
	return true;
}

static void end_endpoint(struct pair *pair, unsigned number)
{
	handle_close(pair->endpoint);
	handle_close(pair->calls.root);
	handle_close(pair->receives.root);
	EXPECT_OK(handle_close(pair->calls.handles[number]));
	pair->calls.gone = number + 1;
	EXPECT_OK(handle_close(pair->receives.handles[number]));
	pair->receives.gone = number + 1;
}

// `revoked`: not closed.
static void replace(struct series *series, rights_t right, unsigned number, bool revoked)
{
	EXPECT_OK(revoked ? handle_revoke(series->root) : handle_close(series->handles[number]));
	series->gone = number + 1;
	bring_next(series, right, number + 1);
}

static bool wait_for_calls(struct pair *pair, uint64_t count)
{
	uint64_t deadline = after(PATIENCE), wanted = pair->received + count;

	while (pair->received < wanted && now() < deadline)
		thread_sleep(after(MILLISECOND / 16));
	return pair->received >= wanted;
}

static void go_on(struct pair *pair, unsigned number)
{
	EXPECT(wait_for_calls(pair, 1 + number % 3 * 20));
	if (number % 5 == 4) {
		end_endpoint(pair, number);
		EXPECT(bring_endpoint(pair, number + 1));
	} else {
		replace(&pair->calls, RIGHT_SEND, number, number % 5 % 2);
		replace(&pair->receives, RIGHT_RECEIVE, number, number % 5 / 2);
	}
}

static bool start_server(struct pair *pair, unsigned cpu)
{
	struct thread_attributes server = {.name = "server", .priority = LOWER, .affinity = 1u << cpu};

	*pair = (struct pair){0};
	return bring_endpoint(pair, 0) &&
		worker_start_with(&pair->server, serve_until_stopped, pair, &server);
}

static bool start_client(struct pair *pair, unsigned cpu)
{
	struct thread_attributes client = {.name = "client", .priority = LOWER, .affinity = 1u << cpu};

	return worker_start_with(&pair->client, call_until_stopped, pair, &client);
}

static void stop(struct pair *pair, unsigned number)
{
	pair->stop = true;
	end_endpoint(pair, number);
	EXPECT_EQUAL(worker_join(&pair->server), 0);
}

static unsigned pair_count(void)
{
	struct system_info system = {.cpu_count = 1};

	EXPECT_OK(system_info(start_handle(START_SYSTEM), &system));
	return system.cpu_count < PAIRS ? (unsigned)system.cpu_count : PAIRS;
}

TEST(torture_of_handles)
{
	unsigned count = pair_count();

	for (unsigned i = 0; i < count; i++)
		REQUIRE(start_server(&pairs[i], i) && start_client(&pairs[i], i));
	for (unsigned number = 0; number < ROUNDS; number++)
		for (unsigned i = 0; i < count; i++)
			go_on(&pairs[i], number);
	for (unsigned i = 0; i < count; i++) {
		stop(&pairs[i], ROUNDS);
		EXPECT_EQUAL(worker_join(&pairs[i].client), 0);
	}
}

// --- Callers that are killed

static uint64_t call_for_ever(uint64_t cpu)
{
	struct message message = {0};

	if (thread_set_priority(HANDLE_SELF, LOWER) || thread_set_affinity(HANDLE_SELF, 1u << cpu))
		return 1;
	while (endpoint_call(child_given[0], &message) == ERR_OK)
		message.info = 0;
	return 2;
}

TEST(torture_of_callers)
{
	unsigned count = pair_count();

	for (unsigned i = 0; i < count; i++)
		REQUIRE(start_server(&pairs[i], i));
	for (unsigned round = 0; round < ROUNDS / 4; round++) {
		struct child children[PAIRS];

		for (unsigned i = 0; i < count; i++)
			REQUIRE(child_start(&children[i], call_for_ever, i, &pairs[i].calls.handles[0], 1));
		for (unsigned i = 0; i < count; i++) {
			EXPECT(wait_for_calls(&pairs[i], 1 + round % 3 * 20));
			EXPECT_OK(process_kill(children[i].process, 0));
			EXPECT_EQUAL(child_wait(&children[i]).reason, EXIT_KILLED);
		}
	}
	for (unsigned i = 0; i < count; i++)
		stop(&pairs[i], 0);
}

// --- Waits that begin while what they wait for ends

struct ending {
	enum error (*wait)(handle_t handle);
	handle_t handle;
	_Atomic unsigned begun, ended; // rounds
};

static enum error wait_for_message(handle_t handle)
{
	struct message message = {0};

	return endpoint_receive(handle, &message);
}

static enum error wait_for_bits(handle_t handle)
{
	uint64_t bits;

	return notification_wait(handle, DEADLINE_NEVER, &bits);
}

static uint64_t wait_each_round(void *argument)
{
	struct ending *ending = argument;
	uint64_t wrong = 0;

	for (unsigned round = 0; round < ROUNDS; round++) {
		enum error error;

		while (ending->begun == round)
			thread_yield();
		error = ending->wait(ending->handle);
		wrong += error != ERR_BAD_HANDLE && error != ERR_PEER_CLOSED;
		ending->ended++;
	}
	return wrong;
}

static void race_with_end(enum error (*create)(handle_t *handle), enum error (*wait)(handle_t handle))
{
	struct thread_attributes last = {.name = "waiter", .affinity = 1u << (pair_count() - 1)};
	struct ending ending = {.wait = wait};
	struct worker waiter;

	REQUIRE(worker_start_with(&waiter, wait_each_round, &ending, &last));
	for (unsigned round = 0; round < ROUNDS; round++) {
		REQUIRE_OK(create(&ending.handle));
		ending.begun++;
		for (volatile unsigned i = 0; i < round % 8 * 300; i++)
			;
		EXPECT_OK(handle_close(ending.handle));
		while (ending.ended == round)
			thread_yield();
	}
	EXPECT_EQUAL(worker_join(&waiter), 0);
}

TEST(torture_of_waits_at_an_end)
{
	EXPECT_OK(thread_set_affinity(HANDLE_SELF, 1));
	race_with_end(endpoint_create, wait_for_message);
	race_with_end(notification_create, wait_for_bits);
	EXPECT_OK(thread_set_affinity(HANDLE_SELF, UINT64_MAX));
}

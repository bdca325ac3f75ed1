// SPDX-License-Identifier: MIT
//
// What the kernel keeps on behalf of a handle goes with it: calls that wait to be received.

#include "test.h"

struct caller {
	handle_t endpoint;
	enum error error;
	uint64_t answer;
	struct worker worker;
};

static uint64_t call_once(void *argument)
{
	struct caller *caller = argument;
	struct message message = {.info = MESSAGE_INFO(0, 1, 0), .words = {7}};

	caller->error = endpoint_call(caller->endpoint, &message);
	caller->answer = message.words[0];
	return 0;
}

static uint64_t send_once(void *argument)
{
	struct caller *caller = argument;
	struct message message = {.info = MESSAGE_INFO(0, 1, 0)};

	caller->error = endpoint_send(caller->endpoint, &message);
	return 0;
}

static bool start_and_queue(struct caller *caller, uint64_t (*function)(void *), handle_t endpoint)
{
	caller->endpoint = endpoint;
	return worker_start(&caller->worker, function, caller) &&
		wait_for_state(caller->worker.thread, THREAD_BLOCKED);
}

static void answer_one(handle_t endpoint, uint64_t badge)
{
	struct message message = {.info = MESSAGE_TRY};

	EXPECT_OK(endpoint_receive(endpoint, &message));
	EXPECT_EQUAL(message.badge, badge);
	message.info = MESSAGE_INFO(0, 1, 0);
	message.words[0] *= 2;
	EXPECT_OK(endpoint_reply(HANDLE_NONE, &message));
}

TEST(revoke_ends_calls_that_wait)
{
	struct caller minted, derived, closed, sends, own;
	struct message none = {.info = MESSAGE_TRY};
	handle_t root, handle, copy, passing;

	REQUIRE_OK(endpoint_create(&root));
	REQUIRE_OK(handle_mint(root, RIGHTS_SAME, 5, &handle));
	REQUIRE_OK(handle_duplicate(handle, RIGHTS_SAME, &copy));
	REQUIRE_OK(handle_duplicate(handle, RIGHTS_SAME, &passing));
	REQUIRE(start_and_queue(&own, call_once, root));
	REQUIRE(start_and_queue(&minted, call_once, handle));
	REQUIRE(start_and_queue(&derived, call_once, copy));
	REQUIRE(start_and_queue(&closed, call_once, passing));
	REQUIRE(start_and_queue(&sends, send_once, copy));
	handle_close(passing);
	// Not what was sent through the handle itself.
	EXPECT_OK(handle_revoke(handle));
	worker_join(&derived.worker);
	worker_join(&closed.worker);
	worker_join(&sends.worker);
	EXPECT_RESULT(BAD_HANDLE, endpoint_call, derived.error);
	EXPECT_RESULT(BAD_HANDLE, endpoint_call, closed.error);
	EXPECT_RESULT(BAD_HANDLE, endpoint_send, sends.error);
	answer_one(root, 0);
	answer_one(root, 5);
	EXPECT_ERROR(WOULD_BLOCK, endpoint_receive(root, &none));
	worker_join(&own.worker);
	worker_join(&minted.worker);
	EXPECT_RESULT(OK, endpoint_call, own.error);
	EXPECT_RESULT(OK, endpoint_call, minted.error);
	EXPECT_EQUAL(own.answer, 14);
	handle_close(handle);
	handle_close(root);
}

TEST(revoke_leaves_calls_that_were_accepted)
{
	struct message message = {.info = MESSAGE_TRY};
	struct caller caller;
	handle_t root, handle;

	REQUIRE_OK(endpoint_create(&root));
	REQUIRE_OK(handle_duplicate(root, RIGHTS_SAME, &handle));
	REQUIRE(start_and_queue(&caller, call_once, handle));
	EXPECT_OK(endpoint_receive(root, &message));
	EXPECT_OK(handle_revoke(root));
	message.info = MESSAGE_INFO(0, 1, 0);
	EXPECT_OK(endpoint_reply(HANDLE_NONE, &message));
	worker_join(&caller.worker);
	EXPECT_RESULT(OK, endpoint_call, caller.error);
	EXPECT_EQUAL(caller.answer, 7);
	handle_close(root);
}

// --- At the same time

enum { CALLERS = 3, ROUNDS = 200 };

static _Atomic handle_t published;
static atomic_bool over;

static uint64_t call_until_over(void *argument)
{
	uint64_t *answered = argument;

	while (!atomic_load(&over)) {
		struct message message = {.info = MESSAGE_INFO(0, 1, 0)};
		enum error error = endpoint_call(atomic_load(&published), &message);

		if (error == ERR_OK)
			++*answered;
		else if (error == ERR_BAD_HANDLE)
			thread_yield();
		else
			return error;
	}
	return ERR_OK;
}

// Others call all the time through a handle that is revoked: no message comes through it afterwards.
TEST(revoke_while_others_call)
{
	uint64_t answered[CALLERS] = {0}, received = 0, sum = 0;
	struct worker workers[CALLERS];
	handle_t root, handle;

	atomic_store(&over, false);
	atomic_store(&published, HANDLE_NONE);
	REQUIRE_OK(endpoint_create(&root));
	for (unsigned i = 0; i < CALLERS; i++)
		REQUIRE(worker_start(&workers[i], call_until_over, &answered[i]));
	for (unsigned round = 1; round <= ROUNDS; round++) {
		struct message message;

		REQUIRE_OK(handle_mint(root, RIGHTS_SAME, round, &handle));
		atomic_store(&published, handle);
		if (round % 4 == 0)
			EXPECT(wait_for_state(workers[round % CALLERS].thread, THREAD_BLOCKED));
		for (unsigned i = 0; i < round % 8; i++) {
			message = (struct message){.info = MESSAGE_TRY};
			if (endpoint_receive(root, &message) != ERR_OK)
				continue;
			EXPECT_EQUAL(message.badge, round);
			received++;
			message.info = MESSAGE_INFO(0, 1, 0);
			EXPECT_OK(endpoint_reply(HANDLE_NONE, &message));
		}
		EXPECT_OK(handle_revoke(root));
		message = (struct message){.info = MESSAGE_TRY};
		EXPECT_ERROR(WOULD_BLOCK, endpoint_receive(root, &message));
	}
	atomic_store(&over, true);
	for (unsigned i = 0; i < CALLERS; i++) {
		EXPECT_EQUAL(worker_join(&workers[i]), ERR_OK);
		sum += answered[i];
	}
	EXPECT_EQUAL(sum, received);
	EXPECT(received > 0);
	handle_close(root);
}

// SPDX-License-Identifier: MIT
//
// What the kernel keeps on behalf of a handle goes with it: calls that wait to be received, bindings of notifications.

#include "isa.h"
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

// --- Bindings

static uint64_t sleep_for_ever(void *argument)
{
	(void)argument;
	return thread_sleep(DEADLINE_NEVER);
}

static bool is_signalled(handle_t notification)
{
	uint64_t bits;

	return notification_poll(notification, &bits) == ERR_OK;
}

TEST(revoke_ends_timers)
{
	handle_t root, copy, revoked, kept;
	uint64_t bits;

	REQUIRE_OK(notification_create(&root));
	REQUIRE_OK(handle_duplicate(root, RIGHTS_SAME, &copy));
	REQUIRE_OK(timer_object_create(copy, 1, &revoked));
	REQUIRE_OK(timer_object_create(root, 2, &kept));
	EXPECT_OK(handle_revoke(root));
	EXPECT_OK(timer_set(revoked, after(MILLISECOND), MILLISECOND));
	EXPECT_OK(timer_set(kept, after(20 * MILLISECOND), 0));
	EXPECT_OK(notification_wait(root, DEADLINE_NEVER, &bits));
	EXPECT_EQUAL(bits, 2);
	handle_close(revoked);
	handle_close(kept);
	handle_close(root);
}

// A thread or process is watched through duplicates of both handles, and one of them is revoked.
static void watch_and_revoke(handle_t watched, enum error (*watch)(handle_t, handle_t, uint64_t),
	handle_t root, bool revoke_watched)
{
	handle_t copies[2];

	EXPECT_OK(handle_duplicate(watched, RIGHTS_SAME, &copies[0]));
	EXPECT_OK(handle_duplicate(root, RIGHTS_SAME, &copies[1]));
	EXPECT_OK(watch(copies[0], copies[1], 1));
	EXPECT_OK(handle_revoke(revoke_watched ? watched : root));
	handle_close(copies[revoke_watched]);
}

TEST(revoke_ends_watches)
{
	handle_t root, process;

	REQUIRE_OK(notification_create(&root));
	for (unsigned i = 0; i < 2; i++) {
		struct worker worker;

		REQUIRE(worker_start(&worker, sleep_for_ever, NULL));
		watch_and_revoke(worker.thread, thread_watch, root, i == 0);
		EXPECT_OK(thread_kill(worker.thread, 0));
		worker_join(&worker);
		EXPECT(!is_signalled(root));

		REQUIRE_OK(process_create(start_handle(START_ACCOUNT), "watched", &process));
		watch_and_revoke(process, process_watch, root, i == 0);
		EXPECT_OK(process_kill(process, 0));
		EXPECT(!is_signalled(root));
		// It can be watched again.
		EXPECT_OK(process_watch(process, root, 1));
		EXPECT(is_signalled(root));
		handle_close(process);
	}
	handle_close(root);
}

TEST(revoke_ends_bindings_of_endpoints)
{
	handle_t endpoint, root, copies[2];

	REQUIRE_OK(endpoint_create(&endpoint));
	REQUIRE_OK(notification_create(&root));
	for (unsigned i = 0; i < 2; i++) {
		struct message message = {.info = MESSAGE_TRY};

		REQUIRE_OK(handle_duplicate(endpoint, RIGHTS_SAME, &copies[0]));
		REQUIRE_OK(handle_duplicate(root, RIGHTS_SAME, &copies[1]));
		EXPECT_OK(endpoint_bind(copies[0], copies[1]));
		EXPECT_ERROR(BUSY, endpoint_bind(endpoint, root));
		EXPECT_OK(handle_revoke(i == 0 ? endpoint : root));
		EXPECT_OK(notification_signal(root, 4));
		EXPECT_ERROR(WOULD_BLOCK, endpoint_receive(endpoint, &message));
		EXPECT_OK(endpoint_bind(endpoint, root));
		message.info = MESSAGE_TRY;
		EXPECT_OK(endpoint_receive(endpoint, &message));
		EXPECT_EQUAL(message.words[0], 4);
		// What was bound through the handles themselves stays.
		EXPECT_OK(handle_revoke(endpoint));
		EXPECT_OK(handle_revoke(root));
		EXPECT_ERROR(BUSY, endpoint_bind(endpoint, root));
		EXPECT_OK(endpoint_bind(endpoint, HANDLE_NONE));
		handle_close(copies[i == 0]);
	}
	handle_close(endpoint);
	handle_close(root);
}

TEST(revoke_ends_bindings_of_interrupts)
{
	handle_t interrupt, root, copies[2];

	REQUIRE_OK(interrupt_create(start_handle(START_INTERRUPTS), ISA_FREE_LINE, 0, &interrupt));
	REQUIRE_OK(notification_create(&root));
	for (unsigned i = 0; i < 2; i++) {
		REQUIRE_OK(handle_duplicate(interrupt, RIGHTS_SAME, &copies[0]));
		REQUIRE_OK(handle_duplicate(root, RIGHTS_SAME, &copies[1]));
		EXPECT_OK(interrupt_bind(copies[0], copies[1], 1));
		EXPECT_OK(interrupt_acknowledge(interrupt));
		EXPECT_OK(handle_revoke(i == 0 ? interrupt : root));
		EXPECT_ERROR(BAD_STATE, interrupt_acknowledge(interrupt));
		EXPECT_OK(interrupt_bind(interrupt, root, 1));
		EXPECT_OK(interrupt_acknowledge(interrupt));
		handle_close(copies[i == 0]);
	}
	handle_close(interrupt);
	handle_close(root);
}

// --- At the same time

static handle_t bound_endpoint;
static _Atomic handle_t bound_notification;
static atomic_bool binding_over;

static uint64_t bind_until_over(void *argument)
{
	uint64_t *bound = argument;

	while (!atomic_load(&binding_over)) {
		handle_t notification = atomic_load(&bound_notification);
		enum error error = endpoint_bind(bound_endpoint, notification);

		*bound += error == ERR_OK;
		if (error != ERR_OK && error != ERR_BUSY && error != ERR_BAD_HANDLE)
			return error;
		notification_signal(notification, 1);
		if (error == ERR_BAD_HANDLE)
			thread_yield();
	}
	return ERR_OK;
}

// Others bind all the time through a handle that is revoked: nothing is bound through it afterwards.
TEST(revoke_while_others_bind)
{
	struct worker workers[2];
	uint64_t bound[2] = {0};
	handle_t root, copy;

	REQUIRE_OK(endpoint_create(&bound_endpoint));
	REQUIRE_OK(notification_create(&root));
	atomic_store(&binding_over, false);
	atomic_store(&bound_notification, HANDLE_NONE);
	for (unsigned i = 0; i < 2; i++)
		REQUIRE(worker_start(&workers[i], bind_until_over, &bound[i]));
	for (unsigned round = 1; round <= 300; round++) {
		REQUIRE_OK(handle_duplicate(root, RIGHTS_SAME, &copy));
		atomic_store(&bound_notification, copy);
		if (round % 8 == 0)
			thread_sleep(after(MILLISECOND / 10));
		EXPECT_OK(handle_revoke(root));
		EXPECT_OK(endpoint_bind(bound_endpoint, root));
		EXPECT_OK(endpoint_bind(bound_endpoint, HANDLE_NONE));
	}
	atomic_store(&binding_over, true);
	for (unsigned i = 0; i < 2; i++)
		EXPECT_EQUAL(worker_join(&workers[i]), ERR_OK);
	EXPECT(bound[0] + bound[1] > 0);
	handle_close(bound_endpoint);
	handle_close(root);
}

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

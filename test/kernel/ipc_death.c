// SPDX-License-Identifier: MIT
//
// IPC: time-outs, and the end of either side, at each point of a call.

#include "test.h"

static uint64_t receive_and_hold(void *argument)
{
	struct message message = {0};
	handle_t *handles = argument; // endpoint, notification to wait for
	uint64_t bits;

	endpoint_receive(handles[0], &message);
	notification_wait(handles[1], DEADLINE_NEVER, &bits);
	message.info = 0;
	return endpoint_reply(HANDLE_NONE, &message);
}

TEST(ipc_call_times_out_while_it_is_served)
{
	struct message message = {.info = MESSAGE_DEADLINE};
	struct worker worker;
	handle_t handles[2];

	REQUIRE_OK(endpoint_create(&handles[0]));
	REQUIRE_OK(notification_create(&handles[1]));
	REQUIRE(worker_start(&worker, receive_and_hold, handles));
	message_buffer()->deadline = after(20 * MILLISECOND);
	EXPECT_ERROR(TIMED_OUT, endpoint_call(handles[0], &message));
	EXPECT_OK(notification_signal(handles[1], 1));
	EXPECT_EQUAL(worker_join(&worker), ERR_GONE);
	handle_close(handles[0]);
	handle_close(handles[1]);
}

static uint64_t receive_and_end(void *argument)
{
	struct message message = {0};

	endpoint_receive(*(handle_t *)argument, &message);
	return 0;
}

static uint64_t receive_twice(void *argument)
{
	struct message message = {0};

	endpoint_receive(*(handle_t *)argument, &message);
	message.info = MESSAGE_TRY;
	return endpoint_receive(*(handle_t *)argument, &message);
}

TEST(ipc_server_ends_before_it_answers)
{
	struct message message = {0};
	struct worker worker;
	handle_t endpoint;

	REQUIRE_OK(endpoint_create(&endpoint));
	REQUIRE(worker_start(&worker, receive_and_end, &endpoint));
	EXPECT_ERROR(GONE, endpoint_call(endpoint, &message));
	worker_join(&worker);
	REQUIRE(worker_start(&worker, receive_twice, &endpoint));
	message.info = 0;
	EXPECT_ERROR(GONE, endpoint_call(endpoint, &message));
	EXPECT_EQUAL(worker_join(&worker), ERR_WOULD_BLOCK);
	handle_close(endpoint);
}

TEST(ipc_nobody_can_receive_any_more)
{
	struct message message = {0};
	handle_t endpoint, client;

	REQUIRE_OK(endpoint_create(&endpoint));
	REQUIRE_OK(handle_duplicate(endpoint, RIGHT_SEND, &client));
	handle_close(endpoint);
	EXPECT_ERROR(PEER_CLOSED, endpoint_call(client, &message));
	message.info = 0;
	EXPECT_ERROR(PEER_CLOSED, endpoint_send(client, &message));
	handle_close(client);
}

static uint64_t call_once(void *argument)
{
	struct message message = {0};

	return endpoint_call(*(handle_t *)argument, &message);
}

TEST(ipc_receiver_goes_under_a_waiting_caller)
{
	handle_t endpoint, client;
	struct worker worker;

	REQUIRE_OK(endpoint_create(&endpoint));
	REQUIRE_OK(handle_duplicate(endpoint, RIGHT_SEND, &client));
	REQUIRE(worker_start(&worker, call_once, &client));
	EXPECT(wait_for_state(worker.thread, THREAD_BLOCKED));
	handle_close(endpoint);
	EXPECT_EQUAL(worker_join(&worker), ERR_PEER_CLOSED);
	handle_close(client);
}

TEST(ipc_caller_is_killed_while_it_waits)
{
	struct message message = {0};
	struct worker worker;
	handle_t endpoint;

	REQUIRE_OK(endpoint_create(&endpoint));
	REQUIRE(worker_start(&worker, call_once, &endpoint));
	EXPECT(wait_for_state(worker.thread, THREAD_BLOCKED));
	EXPECT_OK(endpoint_receive(endpoint, &message));
	EXPECT_OK(thread_kill(worker.thread, 9));
	EXPECT_EQUAL(worker_join(&worker), 9);
	message.info = 0;
	EXPECT_ERROR(GONE, endpoint_reply(HANDLE_NONE, &message));
	handle_close(endpoint);
}

static uint64_t child_dies_serving(uint64_t argument)
{
	struct message message = {0};

	endpoint_receive(child_given[0], &message);
	*(volatile int *)argument = 1;
	return 0;
}

TEST(ipc_server_process_crashes)
{
	struct message message = {0};
	struct process_info info;
	struct child child;
	handle_t endpoint;

	REQUIRE_OK(endpoint_create(&endpoint));
	REQUIRE(child_start(&child, child_dies_serving, 8, &endpoint, 1));
	EXPECT_ERROR(GONE, endpoint_call(endpoint, &message));
	info = child_wait(&child);
	EXPECT_EQUAL(info.reason, EXIT_FAULT);
	EXPECT_EQUAL(info.exit_status, FAULT_PAGE);
	handle_close(endpoint);
}

static uint64_t child_serves(uint64_t argument)
{
	struct message message = {0};

	endpoint_receive(child_given[0], &message);
	for (;;) {
		message.info = 0;
		endpoint_reply_receive(child_given[0], &message);
	}
	return argument;
}

struct hammer {
	handle_t endpoint;
	struct worker worker;
	atomic_bool stop;
};

static uint64_t call_on_and_on(void *argument)
{
	struct hammer *hammer = argument;

	while (!atomic_load(&hammer->stop)) {
		struct message message = {.info = MESSAGE_DEADLINE};

		hammer->worker.buffer->deadline = after(MILLISECOND);
		endpoint_call(hammer->endpoint, &message);
	}
	return 0;
}

// What comes after the kill is for the next server.
TEST(ipc_killed_server_takes_no_more_calls)
{
	struct hammer hammer = {0};

	REQUIRE_OK(endpoint_create(&hammer.endpoint));
	REQUIRE(worker_start(&hammer.worker, call_on_and_on, &hammer));
	for (unsigned i = 0; i < 20; i++) {
		struct message message = {0};
		struct child child;

		REQUIRE(child_start(&child, child_serves, 0, &hammer.endpoint, 1));
		EXPECT_OK(endpoint_call(hammer.endpoint, &message));
		EXPECT_OK(process_kill(child.process, 1));
		message.info = MESSAGE_DEADLINE;
		message_buffer()->deadline = after(2 * MILLISECOND);
		EXPECT_ERROR(TIMED_OUT, endpoint_call(hammer.endpoint, &message));
		child_wait(&child);
	}
	atomic_store(&hammer.stop, true);
	worker_join(&hammer.worker);
	handle_close(hammer.endpoint);
}

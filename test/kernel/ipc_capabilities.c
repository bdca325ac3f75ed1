// SPDX-License-Identifier: MIT
//
// IPC: capabilities in messages, saved replies, bound notifications, priorities.

#include "test.h"

struct taker {
	handle_t endpoint;
	struct worker worker;
	uint64_t count; // of capabilities that came
};

static uint64_t take_capability(void *argument)
{
	struct taker *server = argument;
	struct message message = {0};
	handle_t got;

	endpoint_receive(server->endpoint, &message);
	got = server->worker.buffer->capabilities[0];
	server->count = message_capabilities(message.info);
	notification_signal(got, 0x55);
	handle_close(got);
	message.info = 0;
	endpoint_reply(HANDLE_NONE, &message);
	return server->worker.buffer->capabilities[1];
}

TEST(ipc_capability_travels)
{
	struct message message = {.info = MESSAGE_INFO(1, 0, 1)};
	struct taker server;
	handle_t notification;
	uint64_t bits = 0;

	REQUIRE_OK(endpoint_create(&server.endpoint));
	REQUIRE_OK(notification_create(&notification));
	REQUIRE(worker_start(&server.worker, take_capability, &server));
	message_buffer()->capabilities[0] = notification;
	EXPECT_OK(endpoint_call(server.endpoint, &message));
	EXPECT_EQUAL(server.count, 1);
	EXPECT_EQUAL(worker_join(&server.worker), HANDLE_NONE);
	EXPECT_OK(notification_poll(notification, &bits));
	EXPECT_EQUAL(bits, 0x55);
	handle_close(notification);
	handle_close(server.endpoint);
}

// An endpoint can be sent through itself, with the right to receive on it.
TEST(ipc_endpoint_travels_through_itself)
{
	struct message message = {.info = MESSAGE_INFO(1, 0, 1)};
	struct taker server;

	REQUIRE_OK(endpoint_create(&server.endpoint));
	REQUIRE(worker_start(&server.worker, take_capability, &server));
	message_buffer()->capabilities[0] = server.endpoint;
	EXPECT_OK(endpoint_call(server.endpoint, &message));
	EXPECT_EQUAL(worker_join(&server.worker), HANDLE_NONE);
	message.info = MESSAGE_TRY;
	EXPECT_ERROR(WOULD_BLOCK, endpoint_call(server.endpoint, &message));
	handle_close(server.endpoint);
}

TEST(ipc_capability_needs_transfer)
{
	struct message message = {.info = MESSAGE_INFO(1, 0, 1)};
	handle_t endpoint, notification, fewer;

	REQUIRE_OK(endpoint_create(&endpoint));
	REQUIRE_OK(notification_create(&notification));
	fewer = without(notification, RIGHT_TRANSFER);
	message_buffer()->capabilities[0] = fewer;
	EXPECT_ERROR(NO_RIGHTS, endpoint_call(endpoint, &message));
	handle_close(fewer);
	message.info = MESSAGE_INFO(1, 0, 1);
	EXPECT_ERROR(BAD_HANDLE, endpoint_call(endpoint, &message));
	handle_close(notification);
	handle_close(endpoint);
}

// --- Saved replies

static uint64_t call_once(void *argument)
{
	struct message message = {0};

	return endpoint_call(*(handle_t *)argument, &message);
}

static uint64_t save_and_answer(void *argument)
{
	handle_t endpoint = *(handle_t *)argument, first, second;
	struct message message = {0};

	endpoint_receive(endpoint, &message);
	if (reply_save(&first) != ERR_OK)
		return 1;
	message.info = 0;
	endpoint_receive(endpoint, &message);
	if (reply_save(&second) != ERR_OK)
		return 2;
	message = (struct message){.info = MESSAGE_INFO(2, 0, 0)};
	if (endpoint_reply(second, &message) != ERR_OK || endpoint_reply(second, &message) != ERR_BAD_HANDLE)
		return 3;
	// The first caller gets no answer, but is told.
	return handle_close(first) == ERR_OK ? 0 : 4;
}

TEST(ipc_saved_reply)
{
	struct worker server, client;
	struct message message = {0};
	handle_t endpoint;

	REQUIRE_OK(endpoint_create(&endpoint));
	REQUIRE(worker_start(&client, call_once, &endpoint));
	EXPECT(wait_for_state(client.thread, THREAD_BLOCKED));
	REQUIRE(worker_start(&server, save_and_answer, &endpoint));
	EXPECT_OK(endpoint_call(endpoint, &message));
	EXPECT_EQUAL(message_label(message.info), 2);
	EXPECT_EQUAL(worker_join(&server), 0);
	EXPECT_EQUAL(worker_join(&client), ERR_GONE);
	handle_close(endpoint);
}

TEST(ipc_save_needs_a_caller)
{
	struct message message = {0};
	struct worker client;
	handle_t endpoint, reply;

	REQUIRE_OK(endpoint_create(&endpoint));
	EXPECT_ERROR(BAD_STATE, reply_save(&reply));
	REQUIRE(worker_start(&client, call_once, &endpoint));
	REQUIRE_OK(endpoint_receive(endpoint, &message));
	EXPECT_OK(reply_save(&reply));
	EXPECT_ERROR(BAD_STATE, reply_save(&reply));
	message.info = 0;
	EXPECT_OK(endpoint_reply(reply, &message));
	EXPECT_EQUAL(worker_join(&client), ERR_OK);
	handle_close(endpoint);
}

// --- Priorities and bound notifications

static uint64_t call_with_priority(void *argument)
{
	uint64_t *given = argument; // endpoint, label
	struct message message = {.info = MESSAGE_INFO(given[1], 0, 0)};

	return endpoint_call(given[0], &message);
}

TEST(ipc_higher_priority_is_received_first)
{
	static const uint32_t priorities[] = {50, 70, 60, 70};
	static const uint32_t order[] = {1, 3, 2, 0};
	struct worker workers[4];
	uint64_t given[4][2];
	handle_t endpoint;

	REQUIRE_OK(endpoint_create(&endpoint));
	for (unsigned i = 0; i < 4; i++) {
		struct thread_attributes attributes = {.name = "caller", .priority = priorities[i]};

		given[i][0] = endpoint;
		given[i][1] = i;
		REQUIRE(worker_start_with(&workers[i], call_with_priority, given[i], &attributes));
		EXPECT(wait_for_state(workers[i].thread, THREAD_BLOCKED));
	}
	for (unsigned i = 0; i < 4; i++) {
		struct message message = {0};

		EXPECT_OK(endpoint_receive(endpoint, &message));
		EXPECT_EQUAL(message_label(message.info), order[i]);
		message.info = 0;
		EXPECT_OK(endpoint_reply(HANDLE_NONE, &message));
	}
	for (unsigned i = 0; i < 4; i++)
		worker_join(&workers[i]);
	handle_close(endpoint);
}

static uint64_t signal_soon(void *argument)
{
	thread_sleep(after(5 * MILLISECOND));
	return notification_signal(*(handle_t *)argument, 0x40);
}

TEST(ipc_bound_notification)
{
	handle_t endpoint, notification, other;
	struct message message = {0};
	struct worker worker;

	REQUIRE_OK(endpoint_create(&endpoint));
	REQUIRE_OK(notification_create(&notification));
	REQUIRE_OK(notification_create(&other));
	EXPECT_OK(notification_signal(notification, 1));
	EXPECT_OK(endpoint_bind(endpoint, notification));
	EXPECT_ERROR(BUSY, endpoint_bind(endpoint, other));
	EXPECT_OK(endpoint_receive(endpoint, &message));
	EXPECT(message.info & MESSAGE_NOTIFICATION);
	EXPECT_EQUAL(message.words[0], 1);
	REQUIRE(worker_start(&worker, signal_soon, &notification));
	message.info = 0;
	EXPECT_OK(endpoint_receive(endpoint, &message));
	EXPECT(message.info & MESSAGE_NOTIFICATION);
	EXPECT_EQUAL(message.words[0], 0x40);
	EXPECT_EQUAL(worker_join(&worker), ERR_OK);
	EXPECT_OK(endpoint_bind(endpoint, HANDLE_NONE));
	EXPECT_OK(notification_signal(notification, 1));
	message.info = MESSAGE_TRY;
	EXPECT_ERROR(WOULD_BLOCK, endpoint_receive(endpoint, &message));
	handle_close(endpoint);
	handle_close(notification);
	handle_close(other);
}

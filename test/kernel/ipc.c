// SPDX-License-Identifier: MIT
//
// IPC: calls, sends, receives, replies; words, badges, capabilities, time-outs.

#include "test.h"
#include <string.h>

// A server thread: answers each call on `endpoint` with its words plus one, in reverse label, until a label
// of 0.
struct echo {
	handle_t endpoint;
	struct worker worker;
	uint64_t badge; // of the last call
};

static uint64_t serve_echo(void *argument)
{
	struct echo *echo = argument;
	struct message message = {0};
	enum error error = endpoint_receive(echo->endpoint, &message);

	while (error == ERR_OK && message_label(message.info) != 0) {
		size_t length = message_length(message.info);

		echo->badge = message.badge;
		for (size_t i = 0; i < length && i < MESSAGE_WIDE_WORDS; i++)
			message.words[i]++;
		for (size_t i = MESSAGE_WIDE_WORDS; i < length; i++)
			echo->worker.buffer->words[i]++;
		message.info = MESSAGE_INFO(~message_label(message.info), length, 0);
		error = endpoint_reply_receive(echo->endpoint, &message);
	}
	message.info = 0;
	endpoint_reply(HANDLE_NONE, &message);
	return error;
}

static bool echo_start(struct echo *echo)
{
	return endpoint_create(&echo->endpoint) == ERR_OK && worker_start(&echo->worker, serve_echo, echo);
}

static void echo_stop(struct echo *echo)
{
	struct message message = {0};

	EXPECT_OK(endpoint_call(echo->endpoint, &message));
	EXPECT_EQUAL(worker_join(&echo->worker), ERR_OK);
	handle_close(echo->endpoint);
}

TEST(ipc_call_carries_words_both_ways)
{
	struct echo echo;

	REQUIRE(echo_start(&echo));
	for (unsigned length = 0; length <= MESSAGE_WORDS; length++) {
		struct message message = {.info = MESSAGE_INFO(7, length, 0)};

		for (unsigned i = 0; i < length; i++) {
			if (i < MESSAGE_WIDE_WORDS)
				message.words[i] = 100 * length + i;
			else
				message_buffer()->words[i] = 100 * length + i;
		}
		REQUIRE_OK(endpoint_call(echo.endpoint, &message));
		EXPECT_EQUAL(message_label(message.info), (uint32_t)~7u);
		EXPECT_EQUAL(message_length(message.info), length);
		for (unsigned i = 0; i < length; i++)
			EXPECT_EQUAL(i < MESSAGE_WIDE_WORDS ? message.words[i] : message_buffer()->words[i],
				100 * length + i + 1);
		for (unsigned i = length; i < MESSAGE_WIDE_WORDS; i++)
			EXPECT_EQUAL(message.words[i], 0);
	}
	echo_stop(&echo);
}

TEST(ipc_short_and_wide_forms_meet)
{
	struct short_message message = {.info = MESSAGE_INFO(1, 6, 0), .words = {1, 2, 3, 4}};
	struct echo echo;

	REQUIRE(echo_start(&echo));
	message_buffer()->words[4] = 5;
	message_buffer()->words[5] = 6;
	REQUIRE_OK(endpoint_call_short(echo.endpoint, &message));
	for (unsigned i = 0; i < 4; i++)
		EXPECT_EQUAL(message.words[i], i + 2);
	EXPECT_EQUAL(message_buffer()->words[4], 6);
	EXPECT_EQUAL(message_buffer()->words[5], 7);
	echo_stop(&echo);
}

TEST(ipc_badge_names_the_client)
{
	struct message message = {.info = MESSAGE_INFO(1, 0, 0)};
	struct echo echo;
	handle_t client;

	REQUIRE(echo_start(&echo));
	EXPECT_OK(endpoint_call(echo.endpoint, &message));
	EXPECT_EQUAL(echo.badge, 0);
	REQUIRE_OK(handle_mint(echo.endpoint, RIGHT_SEND, 0xabcdef, &client));
	message.info = MESSAGE_INFO(1, 0, 0);
	EXPECT_OK(endpoint_call(client, &message));
	EXPECT_EQUAL(echo.badge, 0xabcdef);
	EXPECT_ERROR(NO_RIGHTS, endpoint_receive(client, &message));
	handle_close(client);
	echo_stop(&echo);
}

TEST(ipc_many_round_trips)
{
	struct echo echo;

	REQUIRE(echo_start(&echo));
	for (unsigned i = 0; i < 10000; i++) {
		struct message message = {.info = MESSAGE_INFO(1, 4, 0), .words = {i, i * 2, i * 3, i * 5}};

		REQUIRE_OK(endpoint_call(echo.endpoint, &message));
		REQUIRE(message.words[0] == i + 1 && message.words[3] == i * 5 + 1);
	}
	echo_stop(&echo);
}

TEST(ipc_bad_info_words)
{
	static const uint64_t bad[] = {65, 127, (uint64_t)5 << 8, (uint64_t)7 << 8, 1 << 7,
		MESSAGE_NOTIFICATION, MESSAGE_CALL, MESSAGE_FAULT, (uint64_t)1 << 18, (uint64_t)1 << 31};
	handle_t endpoint;

	REQUIRE_OK(endpoint_create(&endpoint));
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct message message = {.info = bad[i]};

		EXPECT_ERROR(INVALID_ARGUMENT, endpoint_call(endpoint, &message));
		message.info = bad[i];
		EXPECT_ERROR(INVALID_ARGUMENT, endpoint_send(endpoint, &message));
		message.info = bad[i];
		EXPECT_ERROR(INVALID_ARGUMENT, endpoint_receive(endpoint, &message));
		message.info = bad[i];
		EXPECT_ERROR(INVALID_ARGUMENT, endpoint_reply(HANDLE_NONE, &message));
	}
	handle_close(endpoint);
}

TEST(ipc_handles_and_rights)
{
	struct message message = {0};
	handle_t endpoint, notification, fewer;

	REQUIRE_OK(endpoint_create(&endpoint));
	REQUIRE_OK(notification_create(&notification));
	EXPECT_ERROR(BAD_HANDLE, endpoint_call(12345, &message));
	EXPECT_ERROR(WRONG_TYPE, endpoint_call(notification, &message));
	EXPECT_ERROR(WRONG_TYPE, endpoint_receive(notification, &message));
	fewer = without(endpoint, RIGHT_SEND);
	EXPECT_ERROR(NO_RIGHTS, endpoint_call(fewer, &message));
	EXPECT_ERROR(NO_RIGHTS, endpoint_send(fewer, &message));
	handle_close(fewer);
	fewer = without(endpoint, RIGHT_RECEIVE);
	EXPECT_ERROR(NO_RIGHTS, endpoint_receive(fewer, &message));
	EXPECT_ERROR(NO_RIGHTS, endpoint_reply_receive(fewer, &message));
	handle_close(fewer);
	EXPECT_ERROR(BAD_STATE, endpoint_reply(HANDLE_NONE, &message));
	EXPECT_ERROR(BAD_STATE, endpoint_reply_receive(endpoint, &message));
	EXPECT_ERROR(BAD_HANDLE, endpoint_reply(777, &message));
	handle_close(endpoint);
	handle_close(notification);
}

TEST(ipc_try_and_time_out)
{
	struct message message = {.info = MESSAGE_TRY};
	uint64_t start = now();
	handle_t endpoint;

	REQUIRE_OK(endpoint_create(&endpoint));
	EXPECT_ERROR(WOULD_BLOCK, endpoint_call(endpoint, &message));
	message.info = MESSAGE_TRY;
	EXPECT_ERROR(WOULD_BLOCK, endpoint_send(endpoint, &message));
	message.info = MESSAGE_TRY;
	EXPECT_ERROR(WOULD_BLOCK, endpoint_receive(endpoint, &message));
	message_buffer()->deadline = after(10 * MILLISECOND);
	message.info = MESSAGE_DEADLINE;
	EXPECT_ERROR(TIMED_OUT, endpoint_call(endpoint, &message));
	EXPECT(now() - start >= 10 * MILLISECOND);
	message.info = MESSAGE_DEADLINE;
	EXPECT_ERROR(TIMED_OUT, endpoint_send(endpoint, &message));
	message.info = MESSAGE_DEADLINE;
	EXPECT_ERROR(TIMED_OUT, endpoint_receive(endpoint, &message));
	handle_close(endpoint);
}

static uint64_t send_four(void *argument)
{
	struct message message = {0};
	enum error error = ERR_OK;

	for (unsigned i = 0; i < 4 && !error; i++) {
		message = (struct message){.info = MESSAGE_INFO(i, 1, 0), .words = {i * 11}};
		error = endpoint_send(*(handle_t *)argument, &message);
	}
	return error;
}

TEST(ipc_send_waits_for_no_answer)
{
	struct worker worker;
	handle_t endpoint;

	REQUIRE_OK(endpoint_create(&endpoint));
	REQUIRE(worker_start(&worker, send_four, &endpoint));
	for (unsigned i = 0; i < 4; i++) {
		struct message message = {0};

		EXPECT_OK(endpoint_receive(endpoint, &message));
		EXPECT_EQUAL(message_label(message.info), i);
		EXPECT_EQUAL(message.words[0], i * 11);
		EXPECT(!(message.info & MESSAGE_CALL));
	}
	EXPECT_EQUAL(worker_join(&worker), ERR_OK);
	handle_close(endpoint);
}

// --- Between processes

static uint64_t child_server(uint64_t argument)
{
	struct message message = {0};

	(void)argument;
	if (endpoint_receive(child_given[0], &message) != ERR_OK)
		return 1;
	for (unsigned i = 0; i < 4; i++)
		message.words[i] *= 2;
	message.info = MESSAGE_INFO(9, 4, 0);
	return endpoint_reply(HANDLE_NONE, &message);
}

TEST(ipc_between_processes)
{
	struct message message = {.info = MESSAGE_INFO(1, 4, 0), .words = {1, 2, 3, 4}};
	struct process_info info;
	struct child child;
	handle_t endpoint;

	REQUIRE_OK(endpoint_create(&endpoint));
	REQUIRE(child_start(&child, child_server, 0, &endpoint, 1));
	EXPECT_OK(endpoint_call(endpoint, &message));
	EXPECT_EQUAL(message_label(message.info), 9);
	EXPECT_EQUAL(message.words[3], 8);
	info = child_wait(&child);
	EXPECT_EQUAL(info.exit_status, ERR_OK);
	handle_close(endpoint);
}

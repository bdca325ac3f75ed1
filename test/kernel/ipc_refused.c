// SPDX-License-Identifier: MIT
//
// IPC: messages that either side has no message buffer for, answers that cannot be given, replies with too few rights.

#include "test.h"

#define LONG_MESSAGE MESSAGE_INFO(0, MESSAGE_WIDE_WORDS + 1, 0)

static handle_t endpoint;

enum { CALL, SEND, RECEIVE, REPLY_RECEIVE, REPLY, ANSWERED, RESULTS };
static enum error results[RESULTS];

static struct message *with_info(uint64_t info)
{
	static struct message message;

	message.info = info;
	return &message;
}

// A thread without a message buffer: asks for what needs one, takes a message of register words, and makes a call.
static void without_buffer(void)
{
	struct message message = {.info = LONG_MESSAGE};

	results[CALL] = endpoint_call(endpoint, &message);
	message.info = LONG_MESSAGE;
	results[SEND] = endpoint_send(endpoint, &message);
	message.info = LONG_MESSAGE;
	results[REPLY] = endpoint_reply(HANDLE_NONE, &message);
	message.info = MESSAGE_DEADLINE;
	results[RECEIVE] = endpoint_receive(endpoint, &message);
	message.info = LONG_MESSAGE;
	results[REPLY_RECEIVE] = endpoint_reply_receive(endpoint, &message);
	message.info = 0;
	endpoint_receive(endpoint, &message);
	message.info = 0;
	results[ANSWERED] = endpoint_call(endpoint, &message);
	thread_exit(0);
}

TEST(ipc_without_a_message_buffer)
{
	struct thread_attributes attributes = {.entry = (uintptr_t)without_buffer};
	handle_t thread;
	uint64_t status;

	REQUIRE_OK(endpoint_create(&endpoint));
	REQUIRE_OK(thread_create(HANDLE_SELF, &attributes, &thread));
	EXPECT(wait_for_state(thread, THREAD_BLOCKED));
	EXPECT_RESULT(BAD_STATE, endpoint_call, results[CALL]);
	EXPECT_RESULT(BAD_STATE, endpoint_send, results[SEND]);
	EXPECT_RESULT(BAD_STATE, endpoint_reply, results[REPLY]);
	EXPECT_RESULT(BAD_STATE, endpoint_receive, results[RECEIVE]);
	EXPECT_RESULT(BAD_STATE, endpoint_reply_receive, results[REPLY_RECEIVE]);
	EXPECT_ERROR(TOO_LONG, endpoint_call(endpoint, with_info(LONG_MESSAGE)));
	EXPECT_ERROR(TOO_LONG, endpoint_send(endpoint, with_info(LONG_MESSAGE)));
	EXPECT_OK(endpoint_send(endpoint, with_info(MESSAGE_INFO(0, MESSAGE_WIDE_WORDS, 0))));
	EXPECT_OK(endpoint_receive(endpoint, with_info(0)));
	EXPECT_ERROR(TOO_LONG, endpoint_reply(HANDLE_NONE, with_info(LONG_MESSAGE)));
	EXPECT_OK(thread_join(thread, DEADLINE_NEVER, &status));
	EXPECT_RESULT(TOO_LONG, endpoint_call, results[ANSWERED]);
	handle_close(thread);
	handle_close(endpoint);
}

static uint64_t call_once(void *argument)
{
	struct message message = {0};

	(void)argument;
	return endpoint_call(endpoint, &message);
}

TEST(ipc_reply_and_receive)
{
	struct worker clients[4];

	REQUIRE_OK(endpoint_create(&endpoint));
	for (unsigned i = 0; i < 4; i++)
		REQUIRE(worker_start(&clients[i], call_once, NULL));
	REQUIRE_OK(endpoint_receive(endpoint, with_info(0)));
	EXPECT_ERROR(INVALID_ARGUMENT, endpoint_reply_receive(endpoint, with_info(MESSAGE_WORDS + 1)));
	for (unsigned i = 1; i < 4; i++)
		EXPECT_OK(endpoint_reply_receive(endpoint, with_info(0)));
	EXPECT_ERROR(WOULD_BLOCK, endpoint_reply_receive(endpoint, with_info(MESSAGE_TRY)));
	// The last caller had its answer all the same.
	for (unsigned i = 0; i < 4; i++)
		EXPECT_EQUAL(worker_join(&clients[i]), ERR_OK);
	REQUIRE(worker_start(&clients[0], call_once, NULL));
	REQUIRE_OK(endpoint_receive(endpoint, with_info(0)));
	message_buffer()->deadline = after(5 * MILLISECOND);
	EXPECT_ERROR(TIMED_OUT, endpoint_reply_receive(endpoint, with_info(MESSAGE_DEADLINE)));
	EXPECT_EQUAL(worker_join(&clients[0]), ERR_OK);
	handle_close(endpoint);
}

// A child asks for three handles to a reply, each of which lacks a right, and tries them.
static uint64_t use_weak_replies(uint64_t argument)
{
	struct message message = {0};
	uint64_t copied, status;
	char byte;

	(void)argument;
	if (endpoint_call(child_given[0], &message) != ERR_OK)
		return 0;
	status = (uint64_t)reply_read(message.words[0], 0, 0, &byte, 1, &copied) << 16;
	status |= (uint64_t)reply_write(message.words[1], 0, 0, &byte, 1, &copied) << 8;
	status |= (uint64_t)memory_supply(message.words[1], 0, HANDLE_NONE, 0, PAGE_SIZE) << 24;
	status |= (uint64_t)reply_watch(message.words[2], HANDLE_NONE, 0) << 32;
	message.info = 0;
	return status | endpoint_reply(message.words[2], &message);
}

TEST(ipc_reply_rights)
{
	const rights_t all = RIGHT_READ | RIGHT_WRITE | RIGHT_SEND;
	struct message message = {.info = 0};
	struct worker client;
	struct child child;
	uint64_t status;
	handle_t reply;

	REQUIRE_OK(endpoint_create(&endpoint));
	REQUIRE(worker_start(&client, call_once, NULL));
	REQUIRE_OK(endpoint_receive(endpoint, &message));
	REQUIRE_OK(reply_save(&reply));
	REQUIRE(child_start(&child, use_weak_replies, 0, &endpoint, 1));
	REQUIRE_OK(endpoint_receive(endpoint, with_info(0)));
	EXPECT_OK(handle_grant(child.process, reply, all & ~RIGHT_READ, &message.words[0]));
	EXPECT_OK(handle_grant(child.process, reply, all & ~RIGHT_WRITE, &message.words[1]));
	EXPECT_OK(handle_grant(child.process, reply, all & ~RIGHT_SEND, &message.words[2]));
	message.info = MESSAGE_INFO(0, 3, 0);
	EXPECT_OK(endpoint_reply(HANDLE_NONE, &message));
	status = child_wait(&child).exit_status;
	EXPECT_LACKS(READ, reply_read, status >> 16 & 0xff);
	EXPECT_LACKS(SEND, reply_watch, status >> 32);
	EXPECT_LACKS(WRITE, memory_supply, status >> 24 & 0xff);
	EXPECT_LACKS(WRITE, reply_write, status >> 8 & 0xff);
	EXPECT_LACKS(SEND, endpoint_reply, status & 0xff);
	EXPECT_OK(endpoint_reply(reply, with_info(0)));
	EXPECT_EQUAL(worker_join(&client), ERR_OK);
	handle_close(endpoint);
}

// SPDX-License-Identifier: MIT
//
// IPC: buffers that a caller offers its server.

#include "test.h"
#include <string.h>

#define OFFERED_SIZE (3 * PAGE_SIZE + 100)

static char source[OFFERED_SIZE], target[OFFERED_SIZE], inside[OFFERED_SIZE];

// A thread that calls the test with buffers.
struct client {
	handle_t endpoint;
	struct worker worker;
	unsigned count;
	struct message_offer offers[MESSAGE_OFFERED];
};

static void offer(struct client *client, const void *address, uint64_t length, uint64_t flags)
{
	client->offers[client->count++] = (struct message_offer){.address_space = HANDLE_SELF,
		.address = (uintptr_t)address,
		.length = length,
		.flags = flags};
}

static uint64_t call_with_buffers(void *argument)
{
	struct client *client = argument;
	struct message message = {.info = MESSAGE_BUFFERS};

	client->worker.buffer->offered_count = client->count;
	for (unsigned i = 0; i < client->count; i++)
		client->worker.buffer->offered[i] = client->offers[i];
	return endpoint_call(client->endpoint, &message);
}

// Has it call, and takes the call.
static bool take_call(struct client *client)
{
	struct message message = {0};

	return endpoint_create(&client->endpoint) == ERR_OK &&
		worker_start(&client->worker, call_with_buffers, client) &&
		endpoint_receive(client->endpoint, &message) == ERR_OK;
}

static void answer(struct client *client)
{
	struct message message = {0};

	EXPECT_OK(endpoint_reply(HANDLE_NONE, &message));
	EXPECT_EQUAL(worker_join(&client->worker), ERR_OK);
	handle_close(client->endpoint);
}

TEST(ipc_offered_buffers)
{
	struct client client = {0};
	uint64_t copied;

	for (unsigned i = 0; i < OFFERED_SIZE; i++)
		source[i] = (char)(i * 7);
	offer(&client, source, OFFERED_SIZE, OFFER_READ);
	offer(&client, target, OFFERED_SIZE, OFFER_WRITE);
	REQUIRE(take_call(&client));
	EXPECT_OK(reply_read(HANDLE_NONE, 0, 0, inside, OFFERED_SIZE, &copied));
	EXPECT_EQUAL(copied, OFFERED_SIZE);
	EXPECT_OK(reply_write(HANDLE_NONE, 1, 0, inside, OFFERED_SIZE, &copied));
	EXPECT_EQUAL(copied, OFFERED_SIZE);
	EXPECT(memcmp(source, target, OFFERED_SIZE) == 0);
	EXPECT_ERROR(NO_RIGHTS, reply_read(HANDLE_NONE, 1, 0, inside, 1, &copied));
	EXPECT_ERROR(NO_RIGHTS, reply_write(HANDLE_NONE, 0, 0, inside, 1, &copied));
	answer(&client);
	EXPECT_ERROR(BAD_STATE, reply_read(HANDLE_NONE, 0, 0, inside, 1, &copied));
	EXPECT_ERROR(BAD_STATE, reply_write(HANDLE_NONE, 1, 0, inside, 1, &copied));
}

TEST(ipc_offered_buffers_have_ends)
{
	static const struct {
		uint64_t index, offset, length;
	} bad[] = {
		{1, 0, 1},
		{UINT64_MAX, 0, 1},
		{0, OFFERED_SIZE, 1},
		{0, UINT64_MAX, 1},
		{0, 1, OFFERED_SIZE},
		{0, UINT64_MAX - 1, OFFERED_SIZE},
	};
	struct client client = {0};
	uint64_t copied;

	offer(&client, source, OFFERED_SIZE, OFFER_READ | OFFER_WRITE);
	REQUIRE(take_call(&client));
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		EXPECT_ERROR(INVALID_ARGUMENT,
			reply_read(HANDLE_NONE, bad[i].index, bad[i].offset, inside, bad[i].length, &copied));
		EXPECT_ERROR(INVALID_ARGUMENT,
			reply_write(
				HANDLE_NONE, bad[i].index, bad[i].offset, inside, bad[i].length, &copied));
	}
	EXPECT_OK(reply_read(HANDLE_NONE, 0, OFFERED_SIZE - 1, inside, 1, &copied));
	answer(&client);
}

TEST(ipc_offered_buffers_that_are_not_there)
{
	struct client client = {0};
	uint64_t copied;

	offer(&client, (void *)0x12345000, 100, OFFER_READ);
	offer(&client, end_of_page(10), 100, OFFER_READ);
	offer(&client, (void *)(uintptr_t)take_call, 100, OFFER_WRITE); // read-only code
	REQUIRE(take_call(&client));
	EXPECT_ERROR(PEER_FAULT, reply_read(HANDLE_NONE, 0, 0, inside, 100, &copied));
	EXPECT_OK(reply_read(HANDLE_NONE, 1, 0, inside, 100, &copied));
	EXPECT_EQUAL(copied, 10);
	EXPECT_ERROR(PEER_FAULT, reply_write(HANDLE_NONE, 2, 0, inside, 100, &copied));
	answer(&client);
}

TEST(ipc_offered_buffers_of_one_that_is_gone)
{
	struct client client = {0};
	uint64_t copied;

	offer(&client, source, 100, OFFER_READ | OFFER_WRITE);
	REQUIRE(take_call(&client));
	EXPECT_OK(thread_kill(client.worker.thread, 3));
	EXPECT_EQUAL(worker_join(&client.worker), 3);
	EXPECT_ERROR(GONE, reply_read(HANDLE_NONE, 0, 0, inside, 1, &copied));
	EXPECT_ERROR(GONE, reply_write(HANDLE_NONE, 0, 0, inside, 1, &copied));
	EXPECT_ERROR(GONE, endpoint_reply(HANDLE_NONE, &(struct message){0}));
	handle_close(client.endpoint);
}

TEST(ipc_offers_that_are_refused)
{
	static const struct message_offer bad[] = {
		{HANDLE_SELF, UINTPTR_MAX, 2, OFFER_READ},
		{HANDLE_SELF, PAGE_SIZE, 10, 0},
		{HANDLE_SELF, PAGE_SIZE, 10, 8},
	};
	handle_t endpoint;

	REQUIRE_OK(endpoint_create(&endpoint));
	message_offer(0, source, 10, OFFER_READ);
	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		message_buffer()->offered[0] = bad[i];
		EXPECT_ERROR(INVALID_ARGUMENT,
			endpoint_call(endpoint, &(struct message){.info = MESSAGE_BUFFERS | MESSAGE_TRY}));
	}
	message_buffer()->offered_count = MESSAGE_OFFERED + 1;
	EXPECT_ERROR(INVALID_ARGUMENT,
		endpoint_call(endpoint, &(struct message){.info = MESSAGE_BUFFERS | MESSAGE_TRY}));
	handle_close(endpoint);
}

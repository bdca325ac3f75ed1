// SPDX-License-Identifier: MIT
//
// IPC: buffers that a caller offers its server.

#include "test.h"
#include <string.h>

#define OFFERED_SIZE (3 * PAGE_SIZE + 100)

static char source[OFFERED_SIZE], target[OFFERED_SIZE], inside[OFFERED_SIZE];

static uint64_t serve_buffers(void *argument)
{
	handle_t endpoint = *(handle_t *)argument;
	struct message message = {0};
	uint64_t copied = 0, wrong = 0;

	endpoint_receive(endpoint, &message);
	wrong |= (reply_read(HANDLE_NONE, 0, 0, inside, OFFERED_SIZE, &copied) != ERR_OK) << 0;
	wrong |= (copied != OFFERED_SIZE) << 1;
	wrong |= (reply_write(HANDLE_NONE, 1, 0, inside, OFFERED_SIZE, &copied) != ERR_OK) << 2;
	wrong |= (reply_read(HANDLE_NONE, 1, 0, inside, 1, &copied) != ERR_NO_RIGHTS) << 3;
	wrong |= (reply_write(HANDLE_NONE, 0, 0, inside, 1, &copied) != ERR_NO_RIGHTS) << 4;
	wrong |= (reply_read(HANDLE_NONE, 2, 0, inside, 1, &copied) != ERR_INVALID_ARGUMENT) << 5;
	wrong |= (reply_read(HANDLE_NONE, 0, OFFERED_SIZE, inside, 1, &copied) != ERR_INVALID_ARGUMENT) << 6;
	wrong |= (reply_read(HANDLE_NONE, 0, UINT64_MAX, inside, 1, &copied) != ERR_INVALID_ARGUMENT) << 7;
	wrong |= (reply_read(HANDLE_NONE, 0, 1, inside, OFFERED_SIZE, &copied) != ERR_INVALID_ARGUMENT) << 8;
	wrong |= (reply_read(HANDLE_NONE, 0, 0, NULL, 1, &copied) != ERR_BAD_ADDRESS) << 9;
	wrong |= (reply_read(HANDLE_NONE, UINT64_MAX, 0, inside, 1, &copied) != ERR_INVALID_ARGUMENT) << 10;
	message.info = 0;
	endpoint_reply(HANDLE_NONE, &message);
	wrong |= (reply_read(HANDLE_NONE, 0, 0, inside, 1, &copied) != ERR_BAD_STATE) << 11;
	return wrong;
}

TEST(ipc_offered_buffers)
{
	struct message message = {.info = MESSAGE_BUFFERS};
	struct worker worker;
	handle_t endpoint;

	for (unsigned i = 0; i < OFFERED_SIZE; i++)
		source[i] = (char)(i * 7);
	REQUIRE_OK(endpoint_create(&endpoint));
	REQUIRE(worker_start(&worker, serve_buffers, &endpoint));
	message_offer(0, source, OFFERED_SIZE, OFFER_READ);
	message_offer(1, target, OFFERED_SIZE, OFFER_WRITE);
	EXPECT_OK(endpoint_call(endpoint, &message));
	EXPECT_EQUAL(worker_join(&worker), 0);
	EXPECT(memcmp(source, target, OFFERED_SIZE) == 0);
	handle_close(endpoint);
}

static uint64_t serve_faulty(void *argument)
{
	struct message message = {0};
	uint64_t copied = 0, wrong = 0;

	endpoint_receive(*(handle_t *)argument, &message);
	wrong |= (reply_read(HANDLE_NONE, 0, 0, inside, 100, &copied) != ERR_PEER_FAULT) << 0;
	wrong |= (reply_read(HANDLE_NONE, 1, 0, inside, 100, &copied) != ERR_OK || copied != 10) << 1;
	wrong |= (reply_write(HANDLE_NONE, 2, 0, inside, 100, &copied) != ERR_PEER_FAULT) << 2;
	message.info = 0;
	endpoint_reply(HANDLE_NONE, &message);
	return wrong;
}

TEST(ipc_offered_buffers_that_are_not_there)
{
	struct message message = {.info = MESSAGE_BUFFERS};
	struct worker worker;
	handle_t endpoint;

	REQUIRE_OK(endpoint_create(&endpoint));
	REQUIRE(worker_start(&worker, serve_faulty, &endpoint));
	message_offer(0, (void *)0x12345000, 100, OFFER_READ);
	message_offer(1, end_of_page(10), 100, OFFER_READ);
	message_offer(2, (void *)(uintptr_t)serve_faulty, 100, OFFER_WRITE); // read-only code
	EXPECT_OK(endpoint_call(endpoint, &message));
	EXPECT_EQUAL(worker_join(&worker), 0);
	message.info = MESSAGE_BUFFERS;
	message_offer(0, (void *)UINTPTR_MAX, 2, OFFER_READ);
	EXPECT_ERROR(INVALID_ARGUMENT, endpoint_call(endpoint, &message));
	message.info = MESSAGE_BUFFERS;
	message_offer(0, source, 10, 0);
	EXPECT_ERROR(INVALID_ARGUMENT, endpoint_call(endpoint, &message));
	message.info = MESSAGE_BUFFERS;
	message_offer(0, source, 10, 8);
	EXPECT_ERROR(INVALID_ARGUMENT, endpoint_call(endpoint, &message));
	message.info = MESSAGE_BUFFERS;
	message_buffer()->offered_count = 5;
	EXPECT_ERROR(INVALID_ARGUMENT, endpoint_call(endpoint, &message));
	handle_close(endpoint);
}

// SPDX-License-Identifier: MIT
//
// What cannot be derived while something derived from the same object is being revoked. The revoking thread has a lower
// priority on the same CPU, so it stands still where the test goes on, and the number of handles tells how far it is.

#include "test.h"

#define DERIVED 10000
#define LOWER   50

static handle_t subject;

static uint64_t revoke_subject(void *argument)
{
	(void)argument;
	return handle_revoke(subject);
}

static uint64_t receive_once(void *argument)
{
	struct message message = {0};

	return endpoint_receive(*(handle_t *)argument, &message);
}

static uint64_t handles_now(void)
{
	struct process_info info = {0};

	EXPECT_OK(process_info(HANDLE_SELF, &info));
	return info.handle_count;
}

// Derives much from the subject and has it revoked until some of that is gone; `left`: how much is not.
static bool begin_once(struct worker *revoker, uint64_t *left)
{
	struct thread_attributes attributes = {.name = "revoker", .affinity = 1, .priority = LOWER};
	uint64_t base;
	handle_t derived;

	for (unsigned i = 0; i < DERIVED; i++)
		if (handle_duplicate(subject, 0, &derived) != ERR_OK)
			return false;
	base = handles_now() - DERIVED + 1; // with the revoker's
	if (!worker_start_with(revoker, revoke_subject, NULL, &attributes))
		return false;
	while (handles_now() == base + DERIVED)
		EXPECT_OK(thread_sleep(after(MILLISECOND / 10)));
	*left = handles_now() - base;
	return true;
}

// A timer interrupt may be so late that all is gone when it comes: then once more.
static bool begin_revoke(struct worker *revoker)
{
	uint64_t left = 0;

	EXPECT_OK(thread_set_affinity(HANDLE_SELF, 1));
	while (begin_once(revoker, &left)) {
		if (left > 0)
			return true;
		EXPECT_EQUAL(worker_join(revoker), ERR_OK);
	}
	return false;
}

static void end_revoke(struct worker *revoker)
{
	EXPECT_EQUAL(worker_join(revoker), ERR_OK);
	EXPECT_OK(thread_set_affinity(HANDLE_SELF, UINT64_MAX));
	EXPECT_OK(handle_close(subject));
}

static struct message *carrying_subject(void)
{
	static struct message message;

	message_buffer()->capabilities[0] = subject;
	message.info = MESSAGE_INFO(0, 0, 1) | MESSAGE_TRY;
	return &message;
}

TEST(busy_while_revoked_handles)
{
	struct worker revoker;
	handle_t process, derived;

	REQUIRE_OK(process_create(start_handle(START_ACCOUNT), "target", &process));
	REQUIRE_OK(notification_create(&subject));
	REQUIRE(begin_revoke(&revoker));
	EXPECT_ERROR(BUSY, handle_duplicate(subject, RIGHTS_SAME, &derived));
	EXPECT_ERROR(BUSY, handle_mint(subject, RIGHTS_SAME, 1, &derived));
	EXPECT_ERROR(BUSY, handle_grant(process, subject, RIGHTS_SAME, &derived));
	end_revoke(&revoker);
	handle_close(process);
}

TEST(busy_while_revoked_mappings)
{
	struct map_request request = {.length = PAGE_SIZE, .flags = MAPPING_READ};
	struct worker revoker;
	uint64_t address;

	REQUIRE_OK(memory_create(PAGE_SIZE, 0, &subject));
	REQUIRE(begin_revoke(&revoker));
	request.memory = subject;
	EXPECT_ERROR(BUSY, address_space_map(HANDLE_SELF, &request, &address));
	end_revoke(&revoker);
}

static uint64_t call_once(void *argument)
{
	struct message message = {0};

	return endpoint_call(*(handle_t *)argument, &message);
}

TEST(busy_while_revoked_messages)
{
	struct worker receiver, caller, revoker;
	handle_t endpoint, called;
	struct message message = {0};

	REQUIRE_OK(endpoint_create(&endpoint));
	REQUIRE_OK(endpoint_create(&called));
	REQUIRE(worker_start(&caller, call_once, &called));
	REQUIRE_OK(endpoint_receive(called, &message));
	REQUIRE(worker_start(&receiver, receive_once, &endpoint));
	EXPECT(wait_for_state(receiver.thread, THREAD_BLOCKED));
	REQUIRE_OK(notification_create(&subject));
	REQUIRE(begin_revoke(&revoker));
	EXPECT_ERROR(BUSY, endpoint_call(endpoint, carrying_subject()));
	EXPECT_ERROR(BUSY, endpoint_send(endpoint, carrying_subject()));
	message = *carrying_subject();
	message.info &= ~MESSAGE_TRY;
	EXPECT_ERROR(BUSY, endpoint_reply(HANDLE_NONE, &message));
	end_revoke(&revoker);
	EXPECT_RESULT(BUSY, endpoint_call, worker_join(&caller));
	message.info = 0;
	EXPECT_OK(endpoint_send(endpoint, &message));
	EXPECT_EQUAL(worker_join(&receiver), ERR_OK);
	handle_close(endpoint);
	handle_close(called);
}

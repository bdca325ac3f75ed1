// SPDX-License-Identifier: MIT
//
// Handles: stale, foreign, of the wrong type, with too few rights; duplicates and badges.

#include "test.h"

TEST(handle_close_makes_it_stale)
{
	handle_t handle, other;

	REQUIRE_OK(notification_create(&handle));
	EXPECT_OK(handle_close(handle));
	EXPECT_ERROR(BAD_HANDLE, handle_close(handle));
	EXPECT_ERROR(BAD_HANDLE, notification_signal(handle, 1));
	// The slot is used again, the old handle is not.
	REQUIRE_OK(notification_create(&other));
	EXPECT(other != handle);
	EXPECT_ERROR(BAD_HANDLE, notification_signal(handle, 1));
	EXPECT_OK(handle_close(other));
}

TEST(handle_values_that_were_never_given)
{
	static const handle_t values[] = {0, 1, 2, 3, UINT32_MAX, UINT64_MAX - 1, (uint64_t)1 << 63,
		(uint64_t)0xffff << 32, (uint64_t)1 << 32 | 0xfffffff, (uint64_t)1 << 32 | 65536};
	handle_t duplicate;

	for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		EXPECT_ERROR(BAD_HANDLE, handle_duplicate(values[i], RIGHTS_SAME, &duplicate));
		EXPECT_ERROR(BAD_HANDLE, handle_close(values[i]));
	}
}

TEST(handle_of_a_wrong_type)
{
	handle_t notification, endpoint;
	uint64_t bits;

	REQUIRE_OK(notification_create(&notification));
	REQUIRE_OK(endpoint_create(&endpoint));
	EXPECT_ERROR(WRONG_TYPE, notification_signal(endpoint, 1));
	EXPECT_ERROR(WRONG_TYPE, notification_poll(endpoint, &bits));
	EXPECT_ERROR(WRONG_TYPE, thread_suspend(notification));
	EXPECT_ERROR(WRONG_TYPE, process_kill(notification, 0));
	handle_close(notification);
	handle_close(endpoint);
}

TEST(handle_duplicate_with_fewer_rights)
{
	handle_t all, send;
	struct handle_info info;
	uint64_t bits;

	REQUIRE_OK(notification_create(&all));
	REQUIRE_OK(handle_duplicate(all, RIGHT_SEND | RIGHT_DUPLICATE, &send));
	REQUIRE_OK(handle_info(send, &info));
	EXPECT_EQUAL(info.rights, RIGHT_SEND | RIGHT_DUPLICATE);
	EXPECT_EQUAL(info.type, OBJECT_NOTIFICATION);
	EXPECT_OK(notification_signal(send, 4));
	EXPECT_ERROR(NO_RIGHTS, notification_poll(send, &bits));
	EXPECT_OK(notification_poll(all, &bits));
	EXPECT_EQUAL(bits, 4);
	handle_close(send);
	handle_close(all);
}

TEST(handle_duplicate_never_adds_rights)
{
	handle_t all, fewer, more;

	REQUIRE_OK(notification_create(&all));
	REQUIRE_OK(handle_duplicate(all, RIGHT_SEND | RIGHT_DUPLICATE, &fewer));
	EXPECT_ERROR(NO_RIGHTS, handle_duplicate(fewer, RIGHT_SEND | RIGHT_RECEIVE, &more));
	EXPECT_ERROR(NO_RIGHTS, handle_mint(fewer, RIGHT_RECEIVE, 1, &more));
	handle_close(fewer);
	fewer = without(all, RIGHT_DUPLICATE);
	EXPECT_ERROR(NO_RIGHTS, handle_duplicate(fewer, RIGHT_SEND, &more));
	handle_close(fewer);
	handle_close(all);
}

TEST(handle_mint_gives_a_badge)
{
	handle_t plain, minted, again;
	struct handle_info info;
	uint64_t bits;

	REQUIRE_OK(notification_create(&plain));
	EXPECT_ERROR(INVALID_ARGUMENT, handle_mint(plain, RIGHTS_SAME, 0, &minted));
	REQUIRE_OK(handle_mint(plain, RIGHTS_SAME, 0x30, &minted));
	EXPECT_ERROR(BAD_STATE, handle_mint(minted, RIGHTS_SAME, 1, &again));
	REQUIRE_OK(handle_info(minted, &info));
	EXPECT_EQUAL(info.badge, 0x30);
	EXPECT_OK(notification_signal(minted, 1));
	EXPECT_OK(notification_poll(plain, &bits));
	EXPECT_EQUAL(bits, 0x30);
	handle_close(minted);
	handle_close(plain);
}

TEST(handle_mint_only_what_has_badges)
{
	handle_t memory, minted;

	REQUIRE_OK(memory_create(PAGE_SIZE, 0, &memory));
	EXPECT_ERROR(WRONG_TYPE, handle_mint(memory, RIGHTS_SAME, 1, &minted));
	handle_close(memory);
}

TEST(handle_info_tells_one_object)
{
	handle_t a, b, c;
	struct handle_info of_a, of_b, of_c;
	void *bad;

	REQUIRE_OK(notification_create(&a));
	REQUIRE_OK(handle_duplicate(a, RIGHT_SEND, &b));
	REQUIRE_OK(notification_create(&c));
	EXPECT_OK(handle_info(a, &of_a));
	EXPECT_OK(handle_info(b, &of_b));
	EXPECT_OK(handle_info(c, &of_c));
	EXPECT_EQUAL(of_a.object_id, of_b.object_id);
	EXPECT(of_a.object_id != of_c.object_id);
	for (unsigned i = 0; bad_pointer(i, &bad); i++)
		EXPECT_ERROR(BAD_ADDRESS, handle_info(a, bad));
	EXPECT_ERROR(BAD_ADDRESS, handle_info(a, end_of_page(sizeof(struct handle_info) - 1)));
	handle_close(a);
	handle_close(b);
	handle_close(c);
}

TEST(handle_grant_needs_its_rights)
{
	handle_t process, notification, fewer, granted;

	REQUIRE_OK(process_create(start_handle(START_ACCOUNT), "grant", &process));
	REQUIRE_OK(notification_create(&notification));
	EXPECT_OK(handle_grant(process, notification, RIGHT_SEND, &granted));
	// A value of another table means nothing here, or not that.
	fewer = without(notification, RIGHT_TRANSFER);
	EXPECT_ERROR(NO_RIGHTS, handle_grant(process, fewer, RIGHTS_SAME, &granted));
	handle_close(fewer);
	fewer = without(process, RIGHT_GRANT);
	EXPECT_ERROR(NO_RIGHTS, handle_grant(fewer, notification, RIGHTS_SAME, &granted));
	handle_close(fewer);
	EXPECT_OK(process_kill(process, 0));
	EXPECT_ERROR(BAD_STATE, handle_grant(process, notification, RIGHTS_SAME, &granted));
	handle_close(process);
	handle_close(notification);
}

TEST(handle_table_holds_many)
{
	enum { MANY = 5000 };
	static handle_t handles[MANY];
	handle_t notification;
	unsigned made = 0;

	REQUIRE_OK(notification_create(&notification));
	while (made < MANY && handle_duplicate(notification, RIGHTS_SAME, &handles[made]) == ERR_OK)
		made++;
	EXPECT_EQUAL(made, MANY);
	while (made > 0)
		EXPECT_OK(handle_close(handles[--made]));
	handle_close(notification);
}

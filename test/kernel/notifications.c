// SPDX-License-Identifier: MIT
//
// Notifications and timers.

#include "test.h"

TEST(notification_collects_bits)
{
	handle_t notification;
	uint64_t bits;

	REQUIRE_OK(notification_create(&notification));
	EXPECT_ERROR(WOULD_BLOCK, notification_poll(notification, &bits));
	EXPECT_ERROR(INVALID_ARGUMENT, notification_signal(notification, 0));
	EXPECT_OK(notification_signal(notification, 1));
	EXPECT_OK(notification_signal(notification, 4));
	EXPECT_OK(notification_wait(notification, DEADLINE_NEVER, &bits));
	EXPECT_EQUAL(bits, 5);
	EXPECT_ERROR(WOULD_BLOCK, notification_poll(notification, &bits));
	handle_close(notification);
}

TEST(notification_wait_times_out)
{
	handle_t notification;
	uint64_t bits, start = now();

	REQUIRE_OK(notification_create(&notification));
	EXPECT_ERROR(TIMED_OUT, notification_wait(notification, after(20 * MILLISECOND), &bits));
	EXPECT(now() - start >= 20 * MILLISECOND);
	EXPECT_ERROR(TIMED_OUT, notification_wait(notification, 0, &bits));
	EXPECT_ERROR(TIMED_OUT, notification_wait(notification, now(), &bits));
	handle_close(notification);
}

static uint64_t signal_soon(void *argument)
{
	thread_sleep(after(5 * MILLISECOND));
	notification_signal(*(handle_t *)argument, 0x80);
	return 0;
}

TEST(notification_wakes_a_waiter)
{
	handle_t notification;
	struct worker worker;
	uint64_t bits = 0;

	REQUIRE_OK(notification_create(&notification));
	REQUIRE(worker_start(&worker, signal_soon, &notification));
	EXPECT_OK(notification_wait(notification, after(5000 * MILLISECOND), &bits));
	EXPECT_EQUAL(bits, 0x80);
	worker_join(&worker);
	handle_close(notification);
}

static uint64_t wait_for_bits(void *argument)
{
	uint64_t bits = 0;

	return (uint64_t)notification_wait(*(handle_t *)argument, DEADLINE_NEVER, &bits) << 32 | bits;
}

TEST(notification_closed_under_its_waiter)
{
	handle_t notification;
	struct worker worker;

	REQUIRE_OK(notification_create(&notification));
	REQUIRE(worker_start(&worker, wait_for_bits, &notification));
	EXPECT(wait_for_state(worker.thread, THREAD_BLOCKED));
	EXPECT_OK(handle_close(notification));
	EXPECT_RESULT(PEER_CLOSED, notification_wait, worker_join(&worker) >> 32);
}

TEST(notification_rights)
{
	handle_t notification, fewer;
	uint64_t bits;

	REQUIRE_OK(notification_create(&notification));
	fewer = without(notification, RIGHT_SEND);
	EXPECT_ERROR(NO_RIGHTS, notification_signal(fewer, 1));
	handle_close(fewer);
	fewer = without(notification, RIGHT_RECEIVE);
	EXPECT_ERROR(NO_RIGHTS, notification_wait(fewer, 0, &bits));
	EXPECT_ERROR(NO_RIGHTS, notification_poll(fewer, &bits));
	handle_close(fewer);
	handle_close(notification);
}

TEST(timer_fires_once)
{
	handle_t notification, timer;
	uint64_t bits, deadline = after(10 * MILLISECOND);

	REQUIRE_OK(notification_create(&notification));
	REQUIRE_OK(timer_object_create(notification, 2, &timer));
	EXPECT_OK(timer_set(timer, deadline, 0));
	EXPECT_OK(notification_wait(notification, after(5000 * MILLISECOND), &bits));
	EXPECT_EQUAL(bits, 2);
	EXPECT(now() >= deadline);
	EXPECT_ERROR(TIMED_OUT, notification_wait(notification, after(20 * MILLISECOND), &bits));
	handle_close(timer);
	handle_close(notification);
}

TEST(timer_is_periodic)
{
	handle_t notification, timer;
	uint64_t bits, start = now();

	REQUIRE_OK(notification_create(&notification));
	REQUIRE_OK(timer_object_create(notification, 1, &timer));
	EXPECT_OK(timer_set(timer, after(2 * MILLISECOND), 2 * MILLISECOND));
	for (unsigned i = 0; i < 5; i++)
		EXPECT_OK(notification_wait(notification, after(5000 * MILLISECOND), &bits));
	EXPECT(now() - start >= 10 * MILLISECOND);
	EXPECT_OK(timer_cancel(timer));
	notification_poll(notification, &bits);
	EXPECT_ERROR(TIMED_OUT, notification_wait(notification, after(20 * MILLISECOND), &bits));
	handle_close(timer);
	handle_close(notification);
}

TEST(timer_arguments_and_rights)
{
	handle_t notification, timer, fewer;

	REQUIRE_OK(notification_create(&notification));
	EXPECT_ERROR(INVALID_ARGUMENT, timer_object_create(notification, 0, &timer));
	fewer = without(notification, RIGHT_SEND);
	EXPECT_ERROR(NO_RIGHTS, timer_object_create(fewer, 1, &timer));
	handle_close(fewer);
	REQUIRE_OK(timer_object_create(notification, 1, &timer));
	EXPECT_ERROR(INVALID_ARGUMENT, timer_set(timer, 0, 999));
	fewer = without(timer, RIGHT_CONTROL);
	EXPECT_ERROR(NO_RIGHTS, timer_set(fewer, 0, 0));
	EXPECT_ERROR(NO_RIGHTS, timer_cancel(fewer));
	handle_close(fewer);
	handle_close(timer);
	handle_close(notification);
}

TEST(timer_period_beyond_the_end_of_time)
{
	handle_t notification, timer;
	uint64_t bits;

	REQUIRE_OK(notification_create(&notification));
	REQUIRE_OK(timer_object_create(notification, 1, &timer));
	EXPECT_OK(timer_set(timer, now(), UINT64_MAX));
	EXPECT_OK(notification_wait(notification, after(5000 * MILLISECOND), &bits));
	EXPECT_ERROR(TIMED_OUT, notification_wait(notification, after(20 * MILLISECOND), &bits));
	EXPECT_OK(timer_cancel(timer));
	handle_close(timer);
	handle_close(notification);
}

TEST(clock_never_goes_back)
{
	uint64_t last = now();

	for (unsigned i = 0; i < 10000; i++) {
		uint64_t time = 0;

		EXPECT_OK(clock_get(&time));
		EXPECT(time >= last);
		last = time;
	}
}

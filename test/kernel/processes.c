// SPDX-License-Identifier: MIT
//
// Processes: their making, their end and what is told of it.

#include "isa.h"
#include "test.h"
#include <string.h>

static uint64_t exit_with(uint64_t status)
{
	return status;
}

TEST(process_exits_with_a_status)
{
	struct process_info info;
	struct child child;

	REQUIRE(child_start(&child, exit_with, 321, NULL, 0));
	info = child_wait(&child);
	EXPECT_EQUAL(info.state, PROCESS_EXITED);
	EXPECT_EQUAL(info.reason, EXIT_NORMAL);
	EXPECT_EQUAL(info.exit_status, 321);
	EXPECT_EQUAL(info.thread_count, 0);
	EXPECT_EQUAL(info.handle_count, 0);
	EXPECT(strcmp(info.name, "child") == 0);
}

static uint64_t end_thread(uint64_t status)
{
	thread_exit(status);
	return 0;
}

TEST(process_ends_with_its_last_thread)
{
	struct process_info info;
	struct child child;

	REQUIRE(child_start(&child, end_thread, 17, NULL, 0));
	info = child_wait(&child);
	EXPECT_EQUAL(info.reason, EXIT_NORMAL);
	EXPECT_EQUAL(info.exit_status, 17);
}

static uint64_t wait_for_ever(uint64_t argument)
{
	(void)argument;
	thread_sleep(DEADLINE_NEVER);
	return 0;
}

static uint64_t compute_for_ever(uint64_t argument)
{
	for (;;)
		__asm__ volatile("" : "+r"(argument));
	return argument;
}

TEST(process_is_killed)
{
	uint64_t (*const functions[])(uint64_t) = {wait_for_ever, compute_for_ever};

	for (unsigned i = 0; i < 2; i++) {
		struct process_info info;
		struct child child;

		REQUIRE(child_start(&child, functions[i], 0, NULL, 0));
		thread_sleep(after(5 * MILLISECOND));
		EXPECT_OK(process_info(child.process, &info));
		EXPECT_EQUAL(info.state, PROCESS_RUNNING);
		EXPECT_EQUAL(info.thread_count, 1);
		EXPECT_OK(process_kill(child.process, 99));
		info = child_wait(&child);
		EXPECT_EQUAL(info.reason, EXIT_KILLED);
		EXPECT_EQUAL(info.exit_status, 99);
	}
}

TEST(process_that_never_ran)
{
	struct process_info info;
	handle_t process;

	REQUIRE_OK(process_create(start_handle(START_ACCOUNT), "idle", &process));
	EXPECT_OK(process_info(process, &info));
	EXPECT_EQUAL(info.state, PROCESS_CREATED);
	EXPECT(info.id != 0);
	EXPECT_OK(process_kill(process, 3));
	EXPECT_ERROR(BAD_STATE, process_kill(process, 4));
	EXPECT_OK(process_info(process, &info));
	EXPECT_EQUAL(info.state, PROCESS_EXITED);
	EXPECT_EQUAL(info.exit_status, 3);
	handle_close(process);
}

TEST(process_arguments_and_rights)
{
	handle_t process, fewer, notification, space;
	struct process_info info;
	void *bad;

	EXPECT_ERROR(TOO_LONG,
		process_create(
			start_handle(START_ACCOUNT), "a name that is longer than any name may be", &process));
	for (unsigned i = 0; bad_pointer(i, &bad); i++)
		EXPECT_ERROR(BAD_ADDRESS, process_create(start_handle(START_ACCOUNT), bad, &process));
	EXPECT_ERROR(BAD_ADDRESS,
		process_create(start_handle(START_ACCOUNT), memset(end_of_page(3), 'x', 3), &process));
	EXPECT_ERROR(BAD_HANDLE, process_create(99, "x", &process));
	REQUIRE_OK(process_create(start_handle(START_ACCOUNT), "rights", &process));
	REQUIRE_OK(notification_create(&notification));
	fewer = without(process, RIGHT_KILL | RIGHT_READ | RIGHT_BIND | RIGHT_CONTROL);
	EXPECT_ERROR(NO_RIGHTS, process_kill(fewer, 0));
	EXPECT_ERROR(NO_RIGHTS, process_info(fewer, &info));
	EXPECT_ERROR(NO_RIGHTS, process_watch(fewer, notification, 1));
	EXPECT_ERROR(NO_RIGHTS, process_address_space(fewer, &space));
	handle_close(fewer);
	EXPECT_ERROR(INVALID_ARGUMENT, process_watch(process, notification, 0));
	fewer = without(notification, RIGHT_SEND);
	EXPECT_ERROR(NO_RIGHTS, process_watch(process, fewer, 1));
	handle_close(fewer);
	handle_close(notification);
	process_kill(process, 0);
	handle_close(process);
}

TEST(process_foreign_handles_mean_nothing)
{
	// The child has nothing but what it was given: our values are stale or foreign there.
	struct process_info info;
	struct child child;
	handle_t notification;

	REQUIRE_OK(notification_create(&notification));
	REQUIRE(child_start(&child, (uint64_t(*)(uint64_t))(uintptr_t)handle_close, notification, NULL, 0));
	info = child_wait(&child);
	EXPECT_EQUAL(info.exit_status, ERR_BAD_HANDLE);
	EXPECT_OK(notification_signal(notification, 1));
	handle_close(notification);
}

TEST(process_gives_everything_back)
{
	handle_t system = start_handle(START_SYSTEM);
	struct system_info before, later;

	fill_kept();
	for (unsigned round = 0; round < 2; round++) {
		settled_info(system, &before);
		for (unsigned i = 0; i < 20; i++) {
			struct child child;

			REQUIRE(child_start(&child, exit_with, i, NULL, 0));
			child_wait(&child);
		}
	}
	// The last round found every cache warm.
	expect_as_before(system, &before, &later);
}

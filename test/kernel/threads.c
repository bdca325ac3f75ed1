// SPDX-License-Identifier: MIT
//
// Threads: attributes, states, ending, joining, suspending.

#include "isa.h"
#include "test.h"
#include <string.h>

static uint64_t give_back(void *argument)
{
	return (uintptr_t)argument * 2;
}

TEST(thread_gets_its_argument_and_gives_a_status)
{
	struct worker worker;

	REQUIRE(worker_start(&worker, give_back, (void *)21));
	EXPECT_EQUAL(worker_join(&worker), 42);
}

static _Atomic uint32_t clear_tid;

static void on_own_stack(uint64_t argument)
{
	volatile char deep[256 * 1024]; // demand-mapped, well inside the default of 1 MiB

	deep[0] = (char)argument;
	thread_exit(argument + (uint64_t)deep[0]);
}

TEST(thread_defaults)
{
	struct thread_attributes attributes = {.entry = (uintptr_t)on_own_stack, .argument = 5};
	struct thread_info info;
	handle_t thread;
	uint64_t status;

	attributes.flags = THREAD_SUSPENDED;
	strcpy(attributes.name, "defaults");
	REQUIRE_OK(thread_create(HANDLE_SELF, &attributes, &thread));
	REQUIRE_OK(thread_info(thread, &info));
	EXPECT(strcmp(info.name, "defaults") == 0);
	EXPECT_EQUAL(info.stack_end - info.stack_start, THREAD_STACK_SIZE_DEFAULT);
	EXPECT_EQUAL(info.suspended, 1);
	EXPECT_EQUAL(info.cpu_time, 0);
	EXPECT(info.id != 0);
	EXPECT_OK(thread_resume(thread));
	EXPECT_OK(thread_join(thread, after(5000 * MILLISECOND), &status));
	EXPECT_EQUAL(status, 10);
	EXPECT_OK(thread_info(thread, &info));
	EXPECT(info.state == THREAD_ZOMBIE || info.state == THREAD_DEAD);
	EXPECT_EQUAL(info.exit_status, 10);
	handle_close(thread);
}

TEST(thread_bad_attributes)
{
	struct thread_attributes good = {.entry = (uintptr_t)on_own_stack};
	struct thread_attributes bad;
	handle_t thread, fewer, process, notification;
	void *pointer;

	bad = good;
	bad.entry = ISA_KERNEL_ADDRESS;
	EXPECT_ERROR(INVALID_ARGUMENT, thread_create(HANDLE_SELF, &bad, &thread));
	bad = good;
	bad.stack_size = PAGE_SIZE + 1;
	EXPECT_ERROR(INVALID_ARGUMENT, thread_create(HANDLE_SELF, &bad, &thread));
	bad = good;
	bad.kernel_stack_size = 1 << 30;
	EXPECT_ERROR(INVALID_ARGUMENT, thread_create(HANDLE_SELF, &bad, &thread));
	bad = good;
	bad.priority = 256;
	EXPECT_ERROR(INVALID_ARGUMENT, thread_create(HANDLE_SELF, &bad, &thread));
	bad = good;
	bad.flags = 0x80000000;
	EXPECT_ERROR(INVALID_ARGUMENT, thread_create(HANDLE_SELF, &bad, &thread));
	bad = good;
	bad.affinity = (uint64_t)1 << 63;
	EXPECT_ERROR(INVALID_ARGUMENT, thread_create(HANDLE_SELF, &bad, &thread));
	bad = good;
	bad.message_buffer = 12345;
	EXPECT_ERROR(INVALID_ARGUMENT, thread_create(HANDLE_SELF, &bad, &thread));
	bad = good;
	bad.message_buffer = ISA_KERNEL_ADDRESS & ~(PAGE_SIZE - 1);
	EXPECT_ERROR(INVALID_ARGUMENT, thread_create(HANDLE_SELF, &bad, &thread));
	bad = good;
	bad.tls_base = ISA_KERNEL_ADDRESS;
	EXPECT_ERROR(INVALID_ARGUMENT, thread_create(HANDLE_SELF, &bad, &thread));
	bad = good;
	bad.clear_tid_address = 3;
	EXPECT_ERROR(INVALID_ARGUMENT, thread_create(HANDLE_SELF, &bad, &thread));
	bad = good;
	memset(bad.name, 'x', sizeof(bad.name));
	EXPECT(thread_create(HANDLE_SELF, &bad, &thread) != ERR_OK);
	bad = good;
	bad.message_buffer = (uintptr_t)&clear_tid & ~(PAGE_SIZE - 1);
	EXPECT_ERROR(EXISTS, thread_create(HANDLE_SELF, &bad, &thread));
	bad = good;
	bad.fault_endpoint = 4711;
	EXPECT_ERROR(BAD_HANDLE, thread_create(HANDLE_SELF, &bad, &thread));
	for (unsigned i = 0; bad_pointer(i, &pointer); i++)
		EXPECT_ERROR(BAD_ADDRESS, thread_create(HANDLE_SELF, pointer, &thread));
	REQUIRE_OK(process_create(start_handle(START_ACCOUNT), "none", &process));
	fewer = without(process, RIGHT_CONTROL);
	EXPECT_ERROR(NO_RIGHTS, thread_create(fewer, &good, &thread));
	handle_close(fewer);
	EXPECT_OK(process_kill(process, 0));
	EXPECT_ERROR(BAD_STATE, thread_create(process, &good, &thread));
	handle_close(process);
	REQUIRE_OK(notification_create(&notification));
	EXPECT_ERROR(WRONG_TYPE, thread_create(notification, &good, &thread));
	handle_close(notification);
}

static uint64_t spin(void *argument)
{
	volatile uint64_t *count = argument;

	for (;;)
		(*count)++;
	return 0;
}

TEST(thread_kill_one_that_computes)
{
	volatile uint64_t count = 0;
	struct worker worker;
	uint64_t seen;

	REQUIRE(worker_start(&worker, spin, (void *)(uintptr_t)&count));
	while (count == 0)
		thread_sleep(after(MILLISECOND));
	EXPECT_OK(thread_kill(worker.thread, 77));
	seen = count;
	thread_sleep(after(2 * MILLISECOND));
	EXPECT_EQUAL(count, seen);
	EXPECT_EQUAL(worker_join(&worker), 77);
}

// Its end does not wait until the one that has the higher priority lets it run.
TEST(thread_kill_one_below_another_that_computes)
{
	struct thread_attributes high = {.name = "high", .affinity = 1, .priority = 100};
	struct thread_attributes low = {.name = "low", .affinity = 1, .priority = 50};
	volatile uint64_t counts[2] = {0};
	struct worker above, below;
	uint64_t status;

	REQUIRE(worker_start_with(&below, spin, (void *)(uintptr_t)&counts[0], &low));
	while (counts[0] == 0)
		thread_sleep(after(MILLISECOND));
	REQUIRE(worker_start_with(&above, spin, (void *)(uintptr_t)&counts[1], &high));
	while (counts[1] == 0)
		thread_sleep(after(MILLISECOND));
	EXPECT_OK(thread_kill(below.thread, 1));
	EXPECT_OK(thread_join(below.thread, after(2000 * MILLISECOND), &status));
	EXPECT_OK(thread_kill(above.thread, 2));
	EXPECT_EQUAL(worker_join(&above), 2);
	worker_forget(&below);
}

// A CPU that is forbidden to a thread runs it no more: on the only one that it has left another one comes first.
TEST(thread_leaves_a_forbidden_cpu_at_once)
{
	struct thread_attributes high = {.name = "high", .affinity = 2, .priority = 100};
	struct thread_attributes low = {.name = "low", .affinity = 4, .priority = 50};
	volatile uint64_t counts[2] = {0};
	struct worker above, mover;
	struct system_info info;

	REQUIRE_OK(system_info(start_handle(START_SYSTEM), &info));
	if (info.cpu_count < 3)
		return;
	EXPECT_OK(thread_set_affinity(HANDLE_SELF, 1));
	REQUIRE(worker_start_with(&above, spin, (void *)(uintptr_t)&counts[0], &high));
	REQUIRE(worker_start_with(&mover, spin, (void *)(uintptr_t)&counts[1], &low));
	while (counts[0] == 0)
		thread_sleep(after(MILLISECOND));
	for (unsigned i = 0; i < 50; i++) {
		uint64_t seen = counts[1];

		while (counts[1] == seen)
			thread_sleep(after(MILLISECOND / 10));
		EXPECT_OK(thread_set_affinity(mover.thread, 2));
		seen = counts[1];
		thread_sleep(after(MILLISECOND / 10));
		EXPECT_EQUAL(counts[1], seen);
		EXPECT_OK(thread_set_affinity(mover.thread, 4));
	}
	EXPECT_OK(thread_set_affinity(HANDLE_SELF, UINT64_MAX));
	thread_kill(above.thread, 0);
	thread_kill(mover.thread, 0);
	worker_join(&above);
	worker_join(&mover);
}

static uint64_t sleep_long(void *argument)
{
	(void)argument;
	return thread_sleep(DEADLINE_NEVER);
}

TEST(thread_kill_one_that_sleeps)
{
	struct worker worker;
	uint64_t status;

	REQUIRE(worker_start(&worker, sleep_long, NULL));
	EXPECT(wait_for_state(worker.thread, THREAD_SLEEPING));
	EXPECT_ERROR(TIMED_OUT, thread_join(worker.thread, after(MILLISECOND), &status));
	EXPECT_OK(thread_kill(worker.thread, 1));
	EXPECT_OK(thread_join(worker.thread, after(5000 * MILLISECOND), &status));
	EXPECT_EQUAL(status, 1);
	EXPECT_ERROR(BAD_STATE, thread_kill(worker.thread, 1));
	EXPECT_ERROR(BAD_STATE, thread_suspend(worker.thread));
	EXPECT_ERROR(BAD_STATE, thread_resume(worker.thread));
	EXPECT_ERROR(BAD_STATE, thread_set_priority(worker.thread, 1));
	EXPECT_ERROR(BAD_STATE, thread_set_affinity(worker.thread, 1));
	EXPECT_ERROR(BAD_STATE, guest_kick(worker.thread));
	worker_forget(&worker);
}

TEST(thread_suspend_and_resume)
{
	volatile uint64_t count = 0;
	struct worker worker;
	struct thread_info info;
	uint64_t seen;

	REQUIRE(worker_start(&worker, spin, (void *)(uintptr_t)&count));
	while (count == 0)
		thread_sleep(after(MILLISECOND));
	EXPECT_OK(thread_suspend(worker.thread));
	// At once: the call returns when it has stopped.
	seen = count;
	EXPECT_OK(thread_suspend(worker.thread));
	EXPECT_OK(thread_info(worker.thread, &info));
	EXPECT_EQUAL(info.suspended, 1);
	thread_sleep(after(20 * MILLISECOND));
	EXPECT_EQUAL(count, seen);
	EXPECT_OK(thread_resume(worker.thread));
	for (unsigned i = 0; i < 1000 && count == seen; i++)
		thread_sleep(after(MILLISECOND));
	EXPECT(count != seen);
	EXPECT_OK(thread_kill(worker.thread, 0));
	worker_join(&worker);
}

TEST(thread_killed_while_suspended)
{
	struct thread_attributes attributes = {.name = "never", .flags = THREAD_SUSPENDED};
	struct worker worker;

	REQUIRE(worker_start_with(&worker, give_back, NULL, &attributes));
	EXPECT_OK(thread_kill(worker.thread, 5));
	EXPECT_EQUAL(worker_join(&worker), 5);
}

TEST(thread_registers_of_a_suspended_one)
{
	struct registers registers, again;
	volatile uint64_t count = 0;
	struct worker worker;
	void *bad;

	REQUIRE(worker_start(&worker, spin, (void *)(uintptr_t)&count));
	while (count == 0)
		thread_sleep(after(MILLISECOND));
	EXPECT_ERROR(BAD_STATE, thread_read_registers(worker.thread, &registers));
	EXPECT_ERROR(BAD_STATE, thread_write_registers(worker.thread, &registers));
	EXPECT_OK(thread_suspend(worker.thread));
	thread_sleep(after(5 * MILLISECOND));
	EXPECT_OK(thread_read_registers(worker.thread, &registers));
	EXPECT_OK(thread_write_registers(worker.thread, &registers));
	EXPECT_OK(thread_read_registers(worker.thread, &again));
	EXPECT(memcmp(&registers, &again, sizeof(registers)) == 0);
	ISA_PROGRAM_COUNTER(&again) = ISA_KERNEL_ADDRESS;
	EXPECT_ERROR(INVALID_ARGUMENT, thread_write_registers(worker.thread, &again));
	for (unsigned i = 0; bad_pointer(i, &bad); i++) {
		EXPECT_ERROR(BAD_ADDRESS, thread_read_registers(worker.thread, bad));
		EXPECT_ERROR(BAD_ADDRESS, thread_write_registers(worker.thread, bad));
	}
	EXPECT_OK(thread_kill(worker.thread, 0));
	worker_join(&worker);
}

static uint64_t wait_forever(void *argument)
{
	uint64_t bits;

	return notification_wait(*(handle_t *)argument, DEADLINE_NEVER, &bits);
}

TEST(thread_detach)
{
	handle_t notification;
	struct worker worker;
	uint64_t status;

	REQUIRE_OK(notification_create(&notification));
	REQUIRE(worker_start(&worker, wait_forever, &notification));
	EXPECT_OK(thread_detach(worker.thread));
	EXPECT_ERROR(BAD_STATE, thread_detach(worker.thread));
	EXPECT_ERROR(BAD_STATE, thread_join(worker.thread, 0, &status));
	EXPECT_OK(notification_signal(notification, 1));
	// Reaped as it ends: nobody can join it.
	EXPECT(wait_for_state(worker.thread, THREAD_DEAD));
	worker_forget(&worker);
	handle_close(notification);
}

// What one that has ended waits for is a join: a detach comes instead of it.
TEST(thread_detach_one_that_has_ended)
{
	struct worker worker;
	uint64_t status;

	REQUIRE(worker_start(&worker, give_back, (void *)21));
	EXPECT(wait_for_state(worker.thread, THREAD_ZOMBIE));
	EXPECT_OK(thread_detach(worker.thread));
	EXPECT(wait_for_state(worker.thread, THREAD_DEAD));
	EXPECT_ERROR(BAD_STATE, thread_detach(worker.thread));
	EXPECT_ERROR(BAD_STATE, thread_join(worker.thread, 0, &status));
	worker_forget(&worker);
}

TEST(thread_join_oneself)
{
	uint64_t status;

	EXPECT(thread_join(HANDLE_SELF, 0, &status) != ERR_OK);
}

TEST(thread_watch_tells_its_end)
{
	handle_t notification;
	struct worker worker;
	uint64_t bits = 0;

	REQUIRE_OK(notification_create(&notification));
	REQUIRE(worker_start(&worker, sleep_long, NULL));
	EXPECT_ERROR(INVALID_ARGUMENT, thread_watch(worker.thread, notification, 0));
	EXPECT_OK(thread_watch(worker.thread, notification, 8));
	EXPECT_OK(thread_kill(worker.thread, 0));
	EXPECT_OK(notification_wait(notification, after(5000 * MILLISECOND), &bits));
	EXPECT_EQUAL(bits, 8);
	// At once where it has ended.
	EXPECT_OK(thread_watch(worker.thread, notification, 16));
	EXPECT_OK(notification_poll(notification, &bits));
	EXPECT_EQUAL(bits, 16);
	worker_join(&worker);
	handle_close(notification);
}

TEST(thread_clear_tid_wakes_its_futex)
{
	struct thread_attributes attributes = {.name = "clears", .clear_tid_address = (uintptr_t)&clear_tid};
	struct worker worker;

	clear_tid = 99;
	REQUIRE(worker_start_with(&worker, give_back, NULL, &attributes));
	while (clear_tid == 99) {
		enum error error = futex_wait(
			HANDLE_SELF, (uintptr_t)&clear_tid, 99, after(5000 * MILLISECOND));

		EXPECT(error == ERR_OK || error == ERR_MISMATCH);
		if (error != ERR_OK)
			break;
	}
	EXPECT_EQUAL(clear_tid, 0);
	worker_join(&worker);
	EXPECT_OK(thread_set_clear_tid((uintptr_t)&clear_tid));
	EXPECT_OK(thread_set_clear_tid(0));
	EXPECT_ERROR(INVALID_ARGUMENT, thread_set_clear_tid(2));
	EXPECT_ERROR(INVALID_ARGUMENT, thread_set_clear_tid(ISA_KERNEL_ADDRESS));
}

TEST(thread_sleep_is_not_short)
{
	uint64_t start = now();

	EXPECT_OK(thread_sleep(start + 15 * MILLISECOND));
	EXPECT(now() >= start + 15 * MILLISECOND);
	EXPECT_OK(thread_sleep(0));
	EXPECT_OK(thread_yield());
}

TEST(thread_rights)
{
	struct worker worker;
	struct thread_info info;
	struct registers registers;
	handle_t fewer;
	uint64_t status;

	REQUIRE(worker_start(&worker, sleep_long, NULL));
	fewer = without(worker.thread, RIGHT_CONTROL | RIGHT_KILL | RIGHT_READ);
	EXPECT_ERROR(NO_RIGHTS, thread_suspend(fewer));
	EXPECT_ERROR(NO_RIGHTS, thread_resume(fewer));
	EXPECT_ERROR(NO_RIGHTS, thread_kill(fewer, 0));
	EXPECT_ERROR(NO_RIGHTS, thread_info(fewer, &info));
	EXPECT_ERROR(NO_RIGHTS, thread_join(fewer, 0, &status));
	EXPECT_ERROR(NO_RIGHTS, thread_detach(fewer));
	EXPECT_ERROR(NO_RIGHTS, thread_set_priority(fewer, 1));
	EXPECT_ERROR(NO_RIGHTS, thread_set_affinity(fewer, 1));
	EXPECT_ERROR(NO_RIGHTS, thread_set_tls(fewer, 0));
	EXPECT_ERROR(NO_RIGHTS, thread_read_registers(fewer, &registers));
	EXPECT_ERROR(NO_RIGHTS, thread_write_registers(fewer, &registers));
	EXPECT_ERROR(NO_RIGHTS, guest_kick(fewer));
	handle_close(fewer);
	EXPECT_ERROR(INVALID_ARGUMENT, thread_set_priority(worker.thread, 0));
	EXPECT_ERROR(INVALID_ARGUMENT, thread_set_priority(worker.thread, 256));
	EXPECT_ERROR(NO_RIGHTS, thread_set_priority(worker.thread, 255));
	EXPECT_ERROR(INVALID_ARGUMENT, thread_set_affinity(worker.thread, 0));
	EXPECT_ERROR(BAD_STATE, thread_set_tls(worker.thread, 0));
	EXPECT_ERROR(BAD_STATE, thread_read_registers(worker.thread, &registers));
	EXPECT_OK(thread_set_priority(worker.thread, 10));
	EXPECT_OK(thread_info(worker.thread, &info));
	EXPECT_EQUAL(info.priority, 10);
	thread_kill(worker.thread, 0);
	worker_join(&worker);
}

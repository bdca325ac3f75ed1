// SPDX-License-Identifier: MIT
//
// Timers when there are many, and when several threads use one.

#include "test.h"

#define SETTERS  4
#define SETTINGS 3000
#define ROUNDS   300
#define SHORTEST 1000
#define MANY     64
#define COUNT_TO 1000000
#define PAUSE    20000 // nanoseconds, at least, from one interrupt that expires timers to the next

static _Atomic handle_t shared;
static atomic_uint settings;
static atomic_bool over;

static unsigned cpu_count(void)
{
	struct system_info info = {.cpu_count = 1};

	EXPECT_OK(system_info(start_handle(START_SYSTEM), &info));
	return (unsigned)info.cpu_count;
}

// Each on a CPU of its own, as far as there are some.
static bool start_setters(struct worker *setters, uint64_t (*function)(void *argument))
{
	unsigned cpus = cpu_count();
	bool started = true;

	for (unsigned i = 0; i < SETTERS; i++) {
		struct thread_attributes attributes = {.name = "setter", .affinity = 1ull << i % cpus};

		started = started && worker_start_with(&setters[i], function, NULL, &attributes);
	}
	return started;
}

// What came before does not count: is a timer armed that nobody knows of any more?
static void expect_silence(handle_t notification)
{
	uint64_t bits;

	notification_poll(notification, &bits);
	EXPECT_ERROR(TIMED_OUT, notification_wait(notification, after(20 * MILLISECOND), &bits));
}

static uint64_t set_always(void *argument)
{
	(void)argument;
	for (unsigned i = 0; i < SETTINGS; i++)
		if (timer_set(shared, now(), SHORTEST) != ERR_OK)
			return i + 1;
	return 0;
}

TEST(timer_set_by_several_threads)
{
	struct worker setters[SETTERS];
	handle_t notification, timer;

	REQUIRE_OK(notification_create(&notification));
	REQUIRE_OK(timer_object_create(notification, 1, &timer));
	shared = timer;
	REQUIRE(start_setters(setters, set_always));
	for (unsigned i = 0; i < SETTERS; i++)
		EXPECT_EQUAL(worker_join(&setters[i]), 0);
	EXPECT_OK(timer_cancel(timer));
	expect_silence(notification);
	handle_close(timer);
	handle_close(notification);
}

static uint64_t set_what_is_shared(void *argument)
{
	uint64_t refused = 0;

	(void)argument;
	while (!over) {
		enum error error = timer_set(shared, now(), 0);

		refused += error != ERR_OK && error != ERR_BAD_HANDLE;
		settings++;
		thread_yield();
	}
	return refused;
}

TEST(timer_set_while_it_is_closed)
{
	struct worker setters[SETTERS];
	handle_t notification, timer;

	REQUIRE_OK(notification_create(&notification));
	over = false;
	settings = 0;
	shared = HANDLE_NONE;
	REQUIRE(start_setters(setters, set_what_is_shared));
	for (unsigned i = 0; i < ROUNDS; i++) {
		unsigned before;

		REQUIRE_OK(timer_object_create(notification, 1, &timer));
		before = settings;
		shared = timer;
		while (settings - before < 2 * SETTERS)
			thread_yield();
		EXPECT_OK(handle_close(timer));
	}
	over = true;
	for (unsigned i = 0; i < SETTERS; i++)
		EXPECT_EQUAL(worker_join(&setters[i]), 0);
	expect_silence(notification);
	handle_close(notification);
}

static uint64_t interrupts_of_first_cpu(void)
{
	struct cpu_info info = {0};

	EXPECT_OK(system_cpu(start_handle(START_SYSTEM), 0, &info));
	return info.interrupts;
}

TEST(timer_many_leave_time_to_threads)
{
	handle_t notification, timers[MANY];
	uint64_t start, elapsed, interrupts;

	REQUIRE_OK(notification_create(&notification));
	for (unsigned i = 0; i < MANY; i++)
		REQUIRE_OK(timer_object_create(notification, 1, &timers[i]));
	REQUIRE_OK(thread_set_affinity(HANDLE_SELF, 1));
	interrupts = interrupts_of_first_cpu();
	start = now();
	for (unsigned i = 0; i < MANY; i++)
		EXPECT_OK(timer_set(timers[i], now(), SHORTEST));
	for (volatile unsigned count = 0; count < COUNT_TO; count++)
		;
	interrupts = interrupts_of_first_cpu() - interrupts;
	elapsed = now() - start;
	// Some come as timers are set, some are for slices, others' time-outs and devices.
	EXPECT(interrupts <= elapsed / PAUSE + elapsed / MILLISECOND + 2 * MANY);
	for (unsigned i = 0; i < MANY; i++)
		EXPECT_OK(handle_close(timers[i]));
	EXPECT_OK(thread_set_affinity(HANDLE_SELF, UINT64_MAX));
	expect_silence(notification);
	handle_close(notification);
}

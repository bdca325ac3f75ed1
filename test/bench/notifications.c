// SPDX-License-Identifier: MIT
//
// Notifications, futexes, yields, timers.

#include "bench.h"
#include "counter.h"

#define COUNT 1000

static void poll_idle(void *context, uint64_t count)
{
	uint64_t bits;

	for (uint64_t i = 0; i < count; i++)
		notification_poll(*(handle_t *)context, &bits);
}

static void signal_idle(void *context, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		notification_signal(*(handle_t *)context, 1);
}

static void signal_wait_self(void *context, uint64_t count)
{
	uint64_t bits;

	for (uint64_t i = 0; i < count; i++) {
		notification_signal(*(handle_t *)context, 1);
		notification_wait(*(handle_t *)context, DEADLINE_NEVER, &bits);
	}
}

static uint64_t wait_always(uint64_t argument)
{
	uint64_t bits;

	(void)argument;
	while (notification_wait(child_given[0], DEADLINE_NEVER, &bits) == ERR_OK)
		;
	return 0;
}

static uint64_t answer_always(uint64_t argument)
{
	uint64_t bits;

	(void)argument;
	while (notification_wait(child_given[0], DEADLINE_NEVER, &bits) == ERR_OK)
		notification_signal(child_given[1], 1);
	return 0;
}

static void ping_pong(void *context, uint64_t count)
{
	handle_t *notifications = context;
	uint64_t bits;

	for (uint64_t i = 0; i < count; i++) {
		notification_signal(notifications[0], 1);
		notification_wait(notifications[1], DEADLINE_NEVER, &bits);
	}
}

static void bench_with_child(const char *name, uint64_t (*function)(uint64_t), operation *run, bool higher)
{
	handle_t notifications[2];
	struct child child;

	MUST_OK(notification_create(&notifications[0]));
	MUST_OK(notification_create(&notifications[1]));
	MUST(child_start(&child, function, 0, notifications, 2));
	MUST(wait_for_state(child.thread, THREAD_BLOCKED));
	// The child was made with our priority: from now on it is higher. There is no way back up.
	if (higher)
		MUST_OK(thread_set_priority(HANDLE_SELF, THREAD_PRIORITY_DEFAULT - 8));
	bench(name, run, notifications, COUNT);
	process_kill(child.process, 0);
	child_wait(&child);
	handle_close(notifications[0]);
	handle_close(notifications[1]);
}

static void yield(void *context, uint64_t count)
{
	(void)context;
	for (uint64_t i = 0; i < count; i++)
		thread_yield();
}

static uint64_t yield_always(void *argument)
{
	while (!*(volatile bool *)argument)
		thread_yield();
	return 0;
}

static void bench_yield(void)
{
	volatile bool stop = false;
	struct worker worker;

	bench("yield_alone", yield, NULL, COUNT);
	MUST(worker_start(&worker, yield_always, (void *)(uintptr_t)&stop));
	thread_yield();
	bench("yield_rt", yield, NULL, COUNT);
	stop = true;
	worker_join(&worker);
}

static _Atomic uint32_t words[2];

// Waits until words[index] is 1, makes it 0 and the other one 1.
static void take_turn(unsigned index)
{
	uint64_t woken;

	while (words[index] == 0)
		futex_wait(HANDLE_SELF, (uintptr_t)&words[index], 0, DEADLINE_NEVER);
	words[index] = 0;
	words[1 - index] = 1;
	futex_wake(HANDLE_SELF, (uintptr_t)&words[1 - index], 1, &woken);
}

static void futex_turns(void *context, uint64_t count)
{
	(void)context;
	for (uint64_t i = 0; i < count; i++)
		take_turn(0);
}

static uint64_t futex_partner(void *argument)
{
	(void)argument;
	for (;;)
		take_turn(1);
	return 0;
}

static void bench_futex(void)
{
	struct worker worker;

	words[0] = 1;
	MUST(worker_start(&worker, futex_partner, NULL));
	bench("futex_rt", futex_turns, NULL, COUNT);
	thread_kill(worker.thread, 0);
	worker_join(&worker);
}

static void set_and_wait(void *context, uint64_t count)
{
	handle_t *handles = context; // notification, timer
	uint64_t bits;

	for (uint64_t i = 0; i < count; i++) {
		timer_set(handles[1], 0, 0);
		notification_wait(handles[0], DEADLINE_NEVER, &bits);
	}
}

static void bench_timer(void)
{
	handle_t handles[2];

	MUST_OK(notification_create(&handles[0]));
	MUST_OK(timer_object_create(handles[0], 1, &handles[1]));
	bench("timer_to_thread", set_and_wait, handles, COUNT);
	handle_close(handles[1]);
	handle_close(handles[0]);
}

void bench_notifications(void)
{
	handle_t notification;

	MUST_OK(notification_create(&notification));
	bench("notification_poll_idle", poll_idle, &notification, COUNT);
	bench("notification_signal_idle", signal_idle, &notification, COUNT);
	bench("notification_signal_wait_self", signal_wait_self, &notification, COUNT);
	handle_close(notification);
	bench_with_child("notification_rt_high", wait_always, signal_idle, true);
	bench_with_child("notification_pingpong", answer_always, ping_pong, false);
	bench_yield();
	bench_futex();
	bench_timer();
}

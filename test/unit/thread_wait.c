// SPDX-License-Identifier: MIT
//
// The state machine of waiting: who ends a wait is one, however many try; stale wait numbers end nothing; a
// wait that goes on as another one loses neither a time-out nor a kill.

#include "before_load.h"
#include "core_machine.h"
#include <arch/thread.h>
#include <kernel/cpu.h>
#include <kernel/scheduler.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>

#define ROUNDS   100000
#define ONE_WAIT 256 // between the numbers of two

void (*before_load)(const volatile void *object);

static struct thread thread;
static unsigned cancelled, failed;
static enum error last_error;

static void cancel(struct thread *waiting)
{
	CHECK(waiting == &thread && thread_get_state(waiting) == THREAD_READY);
	cancelled++;
}

static void fail(struct thread *waiting, enum error error)
{
	CHECK(waiting == &thread);
	last_error = error;
	failed++;
}

static const struct wait_operations operations = {"test", cancel, fail};
static const struct wait_operations plain_operations = {"plain", NULL, NULL};

static void time_out(struct timeout *timeout)
{
	thread_abort_wait(container_of(timeout, struct thread, timeout), ERR_TIMED_OUT);
}

// The thread runs, and is about to wait.
static void run(void)
{
	host_cpu->current = &thread;
	host_cpu->blocked = false;
	woken[0] = NULL;
	cancelled = failed = 0;
	atomic_store(&thread.state, (atomic_load(&thread.state) & ~(uint64_t)0xff) | THREAD_RUNNING);
}

static void check_not_waiting(void)
{
	CHECK(!thread_claim(&thread));
	CHECK(!thread_abort_wait(&thread, ERR_CANCELLED));
	CHECK(cancelled <= 1 && failed <= 1);
}

static void wake_by_claim(void)
{
	uint64_t number;

	run();
	check_not_waiting();
	number = thread_prepare_wait(&operations, NULL, THREAD_BLOCKED, 1000);
	CHECK(host_cpu->blocked && thread_is_waiting(&thread, number));
	CHECK(!thread_claim_wait(&thread, number - ONE_WAIT) &&
		!thread_claim_wait(&thread, number + ONE_WAIT));
	CHECK(thread_claim_wait(&thread, number));
	check_not_waiting();
	CHECK(!thread_claim_wait(&thread, number));
	thread_wake_with(&thread, ERR_BUSY, 42);
	CHECK(woken[0] == &thread && cancelled == 0 && failed == 0 && thread.timeout.queue == NULL);
	CHECK(thread.arch.result.error == ERR_BUSY && thread.arch.result.value == 42);
}

static void wake_by_time_out(void)
{
	run();
	thread_prepare_wait(&operations, NULL, THREAD_SLEEPING, 1000);
	CHECK(thread_get_state(&thread) == THREAD_SLEEPING);
	timeout_run(999);
	CHECK(woken[0] == NULL);
	timeout_run(1000);
	CHECK(woken[0] == &thread && cancelled == 1 && failed == 1 && last_error == ERR_TIMED_OUT);
	check_not_waiting();
}

static void abort_without_operations(void)
{
	run();
	thread_prepare_wait(&plain_operations, NULL, THREAD_BLOCKED, DEADLINE_NEVER);
	CHECK(thread.timeout.queue == NULL);
	CHECK(thread_abort_wait(&thread, ERR_PEER_CLOSED));
	CHECK(woken[0] == &thread && thread.arch.result.error == ERR_PEER_CLOSED);
}

// A claimed wait goes on as another one.
static void continue_wait(bool time_passes, bool is_killed)
{
	uint64_t first, second;

	run();
	first = thread_prepare_wait(&operations, NULL, THREAD_BLOCKED, 1000);
	CHECK(thread_claim(&thread));
	if (time_passes)
		timeout_run(1000);
	atomic_store(&thread.killed, is_killed);
	CHECK(woken[0] == NULL);
	second = thread_continue_wait(&thread, &operations, NULL);
	atomic_store(&thread.killed, false);
	CHECK(second != first && !thread_claim_wait(&thread, first));
	if (time_passes || is_killed) {
		CHECK(woken[0] == &thread && last_error == (is_killed ? ERR_CANCELLED : ERR_TIMED_OUT));
		check_not_waiting();
		return;
	}
	CHECK(thread_is_waiting(&thread, second) && woken[0] == NULL);
	timeout_run(1000);
	CHECK(woken[0] == &thread && failed == 1 && last_error == ERR_TIMED_OUT);
}

// The wait that goes on ends at once, and the thread waits for something else.
static uint64_t later_wait;

static void wait_again(const volatile void *loaded)
{
	if (loaded != &thread.killed)
		return;
	before_load = NULL;
	timeout_run(1000);
	CHECK(woken[0] == &thread && failed == 1 && last_error == ERR_TIMED_OUT);
	run();
	later_wait = thread_prepare_wait(&operations, NULL, THREAD_BLOCKED, DEADLINE_NEVER);
}

static void continue_wait_that_ends(void)
{
	run();
	thread_prepare_wait(&operations, NULL, THREAD_BLOCKED, 1000);
	CHECK(thread_claim(&thread));
	before_load = wait_again;
	CHECK(thread_continue_wait(&thread, &operations, NULL) == later_wait - ONE_WAIT);
	CHECK(before_load == NULL && thread_is_waiting(&thread, later_wait) && failed == 0);
	CHECK(thread_claim(&thread));
	thread_wake_with(&thread, ERR_OK, 0);
}

// --- Two claim at once

static atomic_uint begun, answered;
static atomic_bool other_won;

static void *other_claimant(void *argument)
{
	for (unsigned round = 1; round <= ROUNDS; round++) {
		while (atomic_load(&begun) != round)
			if (thread_get_state(&thread) != THREAD_BLOCKED)
				sched_yield();
		atomic_store(&other_won, thread_claim_wait(&thread, round * ONE_WAIT | THREAD_BLOCKED));
		atomic_store(&answered, round);
	}
	return argument;
}

static void race(void)
{
	unsigned won = 0;
	pthread_t other;

	atomic_store(&thread.state, THREAD_RUNNING);
	CHECK(pthread_create(&other, NULL, other_claimant, NULL) == 0);
	for (unsigned round = 1; round <= ROUNDS; round++) {
		bool mine;

		run();
		CHECK(thread_prepare_wait(&plain_operations, NULL, THREAD_BLOCKED, DEADLINE_NEVER) ==
			(round * ONE_WAIT | THREAD_BLOCKED));
		atomic_store(&begun, round);
		for (volatile uint64_t delay = random_below(300); delay > 0; delay--)
			;
		mine = thread_claim(&thread);
		while (atomic_load(&answered) != round)
			sched_yield();
		CHECK(mine != atomic_load(&other_won) && thread_get_state(&thread) == THREAD_READY);
		won += mine;
	}
	pthread_join(other, NULL);
	printf("of %u races the one won %u, the other %u\n", ROUNDS, won, ROUNDS - won);
}

int main(void)
{
	core_machine_start(1);
	thread.timeout.expire = time_out;
	for (unsigned i = 0; i < 3; i++) {
		wake_by_claim();
		wake_by_time_out();
		abort_without_operations();
		continue_wait(false, false);
		continue_wait(true, false);
		continue_wait(false, true);
		continue_wait_that_ends();
	}
	race();
	return 0;
}

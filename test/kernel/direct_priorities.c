// SPDX-License-Identifier: MIT
//
// Threads that yield to each other on CPU 0 while another CPU changes the priority of one of them: none is lost, and each is in
// the queue of the priority that it has.

#include "test.h"

#define TOP      (THREAD_PRIORITY_DEFAULT - 1) // of those that yield; this thread takes the CPU whenever it wants
#define STEPS    4
#define CHANGES  20000
#define PATIENCE (60000 * MILLISECOND)

struct yielder {
	struct worker worker;
	_Atomic uint64_t turns;
};

static atomic_bool stop;

static uint64_t yield_until_stopped(void *argument)
{
	struct yielder *self = argument;

	for (uint64_t turn = 0; !atomic_load(&stop); turn++) {
		atomic_fetch_add(&self->turns, 1);
		// Its list empties now and then.
		if (turn % 8 == 0)
			thread_sleep(1);
		thread_yield();
	}
	return 0;
}

static bool start_yielder(struct yielder *yielder, uint32_t priority)
{
	struct thread_attributes attributes = {.name = "yielder", .priority = priority, .affinity = 1};

	return worker_start_with(&yielder->worker, yield_until_stopped, yielder, &attributes);
}

static bool makes_a_turn(struct yielder *yielder)
{
	uint64_t turns = atomic_load(&yielder->turns), end = after(PATIENCE);

	while (atomic_load(&yielder->turns) == turns && now() < end)
		thread_sleep(after(MILLISECOND));
	return atomic_load(&yielder->turns) != turns;
}

static uint64_t change_priority(void *argument)
{
	struct yielder *yielder = argument;
	uint64_t random = 1;

	for (unsigned i = 0; i < CHANGES; i++)
		if (thread_set_priority(
			    yielder->worker.thread, TOP - (uint32_t)random_next(&random, STEPS)) != ERR_OK)
			return 1;
	return 0;
}

TEST(direct_yield_while_the_priority_changes)
{
	struct thread_attributes elsewhere = {.name = "changes", .affinity = UINT64_MAX - 1};
	struct yielder yielders[4] = {0};
	struct system_info info;
	struct worker changer;

	REQUIRE_OK(system_info(start_handle(START_SYSTEM), &info));
	if (info.cpu_count == 1)
		elsewhere.affinity = 1;
	atomic_store(&stop, false);
	for (unsigned i = 0; i < 3; i++)
		REQUIRE(start_yielder(&yielders[i], TOP - STEPS + 1));
	REQUIRE(start_yielder(&yielders[3], TOP - STEPS));
	REQUIRE(worker_start_with(&changer, change_priority, &yielders[0], &elsewhere));
	EXPECT_EQUAL(worker_join(&changer), 0);
	for (unsigned i = 0; i < 3; i++)
		EXPECT_OK(thread_set_priority(yielders[i].worker.thread, TOP));
	for (unsigned i = 0; i < 3; i++)
		EXPECT(makes_a_turn(&yielders[i]));
	atomic_store(&stop, true);
	for (unsigned i = 0; i < 4; i++)
		EXPECT_EQUAL(worker_join(&yielders[i].worker), 0);
}

// SPDX-License-Identifier: MIT
//
// What is told of threads: their states, ids and what they have by default; and who runs when one yields.

#include "test.h"
#include <string.h>

#define CPU_0 ((uint64_t)1)

// A thread that runs on CPU 0 only.
static bool start_on_cpu_0(
	struct worker *worker, uint32_t priority, uint64_t (*function)(void *argument), void *argument)
{
	struct thread_attributes attributes = {.name = "on CPU 0", .affinity = CPU_0, .priority = priority};

	return worker_start_with(worker, function, argument, &attributes);
}

static enum thread_state state_of(handle_t thread)
{
	struct thread_info info = {.state = UINT32_MAX};

	thread_info(thread, &info);
	return info.state;
}

// --- States

struct states {
	struct worker upper, lower;
	handle_t notification;
};

static uint64_t wait_and_sleep(void *argument)
{
	struct states *states = argument;
	uint64_t bits;

	notification_wait(states->notification, DEADLINE_NEVER, &bits);
	return thread_sleep(DEADLINE_NEVER);
}

// As long as it does not wait, a thread of lower priority on its CPU is ready, and no more.
static uint64_t run_above(void *argument)
{
	struct states *states = argument;

	if (!start_on_cpu_0(&states->lower, 50, wait_and_sleep, states))
		return 1;
	return state_of(states->upper.thread) == THREAD_RUNNING &&
			state_of(states->lower.thread) == THREAD_READY
		? 0
		: 2;
}

TEST(thread_states_are_told)
{
	struct thread_attributes attributes = {
		.name = "upper", .affinity = CPU_0, .priority = 100, .flags = THREAD_SUSPENDED};
	struct states states = {0};
	struct thread_info info;
	uint64_t status;

	REQUIRE_OK(notification_create(&states.notification));
	// Suspended, it is ready and not run: its handle is known before it begins.
	REQUIRE(worker_start_with(&states.upper, run_above, &states, &attributes));
	EXPECT_OK(thread_info(states.upper.thread, &info));
	EXPECT(info.state == THREAD_READY && info.suspended);
	EXPECT_OK(thread_resume(states.upper.thread));
	EXPECT_EQUAL(worker_join(&states.upper), 0);
	EXPECT(wait_for_state(states.lower.thread, THREAD_BLOCKED));
	EXPECT_OK(notification_signal(states.notification, 1));
	EXPECT(wait_for_state(states.lower.thread, THREAD_SLEEPING));
	EXPECT_OK(thread_kill(states.lower.thread, 7));
	EXPECT(wait_for_state(states.lower.thread, THREAD_ZOMBIE));
	EXPECT_OK(thread_join(states.lower.thread, DEADLINE_NEVER, &status));
	EXPECT_EQUAL(status, 7);
	EXPECT_EQUAL(state_of(states.lower.thread), THREAD_DEAD);
	worker_forget(&states.lower);
	handle_close(states.notification);
}

// --- Ids and defaults

static void never(uint64_t argument)
{
	thread_exit(argument);
}

TEST(thread_ids_are_never_reused)
{
	struct thread_attributes attributes = {.entry = (uintptr_t)never, .flags = THREAD_SUSPENDED};
	uint64_t last = 0, status;

	for (unsigned i = 0; i < 200; i++) {
		struct thread_info info = {0};
		struct handle_info object = {0};
		handle_t thread;

		REQUIRE_OK(thread_create(HANDLE_SELF, &attributes, &thread));
		EXPECT_OK(thread_info(thread, &info));
		EXPECT_OK(handle_info(thread, &object));
		// 0 is what the threads have that each CPU began with.
		EXPECT(info.id > last && info.id == object.object_id);
		last = info.id;
		EXPECT_OK(thread_kill(thread, 0));
		EXPECT_OK(thread_join(thread, DEADLINE_NEVER, &status));
		handle_close(thread);
	}
}

TEST(thread_attributes_have_defaults)
{
	struct thread_attributes attributes = {.entry = (uintptr_t)never, .flags = THREAD_SUSPENDED};
	struct process_info self;
	struct thread_info info;
	struct cpu_info cpu;
	uint64_t status;
	handle_t thread;

	REQUIRE_OK(thread_create(HANDLE_SELF, &attributes, &thread));
	EXPECT_OK(thread_info(thread, &info));
	EXPECT_OK(process_info(HANDLE_SELF, &self));
	EXPECT_EQUAL(info.process_id, self.id);
	EXPECT_EQUAL(info.base_priority, THREAD_PRIORITY_DEFAULT);
	EXPECT_EQUAL(info.stack_end - info.stack_start, THREAD_STACK_SIZE_DEFAULT);
	EXPECT(info.name[0] == '\0' && info.tls_base == 0 && info.context_id == 0);
	for (unsigned i = 0; system_cpu(start_handle(START_SYSTEM), i, &cpu) == ERR_OK; i++)
		EXPECT(info.affinity >> i & 1);
	EXPECT_OK(thread_kill(thread, 0));
	EXPECT_OK(thread_join(thread, DEADLINE_NEVER, &status));
	handle_close(thread);
}

// --- CPUs

#define CPUS_MAX 16

static unsigned cpus_online(void)
{
	struct cpu_info cpu;
	unsigned count = 0;

	for (unsigned i = 0; i < CPUS_MAX && system_cpu(start_handle(START_SYSTEM), i, &cpu) == ERR_OK; i++)
		count += (unsigned)cpu.online;
	return count;
}

static uint64_t count_up(void *count)
{
	for (;;)
		++*(_Atomic uint64_t *)count;
	return 0;
}

// As many threads as there are CPUs: those that are idle take them from the one where they began.
TEST(thread_ready_ones_go_to_idle_cpus)
{
	unsigned count = cpus_online();
	_Atomic uint64_t counts[CPUS_MAX] = {0};
	struct worker workers[CPUS_MAX];
	uint64_t used = 0, deadline = after(60000 * MILLISECOND);

	for (unsigned i = 0; i < count; i++) {
		struct thread_attributes attributes = {.name = "counts", .priority = 50};

		REQUIRE(worker_start_with(&workers[i], count_up, (void *)&counts[i], &attributes));
	}
	while (used != ((uint64_t)1 << count) - 1 && now() < deadline) {
		thread_sleep(after(10 * MILLISECOND));
		used = 0;
		for (unsigned i = 0; i < count; i++) {
			struct thread_info info;

			EXPECT_OK(thread_info(workers[i].thread, &info));
			used |= (uint64_t)(counts[i] > 0) << info.cpu;
		}
	}
	EXPECT_EQUAL(used, ((uint64_t)1 << count) - 1);
	for (unsigned i = 0; i < count; i++) {
		EXPECT_OK(thread_kill(workers[i].thread, 0));
		worker_join(&workers[i]);
	}
}

// --- Yielding

#define TURNS 500

struct turns {
	_Atomic unsigned turn; // even: of the one, odd: of the other
	_Atomic unsigned yields;
};

static void take_turns(struct turns *turns, unsigned first)
{
	for (unsigned turn = first; turn < TURNS; turn += 2) {
		while (turns->turn != turn) {
			turns->yields += turns->turn > 1; // both have begun
			thread_yield();
		}
		turns->turn++;
	}
}

static uint64_t take_even_turns(void *turns)
{
	take_turns(turns, 0);
	return 0;
}

static uint64_t take_odd_turns(void *turns)
{
	take_turns(turns, 1);
	return 0;
}

// Each yield lets the other one run: else a turn would take as many yields as fit a time slice.
TEST(thread_yield_hands_over)
{
	struct turns turns = {0};
	struct worker one, other;

	REQUIRE(start_on_cpu_0(&one, 0, take_even_turns, &turns));
	REQUIRE(start_on_cpu_0(&other, 0, take_odd_turns, &turns));
	EXPECT_EQUAL(worker_join(&one), 0);
	EXPECT_EQUAL(worker_join(&other), 0);
	EXPECT_EQUAL(turns.turn, TURNS);
	EXPECT(turns.yields < 3 * TURNS);
	test_note("%u yields for %u turns", turns.yields, TURNS);
}

static uint64_t yield_above(void *argument)
{
	_Atomic uint64_t count = 0;
	struct worker lower;
	uint64_t counted, status;

	(void)argument;
	if (!start_on_cpu_0(&lower, 50, count_up, (void *)&count))
		return 1;
	for (unsigned i = 0; i < 1000; i++)
		thread_yield();
	counted = count;
	thread_kill(lower.thread, 0);
	thread_join(lower.thread, DEADLINE_NEVER, &status);
	worker_forget(&lower);
	return counted == 0 ? 0 : 2;
}

TEST(thread_yield_is_for_its_own_priority)
{
	struct worker upper;

	REQUIRE(start_on_cpu_0(&upper, 100, yield_above, NULL));
	EXPECT_EQUAL(worker_join(&upper), 0);
}

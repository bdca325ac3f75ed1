// SPDX-License-Identifier: MIT
//
// Switches that go from user mode to user mode without the scheduler, and those that cannot: what threads that take turns
// on a CPU see of each other, what they pay, and what others do to them meanwhile.

#include "fpu.h"
#include "pattern.h"
#include "test.h"
#include <tern/message.h>
#include <tern/syscall_numbers.h>

#define ROUNDS   200
#define LOWER    (THREAD_PRIORITY_DEFAULT - 1)
#define PATIENCE (60000 * MILLISECOND)

// --- Registers

// Makes a system call with a value of its own in every register, but for the arguments given. Returns the number of registers
// that are then neither as before (the preserved ones) nor zero (all others, but for the call's value).
static unsigned call_and_check(
	uint64_t pattern, uint64_t number, uint64_t handle, uint64_t argument, uint64_t value)
{
	uint64_t registers[ISA_CALL_REGISTERS];
	unsigned wrong = 0;

	call_with_pattern(registers, pattern, number, handle, argument);
	for (unsigned i = 0; i < ISA_CALL_REGISTERS; i++)
		wrong += registers[i] != (i == ISA_CALL_VALUE ? value : left_of_pattern(pattern, i));
	return wrong;
}

static uint32_t child_priority; // of the children that are started next

// A child's first step: to CPU 0, below the test.
static uint64_t go_lower(void)
{
	return (thread_set_priority(HANDLE_SELF, child_priority) != ERR_OK) +
		(thread_set_affinity(HANDLE_SELF, 1) != ERR_OK);
}

static uint64_t yield_with_registers(uint64_t pattern)
{
	uint64_t wrong = go_lower();

	for (unsigned i = 0; i < ROUNDS; i++)
		wrong += call_and_check(pattern, SYSCALL_NUMBER_thread_yield, pattern, pattern, 0);
	return wrong;
}

// Never yields: it is interrupted with all its registers in use.
static uint64_t hold_registers(uint64_t pattern)
{
	return go_lower() + fpu_hold(pattern, 20000000);
}

static bool start_lower(struct child *child, uint32_t priority, uint64_t (*function)(uint64_t),
	uint64_t argument, const handle_t *given, unsigned count)
{
	child_priority = priority;
	return child_start(child, function, argument, given, count);
}

TEST(direct_yield_keeps_registers_apart)
{
	struct child children[4];

	REQUIRE(start_lower(&children[0], LOWER, yield_with_registers, 0x5e5e000000000000, NULL, 0));
	REQUIRE(start_lower(&children[1], LOWER, yield_with_registers, 0xc1c1000000000000, NULL, 0));
	REQUIRE(start_lower(&children[2], LOWER, hold_registers, 0x4040404040404040, NULL, 0));
	REQUIRE(start_lower(&children[3], LOWER, hold_registers, 0x2121212121212121, NULL, 0));
	for (unsigned i = 0; i < 4; i++)
		EXPECT_EQUAL(child_wait(&children[i]).exit_status, 0);
}

// --- Threads that yield to each other on CPU 0

struct yielder {
	struct worker worker;
	volatile bool *stop;
	volatile uint64_t turns;
	uint64_t cpu_time;
};

static uint64_t yield_until_stopped(void *argument)
{
	struct yielder *self = argument;
	struct thread_info info = {0};

	while (!*self->stop) {
		self->turns++;
		thread_yield();
	}
	thread_info(HANDLE_SELF, &info);
	self->cpu_time = info.cpu_time;
	return 0;
}

// `priority` is below the test's own, which takes the CPU whenever it wants.
static bool start_yielders(struct yielder *yielders, unsigned count, volatile bool *stop)
{
	for (unsigned i = 0; i < count; i++) {
		struct thread_attributes attributes = {.name = "yielder", .priority = LOWER, .affinity = 1};

		yielders[i] = (struct yielder){.stop = stop};
		if (!worker_start_with(&yielders[i].worker, yield_until_stopped, &yielders[i], &attributes))
			return false;
	}
	return true;
}

static bool wait_for_turns(const struct yielder *yielder, uint64_t turns)
{
	uint64_t wanted = yielder->turns + turns, deadline = after(PATIENCE);

	while (yielder->turns < wanted && now() < deadline)
		thread_sleep(after(MILLISECOND));
	return yielder->turns >= wanted;
}

TEST(direct_yield_gives_all_a_turn_and_charges_each)
{
	struct yielder yielders[3];
	volatile bool stop = false;
	uint64_t start = now(), sum = 0;

	REQUIRE(start_yielders(yielders, 3, &stop));
	for (unsigned i = 0; i < 3; i++)
		EXPECT(wait_for_turns(&yielders[i], 1000));
	stop = true;
	for (unsigned i = 0; i < 3; i++) {
		worker_join(&yielders[i].worker);
		EXPECT(yielders[i].cpu_time > 0);
		sum += yielders[i].cpu_time;
	}
	EXPECT(sum <= now() - start);
}

TEST(direct_yield_to_one_that_is_suspended_resumed_and_moved)
{
	struct system_info system = {.cpu_count = 1};
	struct yielder yielders[2];
	volatile bool stop = false;

	system_info(start_handle(START_SYSTEM), &system);
	REQUIRE(start_yielders(yielders, 2, &stop));
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct yielder *yielder = &yielders[i % 2];
		uint64_t turns;

		if (i % 4 < 2 && system.cpu_count > 1)
			EXPECT_OK(thread_set_affinity(yielder->worker.thread, 1 << (i % 8 < 4)));
		EXPECT_OK(thread_suspend(yielder->worker.thread));
		turns = yielder->turns;
		EXPECT(wait_for_turns(&yielders[1 - i % 2], 10));
		EXPECT_EQUAL(yielder->turns, turns);
		EXPECT_OK(thread_resume(yielder->worker.thread));
		EXPECT(wait_for_turns(yielder, 10));
	}
	stop = true;
	worker_join(&yielders[0].worker);
	worker_join(&yielders[1].worker);
}

static uint64_t spin_until_stopped(void *argument)
{
	struct yielder *self = argument;

	while (!*self->stop)
		self->turns++;
	return 0;
}

// Where it may run from now on, another thread has the CPU for itself: it takes no turn any more, there or where it was.
TEST(direct_yield_to_one_that_has_to_leave)
{
	struct thread_attributes high = {.name = "high", .priority = LOWER + 1, .affinity = 2};
	struct system_info system = {.cpu_count = 1};
	struct yielder yielders[2], above;
	volatile bool stop = false;

	system_info(start_handle(START_SYSTEM), &system);
	if (system.cpu_count < 3)
		return;
	EXPECT_OK(thread_set_affinity(HANDLE_SELF, 4));
	above = (struct yielder){.stop = &stop};
	REQUIRE(start_yielders(yielders, 2, &stop));
	REQUIRE(worker_start_with(&above.worker, spin_until_stopped, &above, &high));
	EXPECT(wait_for_turns(&above, 1));
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct yielder *leaves = &yielders[i % 2];
		uint64_t turns;

		EXPECT_OK(thread_set_affinity(leaves->worker.thread, 2));
		turns = leaves->turns;
		EXPECT(wait_for_turns(&yielders[1 - i % 2], 10));
		EXPECT_EQUAL(leaves->turns, turns);
		EXPECT_OK(thread_set_affinity(leaves->worker.thread, 1));
		EXPECT(wait_for_turns(leaves, 10));
	}
	stop = true;
	worker_join(&above.worker);
	worker_join(&yielders[0].worker);
	worker_join(&yielders[1].worker);
	EXPECT_OK(thread_set_affinity(HANDLE_SELF, UINT64_MAX));
}

TEST(direct_yield_to_one_that_is_killed)
{
	volatile bool stop = false;

	for (unsigned i = 0; i < ROUNDS / 4; i++) {
		struct yielder yielders[2];

		REQUIRE(start_yielders(yielders, 2, &stop));
		EXPECT(wait_for_turns(&yielders[0], 5));
		for (unsigned j = 0; j < 2; j++) {
			EXPECT_OK(thread_kill(yielders[j].worker.thread, 7));
			EXPECT_EQUAL(worker_join(&yielders[j].worker), 7);
		}
	}
}

// From the moment of the binding on what it uses is the context's.
TEST(direct_yield_to_one_with_a_budget)
{
	struct scheduling_context_info info = {0};
	uint64_t deadline = after(PATIENCE);
	struct yielder yielders[2];
	volatile bool stop = false;
	handle_t context;

	REQUIRE_OK(scheduling_context_create(&context));
	REQUIRE_OK(scheduling_context_configure(context, MILLISECOND, 10 * MILLISECOND, 0));
	REQUIRE(start_yielders(yielders, 2, &stop));
	for (unsigned i = 0; i < 2; i++) {
		uint64_t consumed = info.consumed;

		EXPECT(wait_for_turns(&yielders[i], 10));
		EXPECT_OK(scheduling_context_bind(context, yielders[i].worker.thread));
		do {
			thread_sleep(after(MILLISECOND));
			EXPECT_OK(scheduling_context_info(context, &info));
		} while (info.consumed - consumed < 2 * MILLISECOND && now() < deadline);
		EXPECT(info.consumed - consumed >= 2 * MILLISECOND);
		EXPECT(wait_for_turns(&yielders[i], 10));
		EXPECT_OK(scheduling_context_bind(HANDLE_NONE, yielders[i].worker.thread));
		EXPECT(wait_for_turns(&yielders[i], 10));
	}
	stop = true;
	worker_join(&yielders[0].worker);
	worker_join(&yielders[1].worker);
	handle_close(context);
}

// --- Notifications

#define SIGNALLER 0x3a3a000000000000
#define WAITER    0x7b7b000000000000

// Waits ROUNDS times and answers each time: child_given are the notifications to wait for and to signal.
static uint64_t wait_with_registers(uint64_t pattern)
{
	uint64_t wrong = go_lower();

	for (unsigned i = 1; i <= ROUNDS; i++) {
		wrong += call_and_check(
			pattern, SYSCALL_NUMBER_notification_wait, child_given[0], DEADLINE_NEVER, i);
		wrong += call_and_check(pattern, SYSCALL_NUMBER_notification_signal, child_given[1], i, 0);
	}
	return wrong;
}

static uint64_t signal_with_registers(uint64_t pattern)
{
	uint64_t wrong = go_lower();

	for (unsigned i = 1; i <= ROUNDS; i++) {
		wrong += call_and_check(pattern, SYSCALL_NUMBER_notification_signal, child_given[0], i, 0);
		wrong += call_and_check(
			pattern, SYSCALL_NUMBER_notification_wait, child_given[1], DEADLINE_NEVER, i);
	}
	return wrong;
}

// Two processes on one CPU that signal to each other, of equal priority and of different ones, and threads that are
// interrupted between them.
TEST(direct_signals_keep_registers_apart)
{
	for (uint32_t lower = 0; lower < 3; lower++) {
		struct child children[3];
		handle_t notifications[2];

		REQUIRE_OK(notification_create(&notifications[0]));
		REQUIRE_OK(notification_create(&notifications[1]));
		REQUIRE(start_lower(
			&children[0], LOWER - (lower == 1), wait_with_registers, WAITER, notifications, 2));
		REQUIRE(start_lower(&children[1], LOWER - (lower == 2), signal_with_registers, SIGNALLER,
			notifications, 2));
		REQUIRE(start_lower(&children[2], LOWER, hold_registers, 0x1111111111111111, NULL, 0));
		for (unsigned i = 0; i < 3; i++)
			EXPECT_EQUAL(child_wait(&children[i]).exit_status, 0);
		handle_close(notifications[0]);
		handle_close(notifications[1]);
	}
}

// A thread that signals without end, a waiter above it, and one beside it that computes; all on CPU 0.
struct signals {
	handle_t notification;
	struct worker signaller, waiter, neighbour;
	volatile bool stop;
	volatile uint64_t signalled, received, computed;
	uint64_t cpu_time[2];
};

static uint64_t own_cpu_time(void)
{
	struct thread_info info = {0};

	thread_info(HANDLE_SELF, &info);
	return info.cpu_time;
}

static uint64_t signal_without_end(void *argument)
{
	struct signals *signals = argument;

	while (!signals->stop && notification_signal(signals->notification, 1) == ERR_OK)
		signals->signalled++;
	signals->cpu_time[0] = own_cpu_time();
	return 0;
}

static uint64_t wait_without_end(void *argument)
{
	struct signals *signals = argument;
	uint64_t bits;

	while (!signals->stop && notification_wait(signals->notification, DEADLINE_NEVER, &bits) == ERR_OK)
		signals->received++;
	signals->cpu_time[1] = own_cpu_time();
	return 0;
}

static uint64_t compute_without_end(void *argument)
{
	struct signals *signals = argument;

	while (!signals->stop)
		signals->computed++;
	return 0;
}

static bool start_signals(struct signals *signals)
{
	struct thread_attributes low = {.name = "signaller", .priority = LOWER - 1, .affinity = 1};
	struct thread_attributes high = {.name = "waiter", .priority = LOWER, .affinity = 1};
	struct thread_attributes beside = {.name = "neighbour", .priority = LOWER - 1, .affinity = 1};

	return notification_create(&signals->notification) == ERR_OK &&
		worker_start_with(&signals->waiter, wait_without_end, signals, &high) &&
		worker_start_with(&signals->signaller, signal_without_end, signals, &low) &&
		worker_start_with(&signals->neighbour, compute_without_end, signals, &beside);
}

static void stop_signals(struct signals *signals)
{
	signals->stop = true;
	EXPECT_OK(notification_signal(signals->notification, 1));
	worker_join(&signals->signaller);
	worker_join(&signals->waiter);
	worker_join(&signals->neighbour);
	handle_close(signals->notification);
}

TEST(direct_signal_switches_and_charges_each)
{
	struct signals signals = {0};
	uint64_t start = now();

	REQUIRE(start_signals(&signals));
	for (unsigned i = 0; i < 10; i++) {
		EXPECT(goes_on(&signals.received, 100));
		EXPECT(goes_on(&signals.computed, 100));
	}
	stop_signals(&signals);
	// Each signal was received before the next.
	EXPECT(signals.received + 1 >= signals.signalled);
	EXPECT(signals.cpu_time[0] > 0 && signals.cpu_time[1] > 0);
	EXPECT(signals.cpu_time[0] + signals.cpu_time[1] <= now() - start);
}

TEST(direct_signal_while_either_is_suspended)
{
	struct signals signals = {0};

	REQUIRE(start_signals(&signals));
	for (unsigned i = 0; i < ROUNDS / 4; i++) {
		bool waiter = i % 2;
		handle_t thread = waiter ? signals.waiter.thread : signals.signaller.thread;
		volatile uint64_t *count = waiter ? &signals.received : &signals.signalled;
		uint64_t before;

		EXPECT(goes_on(&signals.received, 10));
		EXPECT_OK(thread_suspend(thread));
		before = *count;
		EXPECT(goes_on(waiter ? &signals.signalled : &signals.computed, 10));
		EXPECT_EQUAL(*count, before);
		EXPECT_OK(thread_resume(thread));
	}
	stop_signals(&signals);
}

TEST(direct_signal_while_either_is_killed)
{
	for (unsigned i = 0; i < ROUNDS / 4; i++) {
		struct signals signals = {0};

		REQUIRE(start_signals(&signals));
		EXPECT(goes_on(&signals.received, 3));
		EXPECT_OK(thread_kill(i % 2 ? signals.waiter.thread : signals.signaller.thread, 7));
		EXPECT(goes_on(&signals.computed, 10));
		stop_signals(&signals);
	}
}

// Whoever is bound to a budget has it used up, and goes on in the next period.
TEST(direct_signal_while_either_has_a_budget)
{
	struct scheduling_context_info info = {0};
	struct signals signals = {0};
	handle_t context;

	REQUIRE_OK(scheduling_context_create(&context));
	REQUIRE_OK(scheduling_context_configure(context, MILLISECOND / 2, 2 * MILLISECOND, 0));
	REQUIRE(start_signals(&signals));
	for (unsigned i = 0; i < 8; i++) {
		handle_t thread = i % 2 ? signals.waiter.thread : signals.signaller.thread;
		uint64_t consumed = info.consumed, deadline = after(PATIENCE);

		EXPECT_OK(scheduling_context_bind(context, thread));
		do {
			EXPECT(goes_on(&signals.received, 10));
			EXPECT_OK(scheduling_context_info(context, &info));
		} while (info.consumed - consumed < MILLISECOND && now() < deadline);
		EXPECT(info.consumed - consumed >= MILLISECOND);
		EXPECT_OK(scheduling_context_bind(HANDLE_NONE, thread));
		EXPECT(goes_on(&signals.received, 10));
	}
	stop_signals(&signals);
	handle_close(context);
}

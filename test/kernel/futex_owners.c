// SPDX-License-Identifier: MIT
//
// Futexes with an owner: it inherits the priority of those who wait, and hands the futex over.

#include "test.h"

#define LOW    20
#define MEDIUM 60
#define HIGH   100
#define LINKS  12
#define DIED   ((uint32_t)1 << 30)

// A lock as programs build it: the word has the number of who owns it.
struct lock {
	_Atomic uint32_t word;
	handle_t owner; // written by whoever owns it
};

// A thread that owns a lock and then waits for another one, or until it may go on; then it hands over what it owns.
struct holder {
	struct lock *own, *wanted;
	uint32_t number;
	uint64_t deadline;
	volatile bool holds, may_go;
	bool spins;
	_Atomic uint64_t result; // of its wait, + 1
	uint64_t finished;
	struct worker worker;
};

static enum error wait_for(struct lock *lock, uint32_t number, uint64_t deadline)
{
	uint32_t word = lock->word;

	while (!(word & FUTEX_WAITERS) &&
		!atomic_compare_exchange_weak(&lock->word, &word, word | FUTEX_WAITERS))
		;
	return futex_wait_owned(
		HANDLE_SELF, (uintptr_t)&lock->word, word | FUTEX_WAITERS, lock->owner, number, deadline);
}

static uint64_t hand_over(struct lock *lock, uint32_t bits)
{
	uint64_t count = 0;

	EXPECT_OK(futex_hand_over(HANDLE_SELF, (uintptr_t)&lock->word, lock->word, bits, &count));
	return count;
}

static uint64_t hold(void *argument)
{
	struct holder *holder = argument;
	enum error error = ERR_OK;

	if (holder->own) {
		holder->own->word = holder->number;
		holder->holds = true;
	}
	if (holder->wanted) {
		error = wait_for(holder->wanted, holder->number, holder->deadline);
		holder->finished = now();
		holder->result = (uint64_t)error + 1;
		if (!error) {
			holder->wanted->owner = holder->worker.thread;
			hand_over(holder->wanted, 0);
		}
	} else {
		while (!holder->may_go)
			if (!holder->spins)
				thread_sleep(after(MILLISECOND));
	}
	if (holder->own)
		hand_over(holder->own, 0);
	return (uint64_t)error;
}

static struct thread_info info_of(const struct worker *worker)
{
	struct thread_info info = {0};

	EXPECT_OK(thread_info(worker->thread, &info));
	return info;
}

static void expect_priority(const struct holder *holder, uint64_t priority)
{
	EXPECT_EQUAL(info_of(&holder->worker).priority, priority);
}

// The same once a thread that waits has told what it waits for, link by link.
static void expect_priority_soon(const struct holder *holder, uint64_t priority)
{
	uint64_t deadline = after(60000 * MILLISECOND);

	while (info_of(&holder->worker).priority != priority && now() < deadline)
		thread_sleep(after(MILLISECOND));
	expect_priority(holder, priority);
}

// It owns its lock, and waits for the other one or has waited.
static bool is_there(const struct holder *holder)
{
	return (!holder->own || holder->holds) &&
		(!holder->wanted || holder->result || info_of(&holder->worker).state == THREAD_BLOCKED);
}

static bool start_on(struct holder *holder, uint32_t priority, uint64_t affinity)
{
	struct thread_attributes attributes = {.name = "holder", .priority = priority, .affinity = affinity};
	uint64_t deadline = after(60000 * MILLISECOND);

	if (holder->deadline == 0)
		holder->deadline = DEADLINE_NEVER;
	holder->result = 0;
	if (!worker_start_with(&holder->worker, hold, holder, &attributes))
		return false;
	if (holder->own)
		holder->own->owner = holder->worker.thread;
	while (!is_there(holder) && now() < deadline)
		thread_sleep(after(MILLISECOND));
	return is_there(holder);
}

static bool start(struct holder *holder, uint32_t priority)
{
	return start_on(holder, priority, 0);
}

static uint64_t end(struct holder *holder)
{
	holder->may_go = true;
	return worker_join(&holder->worker);
}

TEST(futex_owner_inherits_and_gives_back)
{
	struct lock lock = {0};
	struct holder low = {.own = &lock, .number = 1}, high = {.wanted = &lock, .number = 2};

	REQUIRE(start(&low, LOW));
	expect_priority(&low, LOW);
	REQUIRE(start(&high, HIGH));
	expect_priority_soon(&low, HIGH);
	EXPECT_EQUAL(info_of(&low.worker).base_priority, LOW);
	EXPECT_EQUAL(lock.word, 1 | FUTEX_WAITERS);
	low.may_go = true;
	EXPECT_RESULT(OK, futex_wait_owned, end(&high));
	EXPECT_EQUAL(end(&low), ERR_OK);
	EXPECT_EQUAL(lock.word, 0);
}

static uint64_t spin(void *argument)
{
	volatile bool *stop = argument;

	while (!*stop)
		;
	return 0;
}

// On one CPU a low thread owns what a high one waits for, while a medium one would have the CPU for itself.
TEST(futex_owner_bounds_priority_inversion)
{
	struct thread_attributes medium = {.name = "medium", .priority = MEDIUM, .affinity = 1};
	struct lock lock = {0};
	struct holder low = {.own = &lock, .number = 1, .spins = true};
	struct holder high = {.wanted = &lock, .number = 2};
	static volatile bool stop;
	struct worker computing;

	stop = false;
	REQUIRE(start_on(&low, LOW, 1));
	REQUIRE(worker_start_with(&computing, spin, (void *)&stop, &medium));
	low.may_go = true;
	REQUIRE(start_on(&high, HIGH, 1));
	// The medium one computes as long as it lives: without inheritance the low one would hand nothing over.
	EXPECT_EQUAL(end(&high), ERR_OK);
	EXPECT(!stop && info_of(&computing).state <= THREAD_RUNNING);
	stop = true;
	worker_join(&computing);
	EXPECT_EQUAL(end(&low), ERR_OK);
}

// Each owns what the next one waits for.
static bool start_chain(struct lock *locks, struct holder *holders, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		holders[i] = (struct holder){
			.own = &locks[i], .wanted = i > 0 ? &locks[i - 1] : NULL, .number = i + 1};
		if (!start(&holders[i], LOW + i))
			return false;
	}
	return true;
}

static void end_chain(struct holder *holders, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		EXPECT_EQUAL(end(&holders[i]), ERR_OK);
}

TEST(futex_owner_inherits_along_a_chain)
{
	struct lock locks[LINKS] = {0};
	struct holder holders[LINKS], high = {.wanted = &locks[2], .number = 50};

	REQUIRE(start_chain(locks, holders, 3));
	for (unsigned i = 0; i < 3; i++)
		expect_priority_soon(&holders[i], LOW + 2);
	REQUIRE(start(&high, HIGH));
	for (unsigned i = 0; i < 3; i++)
		expect_priority_soon(&holders[i], HIGH);
	// A change of the priority of one who waits goes all the way as well.
	EXPECT_OK(thread_set_priority(high.worker.thread, HIGH - 1));
	for (unsigned i = 0; i < 3; i++)
		expect_priority(&holders[i], HIGH - 1);
	holders[0].may_go = true;
	EXPECT_EQUAL(end(&high), ERR_OK);
	end_chain(holders, 3);
	for (unsigned i = 0; i < 3; i++)
		EXPECT_EQUAL(locks[i].word, 0);
}

TEST(futex_owner_inherits_along_a_long_chain)
{
	struct lock locks[LINKS] = {0};
	struct holder holders[LINKS], high = {.wanted = &locks[LINKS - 1], .number = 50};

	REQUIRE(start_chain(locks, holders, LINKS));
	REQUIRE(start(&high, HIGH));
	for (unsigned i = 0; i < LINKS; i++)
		expect_priority_soon(&holders[i], HIGH);
	EXPECT_OK(thread_kill(high.worker.thread, 0));
	worker_join(&high.worker);
	for (unsigned i = 0; i < LINKS; i++)
		expect_priority_soon(&holders[i], LOW + LINKS - 1);
	REQUIRE(start(&high, HIGH));
	for (unsigned i = 0; i < LINKS; i++)
		expect_priority_soon(&holders[i], HIGH);
	holders[0].may_go = true;
	EXPECT_EQUAL(end(&high), ERR_OK);
	end_chain(holders, LINKS);
}

TEST(futex_owner_gives_back_as_waits_end)
{
	struct lock lock = {0};
	struct holder low = {.own = &lock, .number = 1}, medium = {.wanted = &lock, .number = 2};
	struct holder high = {.wanted = &lock, .number = 3}, higher = {.wanted = &lock, .number = 4};

	REQUIRE(start(&low, LOW));
	REQUIRE(start(&medium, MEDIUM));
	REQUIRE(start(&high, HIGH));
	expect_priority_soon(&low, HIGH);
	// Killed.
	EXPECT_OK(thread_kill(high.worker.thread, 77));
	EXPECT_EQUAL(worker_join(&high.worker), 77);
	expect_priority(&low, MEDIUM);
	// Timed out.
	higher.deadline = after(300 * MILLISECOND);
	REQUIRE(start(&higher, HIGH + 1));
	EXPECT_EQUAL(end(&higher), ERR_TIMED_OUT);
	expect_priority(&low, MEDIUM);
	EXPECT_OK(thread_kill(medium.worker.thread, 0));
	worker_join(&medium.worker);
	expect_priority(&low, LOW);
	EXPECT_EQUAL(lock.word, 1 | FUTEX_WAITERS);
	EXPECT_EQUAL(end(&low), ERR_OK);
	EXPECT_EQUAL(lock.word, 0);
}

// The best one gets it, and inherits from those who still wait; of equal ones the first.
TEST(futex_is_handed_over_by_priority)
{
	static const uint32_t priorities[] = {MEDIUM, HIGH, LOW + 1, HIGH, MEDIUM}, order[] = {1, 3, 0, 4, 2};
	struct lock lock = {0};
	struct holder low = {.own = &lock, .number = 1};
	struct holder holders[5];
	_Atomic uint32_t other = 0;
	uint64_t woken;

	REQUIRE(start(&low, LOW));
	for (unsigned i = 0; i < 5; i++) {
		holders[i] = (struct holder){.wanted = &lock, .number = 10 + i};
		REQUIRE(start(&holders[i], priorities[i]));
	}
	// Neither waking nor moving concerns them.
	EXPECT_OK(futex_wake(HANDLE_SELF, (uintptr_t)&lock.word, 10, &woken));
	EXPECT_EQUAL(woken, 0);
	EXPECT_OK(futex_requeue(
		HANDLE_SELF, (uintptr_t)&lock.word, lock.word, 5, (uintptr_t)&other, 5, &woken));
	EXPECT_EQUAL(woken, 0);
	expect_priority_soon(&low, HIGH);
	low.may_go = true;
	for (unsigned i = 0; i < 5; i++)
		EXPECT_EQUAL(worker_join(&holders[i].worker), ERR_OK);
	for (unsigned i = 1; i < 5; i++)
		EXPECT(holders[order[i - 1]].finished <= holders[order[i]].finished);
	EXPECT_EQUAL(end(&low), ERR_OK);
	EXPECT_EQUAL(lock.word, 0);
}

TEST(futex_new_owner_inherits_from_the_others)
{
	struct lock lock = {.word = 1}, first = {0};
	struct holder own = {.own = &first, .number = 2}, other = {.wanted = &lock, .number = 3};
	struct holder taker = {.wanted = &lock, .number = 4};

	// The owner is a thread that does nothing; this one hands over in its place.
	REQUIRE(start(&own, LOW));
	lock.owner = own.worker.thread;
	REQUIRE(start(&other, MEDIUM));
	REQUIRE(start(&taker, HIGH));
	EXPECT_OK(thread_suspend(taker.worker.thread));
	EXPECT_EQUAL(hand_over(&lock, DIED), 1);
	EXPECT_EQUAL(lock.word, 4 | FUTEX_WAITERS | DIED);
	expect_priority(&own, LOW);
	EXPECT_OK(thread_set_priority(taker.worker.thread, LOW + 1));
	expect_priority(&taker, MEDIUM);
	EXPECT_OK(thread_resume(taker.worker.thread));
	EXPECT_EQUAL(end(&other), ERR_OK);
	EXPECT_EQUAL(end(&taker), ERR_OK);
	EXPECT_EQUAL(lock.word, 0);
	EXPECT_EQUAL(end(&own), ERR_OK);
}

// Nobody inherits until somebody is named.
TEST(futex_without_an_owner)
{
	struct lock lock = {.word = 1}, first = {0};
	struct holder own = {.own = &first, .number = 2}, high = {.wanted = &lock, .number = 3};
	struct holder medium = {.wanted = &lock, .number = 4};

	REQUIRE(start(&own, LOW));
	REQUIRE(start(&high, HIGH));
	expect_priority(&own, LOW);
	lock.owner = own.worker.thread;
	REQUIRE(start(&medium, MEDIUM));
	expect_priority_soon(&own, HIGH);
	EXPECT_EQUAL(hand_over(&lock, 0), 1);
	expect_priority(&own, LOW);
	EXPECT_EQUAL(end(&high), ERR_OK);
	EXPECT_EQUAL(end(&medium), ERR_OK);
	EXPECT_EQUAL(lock.word, 0);
	EXPECT_EQUAL(end(&own), ERR_OK);
}

TEST(futex_owner_dies)
{
	struct lock lock = {0};
	struct holder low = {.own = &lock, .number = 1}, medium = {.wanted = &lock, .number = 2};
	struct holder high = {.wanted = &lock, .number = 3}, late = {.wanted = &lock, .number = 4};

	REQUIRE(start(&low, LOW));
	REQUIRE(start(&medium, MEDIUM));
	REQUIRE(start(&high, HIGH));
	EXPECT_OK(thread_kill(low.worker.thread, 0));
	// The best one is told; the other one waits for it, until it has ended too.
	EXPECT_RESULT(PEER_CLOSED, futex_wait_owned, worker_join(&high.worker));
	EXPECT_RESULT(PEER_CLOSED, futex_wait_owned, worker_join(&medium.worker));
	EXPECT_EQUAL(lock.word, 1 | FUTEX_WAITERS);
	REQUIRE(worker_start(&late.worker, hold, &late));
	EXPECT_RESULT(PEER_CLOSED, futex_wait_owned, worker_join(&late.worker));
	worker_join(&low.worker);
}

// What it inherits goes with its futex, and may go before it has run: what its killer gives it stays.
TEST(futex_owner_is_killed_while_it_inherits)
{
	struct thread_info self = {0};
	struct lock lock = {0};
	struct holder low = {.own = &lock, .number = 1}, high = {.wanted = &lock, .number = 2};

	REQUIRE_OK(thread_info(HANDLE_SELF, &self));
	REQUIRE(start(&low, LOW));
	REQUIRE(start(&high, self.base_priority));
	expect_priority(&low, self.base_priority);
	EXPECT_OK(thread_kill(low.worker.thread, 9));
	EXPECT_EQUAL(info_of(&low.worker).base_priority, self.base_priority);
	EXPECT_EQUAL(worker_join(&low.worker), 9);
	EXPECT_EQUAL(end(&high), ERR_PEER_CLOSED);
}

// The owner is where a more urgent thread keeps it from running, and comes to where none does.
TEST(futex_owner_is_moved_to_another_cpu)
{
	struct thread_attributes more = {.name = "more", .priority = HIGH + 1, .affinity = 1};
	struct lock lock = {0};
	struct holder low = {.own = &lock, .number = 1, .spins = true};
	struct holder high = {.wanted = &lock, .number = 2};
	static volatile bool stop;
	struct worker computing;
	struct thread_info info;

	if (thread_info(HANDLE_SELF, &info) || !(info.affinity & 2) ||
		thread_set_affinity(HANDLE_SELF, 2) != ERR_OK)
		return;
	stop = false;
	REQUIRE(start_on(&low, LOW, 1));
	REQUIRE(worker_start_with(&computing, spin, (void *)&stop, &more));
	REQUIRE(start_on(&high, HIGH, 2));
	expect_priority_soon(&low, HIGH);
	EXPECT_OK(thread_set_affinity(low.worker.thread, 2));
	expect_priority(&low, HIGH);
	low.may_go = true;
	EXPECT_EQUAL(end(&high), ERR_OK);
	EXPECT_EQUAL(end(&low), ERR_OK);
	stop = true;
	worker_join(&computing);
	EXPECT_OK(thread_set_affinity(HANDLE_SELF, info.affinity));
}

// Who has inherited a priority cannot hand it on to others for good.
static uint64_t uses_authority(void *argument)
{
	struct holder *holder = argument;
	struct thread_attributes attributes = {.name = "never",
		.priority = HIGH,
		.entry = (uintptr_t)hold,
		.stack_pointer = PAGE_SIZE,
		.flags = THREAD_SUSPENDED};
	handle_t thread;

	holder->own->word = holder->number;
	holder->holds = true;
	while (!holder->may_go)
		thread_sleep(after(MILLISECOND));
	if (thread_set_priority(HANDLE_SELF, HIGH) != ERR_NO_RIGHTS)
		return 1;
	if (thread_create(HANDLE_SELF, &attributes, &thread) != ERR_INVALID_ARGUMENT)
		return 2;
	hand_over(holder->own, 0);
	return 0;
}

TEST(futex_owner_has_no_authority_from_its_priority)
{
	struct thread_attributes attributes = {.name = "holder", .priority = LOW};
	struct lock lock = {0};
	struct holder low = {.own = &lock, .number = 1}, high = {.wanted = &lock, .number = 2};

	REQUIRE(worker_start_with(&low.worker, uses_authority, &low, &attributes));
	lock.owner = low.worker.thread;
	while (!low.holds)
		thread_sleep(after(MILLISECOND));
	REQUIRE(start(&high, HIGH));
	expect_priority_soon(&low, HIGH);
	EXPECT_EQUAL(end(&low), 0);
	EXPECT_EQUAL(end(&high), ERR_OK);
}

TEST(futex_owner_must_not_wait_for_itself)
{
	struct lock locks[3] = {0};
	struct holder holders[3];
	uintptr_t word = (uintptr_t)&locks[0].word;
	handle_t fewer;
	uint64_t count;

	locks[0].word = 5;
	EXPECT_ERROR(MISMATCH, futex_wait_owned(HANDLE_SELF, word, 4, HANDLE_SELF, 1, 0));
	EXPECT_ERROR(DEADLOCK, futex_wait_owned(HANDLE_SELF, word, 5, HANDLE_SELF, 1, 0));
	REQUIRE(start_chain(locks, holders, 2));
	// The second one waits for the first: who would wait for the futex that it waits for cannot name it.
	EXPECT_ERROR(
		DEADLOCK, futex_wait_owned(HANDLE_SELF, word, locks[0].word, holders[1].worker.thread, 1, 0));
	EXPECT_ERROR(TIMED_OUT,
		futex_wait_owned(HANDLE_SELF, word, locks[0].word, holders[0].worker.thread, 1, 0));
	EXPECT_ERROR(
		INVALID_ARGUMENT, futex_wait_owned(HANDLE_SELF, word + 2, 5, holders[0].worker.thread, 1, 0));
	EXPECT_ERROR(BAD_ADDRESS, futex_wait_owned(HANDLE_SELF, 8, 5, holders[0].worker.thread, 1, 0));
	EXPECT_ERROR(MISMATCH, futex_hand_over(HANDLE_SELF, word, 5, 0, &count));
	EXPECT_ERROR(INVALID_ARGUMENT, futex_hand_over(HANDLE_SELF, word + 1, 5, 0, &count));
	EXPECT_ERROR(BAD_ADDRESS, futex_hand_over(HANDLE_SELF, UINT64_MAX - 3, 5, 0, &count));
	fewer = without(holders[0].worker.thread, RIGHT_CONTROL);
	EXPECT_ERROR(NO_RIGHTS, futex_wait_owned(HANDLE_SELF, word, locks[0].word, fewer, 1, 0));
	handle_close(fewer);
	end_chain(holders, 2);
}

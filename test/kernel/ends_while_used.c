// SPDX-License-Identifier: MIT
//
// What one thread looks up while another gives up the last that keeps it: the one comes first, or the other does, and nothing is lost.
// On several CPUs both happen; the kernel's own assertions, and the account's balance, tell when neither did.

#include "test.h"

#define ROUNDS   400
#define PATIENCE (60000 * MILLISECOND)

struct race {
	struct worker other;
	void (*give_up)(handle_t handle);
	_Atomic handle_t given; // to the other thread, round by round
	atomic_bool ended;
};

// Awake at first, so that both act at once; but where CPUs take turns it is the other one's turn sooner.
static void wait_a_little(unsigned *waits)
{
	if (++*waits % 1000 == 0)
		thread_sleep(after(MILLISECOND / 10));
	else
		thread_yield();
}

static uint64_t give_up_each(void *argument)
{
	struct race *race = argument;
	unsigned waits = 0;

	while (!atomic_load(&race->ended)) {
		handle_t handle = atomic_load(&race->given);

		if (handle) {
			race->give_up(handle);
			atomic_store(&race->given, HANDLE_NONE);
		} else {
			wait_a_little(&waits);
		}
	}
	return 0;
}

static bool race_start(struct race *race, void (*give_up)(handle_t handle))
{
	*race = (struct race){.give_up = give_up};
	return worker_start(&race->other, give_up_each, race);
}

static void race_wait(struct race *race)
{
	unsigned waits = 0;

	while (atomic_load(&race->given))
		wait_a_little(&waits);
}

static void race_end(struct race *race)
{
	atomic_store(&race->ended, true);
	worker_join(&race->other);
}

static void close_it(handle_t handle)
{
	handle_close(handle);
}

TEST(account_is_closed_while_a_process_is_made_in_it)
{
	struct race race;

	REQUIRE(race_start(&race, close_it));
	for (unsigned i = 0; i < ROUNDS; i++) {
		handle_t account, process;
		enum error error;

		REQUIRE_OK(account_create(start_handle(START_ACCOUNT), 100, 100, &account));
		atomic_store(&race.given, account);
		error = process_create(account, "late", &process);
		EXPECT(error == ERR_OK || error == ERR_BAD_HANDLE || error == ERR_NO_MEMORY);
		if (error == ERR_OK)
			handle_close(process);
		race_wait(&race);
	}
	race_end(&race);
}

static void kill_it(handle_t handle)
{
	process_kill(handle, 0);
}

// The account has the process's pages back, those of its handles too.
TEST(process_is_killed_while_it_is_granted_a_handle)
{
	struct account_info before, later = {.pages_used = UINT64_MAX};
	handle_t account, process, granted;
	struct race race;

	REQUIRE_OK(account_create(start_handle(START_ACCOUNT), 1000, 1000, &account));
	EXPECT_OK(account_info(account, &before));
	REQUIRE(race_start(&race, kill_it));
	for (unsigned i = 0; i < ROUNDS; i++) {
		enum error error;

		REQUIRE_OK(process_create(account, "granted", &process));
		atomic_store(&race.given, process);
		error = handle_grant(process, account, RIGHTS_SAME, &granted);
		EXPECT(error == ERR_OK || error == ERR_BAD_STATE);
		race_wait(&race);
		handle_close(process);
	}
	race_end(&race);
	for (uint64_t end = after(PATIENCE); later.pages_used != before.pages_used && now() < end;) {
		thread_sleep(after(MILLISECOND));
		EXPECT_OK(account_info(account, &later));
	}
	EXPECT_EQUAL(later.pages_used, before.pages_used);
	handle_close(account);
}

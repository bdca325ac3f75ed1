// SPDX-License-Identifier: MIT
//
// Revocation: what is derived from a handle goes, wherever it is, and nothing else does.

#include "test.h"

static bool is_good(handle_t handle)
{
	struct handle_info info;

	return handle_info(handle, &info) == ERR_OK;
}

static bool is_gone(handle_t handle)
{
	struct handle_info info;

	return handle_info(handle, &info) == ERR_BAD_HANDLE;
}

static uint64_t handles_of(handle_t process)
{
	struct process_info info = {0};

	EXPECT_OK(process_info(process, &info));
	return info.handle_count;
}

TEST(revoke_children_and_grandchildren)
{
	handle_t root, child, grandchild, other;

	REQUIRE_OK(notification_create(&root));
	REQUIRE_OK(handle_duplicate(root, RIGHTS_SAME, &child));
	REQUIRE_OK(handle_duplicate(child, RIGHTS_SAME, &grandchild));
	REQUIRE_OK(handle_duplicate(root, RIGHTS_SAME, &other));
	EXPECT_OK(handle_revoke(grandchild));
	EXPECT(is_good(grandchild));
	EXPECT_OK(handle_revoke(child));
	EXPECT(is_gone(grandchild) && is_good(child) && is_good(other));
	EXPECT_OK(handle_revoke(root));
	EXPECT(is_gone(child) && is_gone(other) && is_good(root));
	EXPECT_ERROR(BAD_HANDLE, notification_signal(child, 1));
	EXPECT_OK(notification_signal(root, 1));
	handle_close(root);
}

TEST(revoke_stale_and_bad_handles)
{
	handle_t root, child;

	REQUIRE_OK(notification_create(&root));
	REQUIRE_OK(handle_duplicate(root, RIGHTS_SAME, &child));
	EXPECT_OK(handle_revoke(root));
	EXPECT_ERROR(BAD_HANDLE, handle_revoke(child));
	EXPECT_ERROR(BAD_HANDLE, handle_close(child));
	EXPECT_ERROR(BAD_HANDLE, handle_duplicate(child, RIGHTS_SAME, &child));
	EXPECT_ERROR(BAD_HANDLE, handle_revoke(HANDLE_NONE));
	EXPECT_ERROR(BAD_HANDLE, handle_revoke(HANDLE_SELF));
	handle_close(root);
	EXPECT_ERROR(BAD_HANDLE, handle_revoke(root));
}

TEST(revoke_reaches_past_closed_handles)
{
	handle_t root, child, grandchild;

	REQUIRE_OK(notification_create(&root));
	REQUIRE_OK(handle_duplicate(root, RIGHTS_SAME, &child));
	REQUIRE_OK(handle_duplicate(child, RIGHTS_SAME, &grandchild));
	handle_close(child);
	EXPECT(is_good(grandchild));
	EXPECT_OK(handle_revoke(root));
	EXPECT(is_gone(grandchild));
	handle_close(root);
}

TEST(revoke_badged_copies)
{
	handle_t plain, red, blue, red_copy;

	REQUIRE_OK(notification_create(&plain));
	REQUIRE_OK(handle_mint(plain, RIGHTS_SAME, 1, &red));
	REQUIRE_OK(handle_mint(plain, RIGHTS_SAME, 2, &blue));
	REQUIRE_OK(handle_duplicate(red, RIGHTS_SAME, &red_copy));
	EXPECT_OK(handle_revoke(red));
	EXPECT(is_gone(red_copy) && is_good(red) && is_good(blue));
	EXPECT_OK(handle_revoke(plain));
	EXPECT(is_gone(red) && is_gone(blue) && is_good(plain));
	handle_close(plain);
}

TEST(revoke_many)
{
	enum { MANY = 3000 };
	uint64_t before = handles_of(HANDLE_SELF);
	handle_t root, last;

	REQUIRE_OK(notification_create(&root));
	last = root;
	// A chain and a fan.
	for (unsigned i = 0; i < MANY; i++) {
		handle_t next;

		REQUIRE_OK(handle_duplicate(i % 2 ? root : last, RIGHTS_SAME, &next));
		if (i % 2 == 0)
			last = next;
	}
	EXPECT_EQUAL(handles_of(HANDLE_SELF), before + 1 + MANY);
	EXPECT_OK(handle_revoke(root));
	EXPECT_EQUAL(handles_of(HANDLE_SELF), before + 1);
	handle_close(root);
}

// --- Other processes

enum { SUBJECT, READY, GO };

static uint64_t use_until_revoked(uint64_t argument)
{
	handle_t copy;
	uint64_t bits, bad = 0;

	(void)argument;
	if (handle_duplicate(child_given[SUBJECT], RIGHTS_SAME, &copy) != ERR_OK)
		return 100;
	if (notification_signal(copy, 8) != ERR_OK)
		return 101;
	notification_signal(child_given[READY], 1);
	notification_wait(child_given[GO], DEADLINE_NEVER, &bits);
	bad += notification_signal(copy, 1) == ERR_BAD_HANDLE;
	bad += notification_signal(child_given[SUBJECT], 1) == ERR_BAD_HANDLE;
	return bad;
}

TEST(revoke_in_other_processes)
{
	struct child children[2];
	handle_t given[3], go[2];
	uint64_t bits;

	REQUIRE_OK(notification_create(&given[SUBJECT]));
	REQUIRE_OK(notification_create(&given[READY]));
	for (unsigned i = 0; i < 2; i++) {
		REQUIRE_OK(notification_create(&go[i]));
		given[GO] = go[i];
		REQUIRE(child_start(&children[i], use_until_revoked, 0, given, 3));
		EXPECT_OK(notification_wait(given[READY], after(10000 * MILLISECOND), &bits));
	}
	EXPECT_EQUAL(handles_of(children[0].process), 4);
	EXPECT_OK(handle_revoke(given[SUBJECT]));
	EXPECT_EQUAL(handles_of(children[0].process), 2);
	EXPECT_OK(notification_poll(given[SUBJECT], &bits));
	for (unsigned i = 0; i < 2; i++) {
		EXPECT_OK(notification_signal(go[i], 1));
		EXPECT_EQUAL(child_wait(&children[i]).exit_status, 2);
		EXPECT_OK(handle_close(go[i]));
	}
	handle_close(given[SUBJECT]);
	handle_close(given[READY]);
}

static uint64_t end_at_once(uint64_t argument)
{
	handle_t copy;

	handle_duplicate(child_given[SUBJECT], RIGHTS_SAME, &copy);
	return argument;
}

TEST(revoke_while_the_holder_ends)
{
	handle_t subject;

	REQUIRE_OK(notification_create(&subject));
	for (unsigned i = 0; i < 20; i++) {
		struct child child;

		REQUIRE(child_start(&child, end_at_once, i, &subject, 1));
		EXPECT_OK(handle_revoke(subject));
		EXPECT_EQUAL(child_wait(&child).exit_status, i);
		EXPECT_OK(handle_revoke(subject));
	}
	EXPECT_OK(handle_close(subject));
}

// --- Messages

struct keeper {
	handle_t endpoint;
	struct worker worker;
	handle_t kept;
};

// Takes a capability and answers with one derived from it.
static uint64_t keep(void *argument)
{
	struct keeper *keeper = argument;
	struct message message = {0};
	enum error error = endpoint_receive(keeper->endpoint, &message);

	keeper->kept = keeper->worker.buffer->capabilities[0];
	message = (struct message){.info = MESSAGE_INFO(0, 0, 1)};
	return error ? error : endpoint_reply(HANDLE_NONE, &message);
}

static bool send_to_keeper(struct keeper *keeper, handle_t sent, handle_t *returned)
{
	struct message message = {.info = MESSAGE_INFO(0, 0, 1)};

	if (endpoint_create(&keeper->endpoint) || !worker_start(&keeper->worker, keep, keeper))
		return false;
	message_buffer()->capabilities[0] = sent;
	EXPECT_OK(endpoint_call(keeper->endpoint, &message));
	EXPECT_EQUAL(message_capabilities(message.info), 1);
	*returned = message_buffer()->capabilities[0];
	EXPECT_EQUAL(worker_join(&keeper->worker), ERR_OK);
	return true;
}

TEST(revoke_what_was_sent_and_answered)
{
	handle_t root, returned;
	struct keeper keeper;

	REQUIRE_OK(notification_create(&root));
	REQUIRE(send_to_keeper(&keeper, root, &returned));
	EXPECT_OK(handle_revoke(keeper.kept));
	EXPECT(is_good(keeper.kept) && is_gone(returned));
	EXPECT_OK(handle_revoke(root));
	EXPECT(is_gone(keeper.kept) && is_good(root));
	handle_close(root);
	handle_close(keeper.endpoint);
}

TEST(rights_and_badge_survive_each_way)
{
	const rights_t rights = RIGHT_SEND | RIGHT_TRANSFER | RIGHT_BIND;
	handle_t root, sent, returned, process, granted;
	struct handle_info infos[2];
	struct keeper keeper;

	REQUIRE_OK(notification_create(&root));
	REQUIRE_OK(handle_mint(root, rights, 0x77, &sent));
	REQUIRE(send_to_keeper(&keeper, sent, &returned));
	EXPECT_OK(handle_info(keeper.kept, &infos[0]));
	EXPECT_OK(handle_info(returned, &infos[1]));
	for (unsigned i = 0; i < 2; i++) {
		EXPECT_EQUAL(infos[i].rights, rights);
		EXPECT_EQUAL(infos[i].badge, 0x77);
	}
	EXPECT_ERROR(NO_RIGHTS, handle_duplicate(returned, RIGHTS_SAME, &granted));
	REQUIRE_OK(process_create(start_handle(START_ACCOUNT), "taker", &process));
	EXPECT_ERROR(NO_RIGHTS, handle_grant(process, returned, rights | RIGHT_RECEIVE, &granted));
	EXPECT_OK(handle_grant(process, returned, RIGHTS_SAME, &granted));
	EXPECT_EQUAL(handles_of(process), 1);
	EXPECT_OK(handle_revoke(root));
	EXPECT_EQUAL(handles_of(process), 0);
	handle_close(process);
	handle_close(root);
	handle_close(keeper.endpoint);
}

TEST(receive_right_travels_through_its_own_endpoint)
{
	struct message message = {.info = MESSAGE_INFO(0, 0, 1)};
	struct keeper keeper;

	REQUIRE_OK(endpoint_create(&keeper.endpoint));
	REQUIRE(worker_start(&keeper.worker, keep, &keeper));
	EXPECT(wait_for_state(keeper.worker.thread, THREAD_BLOCKED));
	message_buffer()->capabilities[0] = keeper.endpoint;
	EXPECT_OK(endpoint_call(keeper.endpoint, &message));
	EXPECT_EQUAL(worker_join(&keeper.worker), ERR_OK);
	EXPECT(is_good(keeper.kept) && is_good(message_buffer()->capabilities[0]));
	EXPECT_OK(handle_revoke(keeper.endpoint));
	EXPECT(is_gone(keeper.kept));
	handle_close(keeper.endpoint);
}

// --- At the same time

struct deriver {
	handle_t source;
	struct worker worker;
	uint64_t busy;
	atomic_bool *begin;
};

// Derives from what it derived, until it is all gone.
static uint64_t derive_until_gone(void *argument)
{
	struct deriver *deriver = argument;
	handle_t last = deriver->source;

	while (!atomic_load(deriver->begin))
		thread_yield();
	for (;;) {
		handle_t next;
		enum error error = handle_duplicate(last, RIGHTS_SAME, &next);

		if (error == ERR_BUSY)
			deriver->busy++;
		else if (error == ERR_OK)
			last = next;
		else if (error == ERR_NO_SLOTS || error == ERR_NO_MEMORY)
			thread_yield();
		else
			return error;
	}
}

TEST(revoke_while_others_derive)
{
	uint64_t before = handles_of(HANDLE_SELF);
	struct deriver derivers[3];
	atomic_bool begin = false;
	handle_t root;

	REQUIRE_OK(notification_create(&root));
	for (unsigned i = 0; i < 3; i++) {
		derivers[i].busy = 0;
		derivers[i].begin = &begin;
		REQUIRE_OK(handle_duplicate(root, RIGHTS_SAME, &derivers[i].source));
		REQUIRE(worker_start(&derivers[i].worker, derive_until_gone, &derivers[i]));
	}
	// They fill the table, so all is there before the first begins.
	atomic_store(&begin, true);
	thread_sleep(after(10 * MILLISECOND));
	EXPECT_OK(handle_revoke(root));
	for (unsigned i = 0; i < 3; i++) {
		EXPECT(is_gone(derivers[i].source));
		EXPECT_EQUAL(worker_join(&derivers[i].worker), ERR_BAD_HANDLE);
	}
	EXPECT_EQUAL(handles_of(HANDLE_SELF), before + 1);
	handle_close(root);
}

static uint64_t revoke_all(void *argument)
{
	enum error error = ERR_OK;

	for (unsigned i = 0; i < 200 && error == ERR_OK; i++)
		error = handle_revoke(*(handle_t *)argument);
	return error;
}

TEST(revoke_by_several_at_once)
{
	uint64_t before = handles_of(HANDLE_SELF), made = 0;
	struct worker workers[3];
	handle_t root;

	REQUIRE_OK(notification_create(&root));
	for (unsigned i = 0; i < 3; i++)
		REQUIRE(worker_start(&workers[i], revoke_all, &root));
	// One that does not run may be in the middle of a revocation for as long as its host likes.
	for (unsigned i = 0; i < 2000 || made == 0; i++) {
		handle_t copy;
		enum error error = handle_duplicate(root, RIGHTS_SAME, &copy);

		made += error == ERR_OK;
		REQUIRE(error == ERR_OK || error == ERR_BUSY);
	}
	for (unsigned i = 0; i < 3; i++)
		EXPECT_EQUAL(worker_join(&workers[i]), ERR_OK);
	EXPECT_OK(handle_revoke(root));
	EXPECT_EQUAL(handles_of(HANDLE_SELF), before + 1);
	handle_close(root);
}

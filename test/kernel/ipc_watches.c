// SPDX-License-Identifier: MIT
//
// What a server is told of a caller that stops waiting before it has its answer.

#include "test.h"

#define SOON   (20 * MILLISECOND)
#define BITS   4
#define KILLED 1000 // the caller's status then

// A call that has been accepted. `reply`: saved, or HANDLE_NONE.
struct scene {
	handle_t endpoint, notification, reply;
	uint64_t patience; // of the caller, in nanoseconds
	atomic_bool accepted;
	struct worker caller;
};

#define PATIENT DEADLINE_NEVER

static uint64_t run_call(void *argument)
{
	struct scene *scene = argument;
	enum error error;

	// Its time may have been out before anybody received.
	do {
		struct message message = {.info = scene->patience == PATIENT ? 0 : MESSAGE_DEADLINE};

		scene->caller.buffer->deadline = after(scene->patience);
		error = endpoint_call(scene->endpoint, &message);
	} while (error == ERR_TIMED_OUT && !atomic_load(&scene->accepted));
	return error;
}

static bool accept(struct scene *scene, bool save)
{
	struct message message = {0};
	enum error error = endpoint_receive(scene->endpoint, &message);

	atomic_store(&scene->accepted, true);
	scene->reply = HANDLE_NONE;
	return error == ERR_OK && (!save || reply_save(&scene->reply) == ERR_OK);
}

static bool begin(struct scene *scene, uint64_t patience, bool save)
{
	scene->patience = patience;
	atomic_store(&scene->accepted, false);
	return endpoint_create(&scene->endpoint) == ERR_OK &&
		notification_create(&scene->notification) == ERR_OK &&
		worker_start(&scene->caller, run_call, scene) && accept(scene, save);
}

static enum error watch(const struct scene *scene)
{
	return reply_watch(scene->reply, scene->notification, BITS);
}

static enum error answer(const struct scene *scene)
{
	struct message message = {0};

	return endpoint_reply(scene->reply, &message);
}

static bool is_told(const struct scene *scene)
{
	uint64_t bits = 0;
	enum error error = notification_poll(scene->notification, &bits);

	EXPECT(error == ERR_WOULD_BLOCK || bits == BITS);
	return error == ERR_OK;
}

static bool is_told_soon(const struct scene *scene)
{
	uint64_t bits;

	return notification_wait(scene->notification, after(60000 * MILLISECOND), &bits) == ERR_OK &&
		bits == BITS;
}

static void end(const struct scene *scene)
{
	handle_close(scene->endpoint);
	handle_close(scene->notification);
}

static void kill_caller(struct scene *scene)
{
	EXPECT_OK(thread_kill(scene->caller.thread, KILLED));
}

TEST(reply_watch_caller_is_killed)
{
	struct scene scene;

	for (unsigned save = 0; save < 2; save++) {
		REQUIRE(begin(&scene, PATIENT, save));
		EXPECT_OK(watch(&scene));
		EXPECT(!is_told(&scene));
		kill_caller(&scene);
		EXPECT(is_told_soon(&scene));
		// It is gone, which is told once more to who asks once more.
		EXPECT_OK(watch(&scene));
		EXPECT(is_told(&scene));
		EXPECT_ERROR(GONE, answer(&scene));
		EXPECT(!is_told(&scene));
		EXPECT_EQUAL(worker_join(&scene.caller), KILLED);
		end(&scene);
	}
}

TEST(reply_watch_caller_went_before)
{
	struct scene scene;

	for (unsigned save = 0; save < 2; save++) {
		REQUIRE(begin(&scene, PATIENT, save));
		kill_caller(&scene);
		EXPECT_EQUAL(worker_join(&scene.caller), KILLED);
		EXPECT_OK(reply_watch(scene.reply, HANDLE_NONE, 0));
		EXPECT_OK(watch(&scene));
		EXPECT(is_told(&scene));
		EXPECT_ERROR(GONE, answer(&scene));
		end(&scene);
	}
}

TEST(reply_watch_caller_times_out)
{
	struct scene scene;

	for (unsigned save = 0; save < 2; save++) {
		REQUIRE(begin(&scene, SOON, save));
		EXPECT_OK(watch(&scene));
		EXPECT(is_told_soon(&scene));
		EXPECT_EQUAL(worker_join(&scene.caller), ERR_TIMED_OUT);
		EXPECT_ERROR(GONE, answer(&scene));
		end(&scene);
	}
}

static uint64_t child_calls(uint64_t argument)
{
	struct message message = {0};

	(void)argument;
	return endpoint_call(child_given[0], &message);
}

static uint64_t child_faults(uint64_t argument)
{
	*(volatile uint64_t *)argument = 1;
	return 0;
}

// Of a call, and of a fault, whose handler has it to answer as well.
TEST(reply_watch_process_is_killed)
{
	for (unsigned i = 0; i < 4; i++) {
		bool save = i % 2 != 0;
		struct scene scene;
		struct child child;

		REQUIRE_OK(endpoint_create(&scene.endpoint));
		REQUIRE_OK(notification_create(&scene.notification));
		REQUIRE(i < 2 ? child_start(&child, child_calls, 0, &scene.endpoint, 1)
			      : child_start_watched(&child, child_faults, 8, NULL, 0, scene.endpoint));
		REQUIRE(accept(&scene, save));
		EXPECT_OK(watch(&scene));
		EXPECT(!is_told(&scene));
		EXPECT_OK(process_kill(child.process, KILLED));
		EXPECT(is_told_soon(&scene));
		EXPECT_EQUAL(child_wait(&child).reason, EXIT_KILLED);
		EXPECT_ERROR(GONE, answer(&scene));
		end(&scene);
	}
}

TEST(reply_watch_call_is_answered)
{
	struct scene scene;

	for (unsigned save = 0; save < 2; save++) {
		REQUIRE(begin(&scene, PATIENT, save));
		EXPECT_OK(watch(&scene));
		EXPECT_OK(answer(&scene));
		EXPECT_EQUAL(worker_join(&scene.caller), ERR_OK);
		EXPECT(!is_told(&scene));
		end(&scene);
	}
}

// Its end is the server's own doing.
TEST(reply_watch_call_is_dropped)
{
	struct message message = {.info = MESSAGE_TRY};
	struct scene scene;

	REQUIRE(begin(&scene, PATIENT, true));
	EXPECT_OK(watch(&scene));
	handle_close(scene.reply);
	EXPECT_EQUAL(worker_join(&scene.caller), ERR_GONE);
	EXPECT(!is_told(&scene));
	end(&scene);
	REQUIRE(begin(&scene, PATIENT, false));
	EXPECT_OK(watch(&scene));
	EXPECT_ERROR(WOULD_BLOCK, endpoint_receive(scene.endpoint, &message));
	EXPECT_EQUAL(worker_join(&scene.caller), ERR_GONE);
	EXPECT(!is_told(&scene));
	end(&scene);
}

TEST(reply_watch_is_replaced_and_removed)
{
	struct scene scene;
	handle_t other;

	REQUIRE_OK(notification_create(&other));
	REQUIRE(begin(&scene, PATIENT, false));
	EXPECT_OK(reply_watch(scene.reply, other, 1));
	EXPECT_OK(reply_save(&scene.reply));
	EXPECT_OK(reply_watch(scene.reply, other, 2));
	EXPECT_OK(watch(&scene));
	kill_caller(&scene);
	EXPECT(is_told_soon(&scene));
	EXPECT_ERROR(WOULD_BLOCK, notification_poll(other, &(uint64_t){0}));
	EXPECT_EQUAL(worker_join(&scene.caller), KILLED);
	EXPECT_ERROR(GONE, answer(&scene));
	end(&scene);
	REQUIRE(begin(&scene, PATIENT, true));
	EXPECT_OK(watch(&scene));
	EXPECT_OK(reply_watch(scene.reply, HANDLE_NONE, 0));
	kill_caller(&scene);
	EXPECT_EQUAL(worker_join(&scene.caller), KILLED);
	EXPECT(!is_told(&scene));
	EXPECT_ERROR(GONE, answer(&scene));
	end(&scene);
	handle_close(other);
}

TEST(reply_watch_errors)
{
	struct scene scene;
	handle_t weak;

	REQUIRE(begin(&scene, PATIENT, false));
	weak = without(scene.notification, RIGHT_SEND);
	EXPECT_ERROR(INVALID_ARGUMENT, reply_watch(HANDLE_NONE, scene.notification, 0));
	EXPECT_ERROR(NO_RIGHTS, reply_watch(HANDLE_NONE, weak, 1));
	EXPECT_ERROR(WRONG_TYPE, reply_watch(HANDLE_NONE, scene.endpoint, 1));
	EXPECT_OK(reply_save(&scene.reply));
	EXPECT_ERROR(BAD_STATE, reply_watch(HANDLE_NONE, scene.notification, 1));
	EXPECT_ERROR(INVALID_ARGUMENT, reply_watch(scene.reply, scene.notification, 0));
	EXPECT_OK(answer(&scene));
	EXPECT_ERROR(BAD_HANDLE, watch(&scene));
	EXPECT_EQUAL(worker_join(&scene.caller), ERR_OK);
	handle_close(weak);
	end(&scene);
}

TEST(revoke_ends_watches_of_replies)
{
	struct scene scene;
	handle_t copy;

	// `i`: whether the watch was made through what is revoked.
	for (unsigned i = 0; i < 2; i++) {
		REQUIRE(begin(&scene, PATIENT, true));
		REQUIRE_OK(handle_duplicate(scene.notification, RIGHTS_SAME, &copy));
		EXPECT_OK(reply_watch(scene.reply, i ? copy : scene.notification, BITS));
		EXPECT_OK(handle_revoke(scene.notification));
		kill_caller(&scene);
		EXPECT_EQUAL(worker_join(&scene.caller), KILLED);
		EXPECT(is_told(&scene) == !i);
		EXPECT_ERROR(GONE, answer(&scene));
		end(&scene);
	}
}

// Is given a reply, and a notification to watch it with.
static uint64_t child_watches(uint64_t argument)
{
	struct message message = {0};
	enum error error = endpoint_call(child_given[0], &message);

	(void)argument;
	if (!error)
		error = reply_watch(message.words[0], child_given[1], BITS);
	message.info = 0;
	return error ? error : endpoint_call(child_given[0], &message);
}

static bool give_reply(struct scene *scene, struct child *child, struct message *message)
{
	handle_t given[2] = {scene->endpoint, scene->notification};

	message->info = 0;
	if (!child_start(child, child_watches, 0, given, 2) ||
		endpoint_receive(scene->endpoint, message) != ERR_OK)
		return false;
	message->info = MESSAGE_INFO(0, 1, 0);
	return handle_grant(child->process, scene->reply, RIGHT_SEND, &message->words[0]) == ERR_OK;
}

TEST(revoke_ends_watches_through_replies)
{
	for (unsigned revoke = 0; revoke < 2; revoke++) {
		struct message message;
		struct scene scene;
		struct child child;

		REQUIRE(begin(&scene, PATIENT, true));
		REQUIRE(give_reply(&scene, &child, &message));
		EXPECT_OK(endpoint_reply_receive(scene.endpoint, &message));
		if (revoke)
			EXPECT_OK(handle_revoke(scene.reply));
		kill_caller(&scene);
		EXPECT_EQUAL(worker_join(&scene.caller), KILLED);
		EXPECT(is_told(&scene) == !revoke);
		message.info = 0;
		EXPECT_OK(endpoint_reply(HANDLE_NONE, &message));
		EXPECT_EQUAL(child_wait(&child).exit_status, ERR_OK);
		EXPECT_ERROR(GONE, answer(&scene));
		end(&scene);
	}
}

TEST(reply_watch_of_one_that_another_holder_used)
{
	struct message message;
	struct scene scene;
	struct child child;

	REQUIRE(begin(&scene, PATIENT, true));
	REQUIRE(give_reply(&scene, &child, &message));
	EXPECT_OK(answer(&scene));
	EXPECT_OK(endpoint_reply(HANDLE_NONE, &message));
	EXPECT_RESULT(GONE, reply_watch, child_wait(&child).exit_status);
	EXPECT_EQUAL(worker_join(&scene.caller), ERR_OK);
	EXPECT(!is_told(&scene));
	end(&scene);
}

// --- Answers against deaths

struct killer {
	uint64_t deadline;
	handle_t victim;
	struct worker worker;
};

static uint64_t sleep_and_kill(void *argument)
{
	struct killer *killer = argument;

	thread_sleep(killer->deadline);
	return thread_kill(killer->victim, KILLED);
}

// Either the answer was in time and nothing is told, or it was not, which is told.
static void race(bool by_kill, bool save, uint64_t nanoseconds)
{
	struct killer killer;
	struct scene scene;
	uint64_t status;
	enum error error;

	REQUIRE(begin(&scene, by_kill ? PATIENT : 2 * nanoseconds, save));
	killer.deadline = after(nanoseconds);
	killer.victim = scene.caller.thread;
	if (by_kill)
		REQUIRE(worker_start(&killer.worker, sleep_and_kill, &killer));
	EXPECT_OK(watch(&scene));
	while (now() < killer.deadline)
		;
	error = answer(&scene);
	if (error == ERR_GONE)
		EXPECT(is_told_soon(&scene));
	if (by_kill)
		worker_join(&killer.worker);
	status = worker_join(&scene.caller);
	EXPECT(!is_told(&scene));
	EXPECT(error == ERR_OK ? status == ERR_OK || by_kill : error == ERR_GONE && status != ERR_OK);
	end(&scene);
}

TEST(torture_of_watched_replies)
{
	for (unsigned i = 0; i < 100; i++)
		race(i % 2, i / 2 % 2, (100 + i * 7 % 300) * MILLISECOND / 1000);
}

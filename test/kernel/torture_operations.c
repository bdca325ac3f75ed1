// SPDX-License-Identifier: MIT
//
// The operations that wait, for torture.c: how each is begun and ended, and the table of what the waiter is told.

#include "guests.h"
#include "torture.h"

static uint64_t wait_for_go(struct scene *scene)
{
	uint64_t bits;

	notification_signal(scene->reached, 1);
	return notification_wait(scene->go, DEADLINE_NEVER, &bits);
}

// --- Messages

static uint64_t exchange(
	struct scene *scene, enum error (*operation)(handle_t endpoint, struct message *message))
{
	struct message message = {.info = MESSAGE_DEADLINE};

	scene->waiter.buffer->deadline = scene->deadline;
	return operation(scene->through, &message);
}

static uint64_t call(struct scene *scene)
{
	return exchange(scene, endpoint_call);
}

static uint64_t send(struct scene *scene)
{
	return exchange(scene, endpoint_send);
}

static uint64_t receive(struct scene *scene)
{
	return exchange(scene, endpoint_receive);
}

// Has somebody to answer first: the peer, which calls.
static uint64_t reply_and_receive(struct scene *scene)
{
	struct message message = {0};
	enum error error = endpoint_receive(scene->through, &message);

	return error ? error : exchange(scene, endpoint_reply_receive);
}

static uint64_t calls_once(struct scene *scene)
{
	struct message message = {0};
	enum error error = endpoint_call(scene->endpoint, &message);

	return error ? error : wait_for_go(scene);
}

static enum error accept(struct scene *scene, uint64_t flags)
{
	struct message message = {.info = flags};

	return endpoint_receive(scene->endpoint, &message);
}

static enum error answer(handle_t reply)
{
	struct message message = {0};

	return endpoint_reply(reply, &message);
}

static uint64_t accepts_late(struct scene *scene)
{
	enum error error;

	wait_for_go(scene);
	error = accept(scene, 0);
	return error ? error : answer(HANDLE_NONE);
}

static uint64_t answers_late(struct scene *scene)
{
	enum error error = accept(scene, 0);

	wait_for_go(scene);
	return error ? error : answer(HANDLE_NONE);
}

static uint64_t saves_and_waits(struct scene *scene)
{
	enum error error = accept(scene, 0);

	if (!error)
		error = reply_save(&scene->reply);
	wait_for_go(scene);
	return error;
}

static void signal_go(struct scene *scene)
{
	notification_signal(scene->go, 1);
}

// Where there is no peer, or no more, this thread takes its place.
static void accept_and_answer(struct scene *scene)
{
	if (scene->has_peer && !scene->peer_gone)
		signal_go(scene);
	else if (accept(scene, MESSAGE_TRY) == ERR_OK)
		answer(HANDLE_NONE);
}

static void answer_saved(struct scene *scene)
{
	if (scene->reply)
		answer(scene->reply);
	accept_and_answer(scene);
}

static void send_one(struct scene *scene)
{
	struct message message = {0};

	endpoint_send(scene->endpoint, &message);
	signal_go(scene);
}

// --- Others

static uint64_t wait_for_notification(struct scene *scene)
{
	uint64_t bits;

	return notification_wait(scene->through, scene->deadline, &bits);
}

static handle_t notification_of(struct scene *scene)
{
	return scene->notification;
}

static void signal_notification(struct scene *scene)
{
	notification_signal(scene->notification, 1);
}

static uint64_t wait_for_word(struct scene *scene)
{
	return futex_wait(HANDLE_SELF, (uintptr_t)&scene->word, 0, scene->deadline);
}

static void wake_word(struct scene *scene)
{
	uint64_t woken;

	futex_wake(HANDLE_SELF, (uintptr_t)&scene->word, 1, &woken);
}

#define OWNED 1 // what the word becomes when it is handed over

// The peer owns the futex.
static uint64_t wait_to_own(struct scene *scene)
{
	enum error error = futex_wait_owned(
		HANDLE_SELF, (uintptr_t)&scene->word, 0, scene->through, OWNED, scene->deadline);

	return !error && scene->word != OWNED ? ERR_MISMATCH : error;
}

static uint64_t hands_over_late(struct scene *scene)
{
	uint64_t count;

	wait_for_go(scene);
	return futex_hand_over(HANDLE_SELF, (uintptr_t)&scene->word, 0, 0, &count);
}

static uint64_t join_peer(struct scene *scene)
{
	uint64_t status;

	return thread_join(scene->through, scene->deadline, &status);
}

static handle_t thread_of_peer(struct scene *scene)
{
	return scene->peer.thread;
}

static uint64_t sleep_on(struct scene *scene)
{
	return thread_sleep(scene->deadline == DEADLINE_NEVER ? after(400 * MILLISECOND) : scene->deadline);
}

static void nothing(struct scene *scene)
{
	(void)scene;
}

static uint64_t enter_guest(struct scene *scene)
{
	return guest_spin(scene->through, &scene->word);
}

static handle_t guest_of_waiter(struct scene *scene)
{
	(void)scene;
	return guest_make_spinning();
}

static void kick(struct scene *scene)
{
	EXPECT_OK(guest_kick(scene->waiter.thread));
}

// The peer is a process then, whose end is told by the notification.
static uint64_t child_waits_for_go(uint64_t argument)
{
	uint64_t bits;

	return notification_wait(child_given[argument], DEADLINE_NEVER, &bits);
}

static handle_t watch_process(struct scene *scene)
{
	struct child child;

	EXPECT(child_start(&child, child_waits_for_go, 0, &scene->go, 1));
	EXPECT_OK(process_watch(child.process, scene->notification, 1));
	scene->process = child.process;
	scene->peer.thread = child.thread;
	scene->has_peer = true;
	return scene->notification;
}

// --- Closing

// Of one who sends: nobody can receive any more.
static void close_endpoint(struct scene *scene)
{
	handle_close(scene->endpoint);
}

static void close_object(struct scene *scene)
{
	handle_close(scene->object);
	handle_close(scene->through);
}

static void close_through(struct scene *scene)
{
	handle_close(scene->through);
}

static void close_process(struct scene *scene)
{
	handle_close(scene->process);
}

static void close_reply(struct scene *scene)
{
	handle_close(scene->reply);
}

// clang-format off
const struct operation torture_operations[] = {
	{"call, not accepted", NEEDS_PEER, call, accepts_late, NULL, accept_and_answer, close_endpoint,
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_PEER_CLOSED, ERR_BAD_HANDLE, ERR_OK, ERR_OK},
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_PEER_CLOSED, ERR_BAD_HANDLE, ERR_OK, ERR_OK}},
	{"call, accepted", NEEDS_PEER, call, answers_late, NULL, accept_and_answer, close_endpoint,
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_OK, ERR_OK, ERR_GONE, ERR_OK},
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_PEER_CLOSED, ERR_BAD_HANDLE, ERR_OK, ERR_OK}},
	{"call, reply saved", PLAIN, call, saves_and_waits, NULL, answer_saved, close_reply,
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_GONE, ERR_OK, ERR_OK, ERR_OK},
		{KILLED, ERR_OK, ERR_TIMED_OUT, NOT_TESTED, ERR_BAD_HANDLE, ERR_OK, ERR_OK}},
	{"send", NEEDS_PEER, send, NULL, NULL, accept_and_answer, close_endpoint,
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_PEER_CLOSED, ERR_BAD_HANDLE, NOT_TESTED, NOT_TESTED},
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_PEER_CLOSED, ERR_BAD_HANDLE, NOT_TESTED, NOT_TESTED}},
	{"receive", RECEIVES, receive, NULL, NULL, send_one, close_object,
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_PEER_CLOSED, ERR_OK, NOT_TESTED, NOT_TESTED},
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_BAD_HANDLE, ERR_BAD_HANDLE, NOT_TESTED, NOT_TESTED}},
	{"reply and receive", RECEIVES, reply_and_receive, calls_once, NULL, send_one, close_object,
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_PEER_CLOSED, ERR_OK, ERR_OK, ERR_OK},
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_BAD_HANDLE, ERR_BAD_HANDLE, NOT_TESTED, ERR_OK}},
	{"notification", PLAIN, wait_for_notification, NULL, notification_of, signal_notification, close_object,
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_PEER_CLOSED, ERR_OK, NOT_TESTED, NOT_TESTED},
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_BAD_HANDLE, ERR_BAD_HANDLE, NOT_TESTED, NOT_TESTED}},
	{"end of a process", NEEDS_PEER, wait_for_notification, NULL, watch_process, signal_go, close_process,
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_OK, ERR_OK, ERR_OK, ERR_OK},
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_OK, ERR_BAD_HANDLE, ERR_OK, ERR_OK}},
	{"futex", PLAIN, wait_for_word, NULL, NULL, wake_word, NULL,
		{KILLED, ERR_OK, ERR_TIMED_OUT, NOT_TESTED, NOT_TESTED, NOT_TESTED, NOT_TESTED},
		{KILLED, ERR_OK, ERR_TIMED_OUT, NOT_TESTED, NOT_TESTED, NOT_TESTED, NOT_TESTED}},
	{"futex with an owner", NEEDS_PEER, wait_to_own, hands_over_late, thread_of_peer, signal_go, close_through,
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_OK, ERR_OK, ERR_PEER_CLOSED, ERR_OK},
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_BAD_HANDLE, ERR_BAD_HANDLE, ERR_PEER_CLOSED, ERR_OK}},
	{"join", JOINS | NEEDS_PEER, join_peer, wait_for_go, thread_of_peer, signal_go, close_through,
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_OK, ERR_OK, ERR_OK, ERR_OK},
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_BAD_HANDLE, ERR_BAD_HANDLE, ERR_OK, ERR_OK}},
	{"sleep", PLAIN, sleep_on, NULL, NULL, nothing, NULL,
		{KILLED, ERR_OK, ERR_OK, NOT_TESTED, NOT_TESTED, NOT_TESTED, NOT_TESTED},
		{KILLED, ERR_OK, ERR_OK, NOT_TESTED, NOT_TESTED, NOT_TESTED, NOT_TESTED}},
	{"guest", RUNS_GUEST, enter_guest, NULL, guest_of_waiter, kick, close_through,
		{KILLED, ERR_OK, NOT_TESTED, ERR_OK, ERR_OK, NOT_TESTED, NOT_TESTED},
		{KILLED, ERR_OK, NOT_TESTED, ERR_BAD_HANDLE, ERR_BAD_HANDLE, NOT_TESTED, NOT_TESTED}},
};
// clang-format on

const unsigned torture_operations_count = sizeof(torture_operations) / sizeof(torture_operations[0]);

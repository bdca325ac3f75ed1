// SPDX-License-Identifier: MIT
//
// Death in every wait. Each operation that blocks is brought to the point where it waits; then the waiter is killed, suspended or
// timed out, or what it waits for is closed or revoked, or the thread at the other side is killed or suspended. The table says what
// the waiter is told each time; where it is to go on, it is let go on afterwards.

#include "isa.h"
#include "test.h"
#include <string.h>

#define KILLED     1000 // the waiter's status when it is killed
#define NOT_TESTED (-1) // has no meaning for the operation

enum event {
	WAITER_KILLED,
	WAITER_SUSPENDED, // and resumed once it may go on
	TIMED_OUT,
	OBJECT_CLOSED,  // the last handle to what it waits for, or to the other side of it
	OBJECT_REVOKED, // the handle that it waits through
	PEER_KILLED,
	PEER_SUSPENDED,
	EVENTS,
};

static const char *const event_names[EVENTS] = {"the waiter is killed", "the waiter is suspended",
	"time is out", "the object is closed", "its handle is revoked", "the peer is killed",
	"the peer is suspended"};

struct scene {
	const struct operation *operation;
	struct worker waiter, peer;
	bool has_peer, peer_gone;
	uint64_t deadline;
	handle_t endpoint;     // with all rights
	handle_t through;      // derived from it, or from the notification: what the waiter uses
	handle_t notification; // waited for, or for the end of something
	handle_t go, reached;  // the peer waits for one when it has signalled the other
	handle_t reply;        // saved
	_Atomic uint32_t word;
	_Atomic uint64_t peer_result;
};

struct operation {
	const char *name;
	uint64_t (*wait)(struct scene *scene); // in the waiter; the error
	uint64_t (*peer)(struct scene *scene); // in the peer; NULL: there is none
	bool peer_first;                       // it has to wait before the waiter does
	void (*let_go)(struct scene *scene);   // ends the wait well
	void (*close)(struct scene *scene);
	int expected[EVENTS];
};

static uint64_t wait_for_go(struct scene *scene)
{
	uint64_t bits;

	notification_signal(scene->reached, 1);
	return notification_wait(scene->go, DEADLINE_NEVER, &bits);
}

static void wait_until_reached(struct scene *scene)
{
	uint64_t bits;

	EXPECT_OK(notification_wait(scene->reached, after(60000 * MILLISECOND), &bits));
}

// --- Messages

static uint64_t call(struct scene *scene)
{
	struct message message = {.info = MESSAGE_DEADLINE};

	scene->waiter.buffer->deadline = scene->deadline;
	return endpoint_call(scene->through, &message);
}

static uint64_t send(struct scene *scene)
{
	struct message message = {.info = MESSAGE_DEADLINE};

	scene->waiter.buffer->deadline = scene->deadline;
	return endpoint_send(scene->through, &message);
}

static uint64_t receive(struct scene *scene)
{
	struct message message = {.info = MESSAGE_DEADLINE};

	scene->waiter.buffer->deadline = scene->deadline;
	return endpoint_receive(scene->through, &message);
}

// Has somebody to answer first: the peer, which calls.
static uint64_t reply_and_receive(struct scene *scene)
{
	struct message message = {0};
	enum error error = endpoint_receive(scene->through, &message);

	message.info = MESSAGE_DEADLINE;
	scene->waiter.buffer->deadline = scene->deadline;
	return error ? error : endpoint_reply_receive(scene->through, &message);
}

static uint64_t calls_once(struct scene *scene)
{
	struct message message = {0};
	enum error error = endpoint_call(scene->endpoint, &message);

	return error ? error : wait_for_go(scene);
}

static uint64_t accepts_late(struct scene *scene)
{
	struct message message = {0};
	enum error error;

	wait_for_go(scene);
	error = endpoint_receive(scene->endpoint, &message);
	message.info = 0;
	return error ? error : endpoint_reply(HANDLE_NONE, &message);
}

static uint64_t accepts_and_answers_late(struct scene *scene)
{
	struct message message = {0};
	enum error error = endpoint_receive(scene->endpoint, &message);

	wait_for_go(scene);
	message.info = 0;
	return error ? error : endpoint_reply(HANDLE_NONE, &message);
}

static uint64_t saves_and_waits(struct scene *scene)
{
	struct message message = {0};
	enum error error = endpoint_receive(scene->endpoint, &message);

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
	struct message message = {.info = MESSAGE_TRY};

	if (scene->has_peer && !scene->peer_gone) {
		signal_go(scene);
		return;
	}
	if (endpoint_receive(scene->endpoint, &message) != ERR_OK)
		return;
	message.info = 0;
	endpoint_reply(HANDLE_NONE, &message);
}

static void answer_saved(struct scene *scene)
{
	struct message message = {0};

	scene->peer_result = endpoint_reply(scene->reply, &message);
	signal_go(scene);
}

static void send_one(struct scene *scene)
{
	struct message message = {0};

	endpoint_send(scene->endpoint, &message);
	signal_go(scene);
}

static void close_endpoint(struct scene *scene)
{
	handle_close(scene->endpoint);
	scene->endpoint = HANDLE_NONE;
}

// Of one who receives through the other handle too.
static void close_both(struct scene *scene)
{
	close_endpoint(scene);
	handle_close(scene->through);
	scene->through = HANDLE_NONE;
}

static void close_reply(struct scene *scene)
{
	handle_close(scene->reply);
}

// --- Others

static uint64_t wait_for_notification(struct scene *scene)
{
	uint64_t bits;

	return notification_wait(scene->notification, scene->deadline, &bits);
}

static void signal_notification(struct scene *scene)
{
	notification_signal(scene->notification, 1);
}

static void close_notification(struct scene *scene)
{
	handle_close(scene->notification);
	scene->notification = HANDLE_NONE;
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

static uint64_t join_peer(struct scene *scene)
{
	uint64_t status;

	return thread_join(scene->peer.thread, scene->deadline, &status);
}

static void close_peer(struct scene *scene)
{
	handle_close(scene->peer.thread);
	scene->peer.thread = HANDLE_NONE;
	signal_go(scene);
}

static uint64_t sleep_on(struct scene *scene)
{
	return thread_sleep(scene->deadline == DEADLINE_NEVER ? after(50 * MILLISECOND) : scene->deadline);
}

static void nothing(struct scene *scene)
{
	(void)scene;
}

// clang-format off
static const struct operation operations[] = {
	{"call, not accepted", call, accepts_late, true, accept_and_answer, close_endpoint,
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_PEER_CLOSED, NOT_TESTED, ERR_OK, ERR_OK}},
	{"call, accepted", call, accepts_and_answers_late, false, signal_go, close_endpoint,
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_OK, ERR_OK, ERR_GONE, ERR_OK}},
	{"call, reply saved", call, saves_and_waits, false, answer_saved, close_reply,
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_GONE, ERR_OK, ERR_OK, ERR_OK}},
	{"send", send, NULL, false, accept_and_answer, close_endpoint,
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_PEER_CLOSED, NOT_TESTED, NOT_TESTED, NOT_TESTED}},
	{"receive", receive, NULL, false, send_one, close_both,
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_PEER_CLOSED, NOT_TESTED, NOT_TESTED, NOT_TESTED}},
	{"reply and receive", reply_and_receive, calls_once, false, send_one, close_both,
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_PEER_CLOSED, NOT_TESTED, ERR_OK, ERR_OK}},
	{"notification", wait_for_notification, NULL, false, signal_notification, close_notification,
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_PEER_CLOSED, NOT_TESTED, NOT_TESTED, NOT_TESTED}},
	{"futex", wait_for_word, NULL, false, wake_word, NULL,
		{KILLED, ERR_OK, ERR_TIMED_OUT, NOT_TESTED, NOT_TESTED, NOT_TESTED, NOT_TESTED}},
	{"join", join_peer, wait_for_go, true, signal_go, close_peer,
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_OK, NOT_TESTED, ERR_OK, ERR_OK}},
	{"sleep", sleep_on, NULL, false, nothing, NULL,
		{KILLED, ERR_OK, ERR_OK, NOT_TESTED, NOT_TESTED, NOT_TESTED, NOT_TESTED}},
};
// clang-format on

// --- The play

static uint64_t run_waiter(void *argument)
{
	struct scene *scene = argument;

	return scene->operation->wait(scene);
}

static uint64_t run_peer(void *argument)
{
	struct scene *scene = argument;

	atomic_store(&scene->peer_result, scene->operation->peer(scene));
	return 0;
}

static bool is_blocked(handle_t thread)
{
	struct thread_info info = {0};

	thread_info(thread, &info);
	return info.state == THREAD_BLOCKED || info.state == THREAD_SLEEPING;
}

static void wait_until_blocked(handle_t thread)
{
	while (!is_blocked(thread))
		thread_sleep(after(MILLISECOND / 4));
}

// The waiter waits, and the peer is where it shall be.
static bool begin(struct scene *scene)
{
	EXPECT_OK(endpoint_create(&scene->endpoint));
	EXPECT_OK(handle_duplicate(scene->endpoint,
		RIGHT_SEND | (scene->operation->close == close_both ? RIGHT_RECEIVE : 0), &scene->through));
	EXPECT_OK(notification_create(&scene->notification));
	EXPECT_OK(notification_create(&scene->go));
	EXPECT_OK(notification_create(&scene->reached));
	scene->has_peer = scene->operation->peer != NULL;
	if (scene->operation->peer_first) {
		if (!worker_start(&scene->peer, run_peer, scene))
			return false;
		wait_until_reached(scene);
	}
	if (!worker_start(&scene->waiter, run_waiter, scene))
		return false;
	if (scene->has_peer && !scene->operation->peer_first) {
		if (!worker_start(&scene->peer, run_peer, scene))
			return false;
		wait_until_reached(scene);
	}
	if (scene->deadline == DEADLINE_NEVER)
		wait_until_blocked(scene->waiter.thread);
	return true;
}

static void kill_peer(struct scene *scene)
{
	uint64_t status;

	EXPECT_OK(thread_kill(scene->peer.thread, 2));
	if (scene->operation->wait != join_peer)
		EXPECT_OK(thread_join(scene->peer.thread, DEADLINE_NEVER, &status));
	scene->peer_gone = true;
}

// Suspended, nobody goes on, whatever has become possible; nor does the waiter while it is the peer's turn.
static void hold(struct scene *scene, handle_t thread)
{
	bool waits = thread == scene->waiter.thread || scene->operation->let_go == signal_go ||
		scene->operation->let_go == accept_and_answer;
	struct thread_info info = {0};

	EXPECT_OK(thread_suspend(thread));
	scene->operation->let_go(scene);
	thread_sleep(after(2 * MILLISECOND));
	EXPECT_OK(thread_info(scene->waiter.thread, &info));
	EXPECT(!waits || info.state < THREAD_ZOMBIE);
	EXPECT_OK(thread_resume(thread));
}

static void happen(struct scene *scene, enum event event)
{
	switch (event) {
	case WAITER_KILLED:
		EXPECT_OK(thread_kill(scene->waiter.thread, KILLED));
		break;
	case WAITER_SUSPENDED:
		hold(scene, scene->waiter.thread);
		break;
	case TIMED_OUT:
		break;
	case OBJECT_CLOSED:
		scene->operation->close(scene);
		break;
	case OBJECT_REVOKED:
		EXPECT_OK(handle_revoke(scene->endpoint));
		break;
	case PEER_KILLED:
		kill_peer(scene);
		break;
	default:
		hold(scene, scene->peer.thread);
		break;
	}
}

static void end(struct scene *scene)
{
	uint64_t status;

	if (scene->has_peer) {
		signal_go(scene);
		if (scene->peer.thread && !scene->peer_gone) {
			thread_kill(scene->peer.thread, 0);
			thread_join(scene->peer.thread, DEADLINE_NEVER, &status);
		}
		thread_sleep(after(scene->peer.thread ? 0 : 20 * MILLISECOND));
		worker_forget(&scene->peer);
	}
	handle_close(scene->endpoint);
	handle_close(scene->through);
	handle_close(scene->notification);
	handle_close(scene->go);
	handle_close(scene->reached);
	handle_close(scene->reply);
}

static void play(const struct operation *operation, enum event event)
{
	struct scene scene = {.operation = operation, .deadline = DEADLINE_NEVER};
	int expected = operation->expected[event];
	uint64_t result;

	if (event == TIMED_OUT)
		scene.deadline = after(20 * MILLISECOND);
	if (!begin(&scene)) {
		test_fail(__FILE__, __LINE__, "%s does not begin", operation->name);
		return;
	}
	happen(&scene, event);
	if (expected == ERR_OK && event != WAITER_SUSPENDED && event != PEER_SUSPENDED)
		operation->let_go(&scene);
	result = worker_join(&scene.waiter);
	if (result != (uint64_t)expected)
		test_fail(__FILE__, __LINE__, "%s, then %s: the waiter is told %llu, not %d", operation->name,
			event_names[event], (unsigned long long)result, expected);
	end(&scene);
}

TEST(torture_of_waits)
{
	unsigned played = 0;

	for (unsigned i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		for (unsigned event = 0; event < EVENTS; event++)
			if (operations[i].expected[event] != NOT_TESTED) {
				play(&operations[i], event);
				played++;
			}
	test_note("%u deaths and survivals", played);
}

// --- What the one who answers is told

// Whoever waits is killed or timed out while it is being answered: either both agree that there was an answer, or both that there
// was none.
static uint64_t call_with_deadline(void *argument)
{
	struct scene *scene = argument;

	return call(scene);
}

static void race(bool by_kill, unsigned wait)
{
	struct scene scene = {.deadline = after((200 + wait) * 1000)};
	struct message message = {0};
	uint64_t status;
	enum error error;

	if (by_kill)
		scene.deadline = DEADLINE_NEVER;
	REQUIRE_OK(endpoint_create(&scene.endpoint));
	scene.through = scene.endpoint;
	REQUIRE(worker_start(&scene.waiter, call_with_deadline, &scene));
	error = endpoint_receive(scene.endpoint, &message);
	if (by_kill)
		EXPECT_OK(thread_kill(scene.waiter.thread, KILLED));
	message.info = 0;
	if (!error)
		error = endpoint_reply(HANDLE_NONE, &message);
	status = worker_join(&scene.waiter);
	if (by_kill)
		EXPECT(status == KILLED && error == ERR_GONE);
	else
		EXPECT((status == ERR_OK && error == ERR_OK) ||
			(status == ERR_TIMED_OUT && error == ERR_GONE));
	handle_close(scene.endpoint);
}

TEST(torture_of_answers)
{
	race(true, 0);
	// The call is received in time always: its deadline is for the answer.
	for (unsigned i = 0; i < 50; i++)
		race(false, 20000 + i * 7 % 300);
}

// --- Faults that wait for their handlers

static uint64_t child_faults(uint64_t argument)
{
	*(volatile uint64_t *)argument = 1;
	return 0;
}

struct fault_scene {
	struct child child;
	handle_t handler;
	struct message message;
};

static bool begin_fault(struct fault_scene *scene, bool accepted)
{
	handle_t sender;

	if (endpoint_create(&scene->handler) != ERR_OK ||
		handle_duplicate(scene->handler, RIGHTS_ALL & ~RIGHT_RECEIVE, &sender) != ERR_OK ||
		!child_start_watched(&scene->child, child_faults, 8, NULL, 0, sender))
		return false;
	handle_close(sender);
	wait_until_blocked(scene->child.thread);
	scene->message.info = 0;
	return !accepted || endpoint_receive(scene->handler, &scene->message) == ERR_OK;
}

static void end_fault(struct fault_scene *scene, enum exit_reason reason)
{
	EXPECT_EQUAL(child_wait(&scene->child).reason, reason);
	handle_close(scene->handler);
}

TEST(torture_of_faults)
{
	struct fault_scene scene;

	for (unsigned accepted = 0; accepted < 2; accepted++) {
		// Nobody handles it any more.
		REQUIRE(begin_fault(&scene, accepted));
		handle_close(scene.handler);
		scene.handler = HANDLE_NONE;
		if (accepted) {
			scene.message.info = MESSAGE_INFO(FAULT_RESUME, 0, 0);
			EXPECT_OK(endpoint_reply(HANDLE_NONE, &scene.message)); // to meet it again
		}
		end_fault(&scene, EXIT_FAULT);
		// It is killed meanwhile.
		REQUIRE(begin_fault(&scene, accepted));
		EXPECT_OK(process_kill(scene.child.process, 0));
		if (accepted) {
			scene.message.info = MESSAGE_INFO(FAULT_RESUME, 0, 0);
			EXPECT_ERROR(GONE, endpoint_reply(HANDLE_NONE, &scene.message));
		}
		end_fault(&scene, EXIT_KILLED);
	}
	// The handler turns to something else: the fault comes again.
	REQUIRE(begin_fault(&scene, true));
	scene.message.info = 0;
	EXPECT_OK(endpoint_receive(scene.handler, &scene.message));
	EXPECT_EQUAL(message_label(scene.message.info), FAULT_PAGE);
	EXPECT_OK(process_kill(scene.child.process, 0));
	end_fault(&scene, EXIT_KILLED);
}

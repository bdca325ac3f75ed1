// SPDX-License-Identifier: MIT
//
// Death in every wait. Each operation that blocks is brought to the point where it waits; then the waiter is killed, suspended or
// timed out, or what it waits for is closed or revoked, or the thread at the other side is killed or suspended. The same happens
// just before the operation begins. The table says what the waiter is told each time; where it is to go on, it is let go on
// afterwards.

#include "guests.h"
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
	handle_t notification; // waited for
	handle_t object;       // what the waiter's handle is derived from
	handle_t through;      // the waiter's handle
	handle_t process;      // of a peer that is another process
	handle_t go, reached;  // the peer waits for one when it has signalled the other
	handle_t reply;        // saved
	_Atomic uint32_t word;
};

struct operation {
	const char *name;
	uint64_t (*wait)(struct scene *scene);   // in the waiter; the error
	uint64_t (*peer)(struct scene *scene);   // in the peer; NULL: there is none
	handle_t (*object)(struct scene *scene); // NULL: the endpoint
	void (*let_go)(struct scene *scene);     // ends the wait well
	void (*close)(struct scene *scene);
	int during[EVENTS], before[EVENTS];
};

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
static const struct operation operations[] = {
	{"call, not accepted", call, accepts_late, NULL, accept_and_answer, close_endpoint,
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_PEER_CLOSED, NOT_TESTED, ERR_OK, ERR_OK},
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_PEER_CLOSED, ERR_BAD_HANDLE, ERR_OK, ERR_OK}},
	{"call, accepted", call, answers_late, NULL, accept_and_answer, close_endpoint,
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_OK, ERR_OK, ERR_GONE, ERR_OK},
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_PEER_CLOSED, ERR_BAD_HANDLE, ERR_OK, ERR_OK}},
	{"call, reply saved", call, saves_and_waits, NULL, answer_saved, close_reply,
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_GONE, ERR_OK, ERR_OK, ERR_OK},
		{KILLED, ERR_OK, ERR_TIMED_OUT, NOT_TESTED, ERR_BAD_HANDLE, ERR_OK, ERR_OK}},
	{"send", send, NULL, NULL, accept_and_answer, close_endpoint,
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_PEER_CLOSED, NOT_TESTED, NOT_TESTED, NOT_TESTED},
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_PEER_CLOSED, ERR_BAD_HANDLE, NOT_TESTED, NOT_TESTED}},
	{"receive", receive, NULL, NULL, send_one, close_object,
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_PEER_CLOSED, NOT_TESTED, NOT_TESTED, NOT_TESTED},
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_BAD_HANDLE, ERR_BAD_HANDLE, NOT_TESTED, NOT_TESTED}},
	{"reply and receive", reply_and_receive, calls_once, NULL, send_one, close_object,
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_PEER_CLOSED, NOT_TESTED, ERR_OK, ERR_OK},
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_BAD_HANDLE, ERR_BAD_HANDLE, NOT_TESTED, ERR_OK}},
	{"notification", wait_for_notification, NULL, notification_of, signal_notification, close_object,
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_PEER_CLOSED, ERR_OK, NOT_TESTED, NOT_TESTED},
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_BAD_HANDLE, ERR_BAD_HANDLE, NOT_TESTED, NOT_TESTED}},
	{"end of a process", wait_for_notification, NULL, watch_process, signal_go, close_process,
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_OK, ERR_OK, ERR_OK, ERR_OK},
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_OK, ERR_BAD_HANDLE, ERR_OK, ERR_OK}},
	{"futex", wait_for_word, NULL, NULL, wake_word, NULL,
		{KILLED, ERR_OK, ERR_TIMED_OUT, NOT_TESTED, NOT_TESTED, NOT_TESTED, NOT_TESTED},
		{KILLED, ERR_OK, ERR_TIMED_OUT, NOT_TESTED, NOT_TESTED, NOT_TESTED, NOT_TESTED}},
	{"join", join_peer, wait_for_go, thread_of_peer, signal_go, close_through,
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_OK, ERR_OK, ERR_OK, ERR_OK},
		{KILLED, ERR_OK, ERR_TIMED_OUT, ERR_BAD_HANDLE, ERR_BAD_HANDLE, ERR_OK, ERR_OK}},
	{"sleep", sleep_on, NULL, NULL, nothing, NULL,
		{KILLED, ERR_OK, ERR_OK, NOT_TESTED, NOT_TESTED, NOT_TESTED, NOT_TESTED},
		{KILLED, ERR_OK, ERR_OK, NOT_TESTED, NOT_TESTED, NOT_TESTED, NOT_TESTED}},
	{"guest", enter_guest, NULL, guest_of_waiter, kick, close_through,
		{KILLED, ERR_OK, NOT_TESTED, ERR_OK, ERR_OK, NOT_TESTED, NOT_TESTED},
		{KILLED, ERR_OK, NOT_TESTED, ERR_BAD_HANDLE, ERR_BAD_HANDLE, NOT_TESTED, NOT_TESTED}},
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

	return scene->operation->peer(scene);
}

static enum thread_state state_of(handle_t thread)
{
	struct thread_info info = {.state = THREAD_DEAD};

	EXPECT_OK(thread_info(thread, &info));
	return info.state;
}

static bool is_blocked(handle_t thread)
{
	enum thread_state state = state_of(thread);

	return state == THREAD_BLOCKED || state == THREAD_SLEEPING;
}

static void wait_until_blocked(handle_t thread)
{
	while (!is_blocked(thread))
		thread_sleep(after(MILLISECOND / 4));
}

// Until the waiter waits, runs its guest, or has been told.
static void wait_until_waiting(struct scene *scene)
{
	handle_t waiter = scene->waiter.thread;

	while (!(scene->operation->wait == enter_guest ? scene->word != 0 : is_blocked(waiter)) &&
		state_of(waiter) < THREAD_ZOMBIE)
		thread_sleep(after(MILLISECOND / 4));
}

// The peer waits, and what the waiter needs is there.
static void prepare(struct scene *scene)
{
	const struct operation *operation = scene->operation;
	bool receives = operation->wait == receive || operation->wait == reply_and_receive;

	EXPECT_OK(endpoint_create(&scene->endpoint));
	EXPECT_OK(notification_create(&scene->notification));
	EXPECT_OK(notification_create(&scene->go));
	EXPECT_OK(notification_create(&scene->reached));
	scene->has_peer = operation->peer != NULL;
	if (scene->has_peer)
		EXPECT(worker_start(&scene->peer, run_peer, scene));
	scene->object = operation->object ? operation->object(scene) : scene->endpoint;
	if (scene->has_peer)
		wait_until_blocked(scene->peer.thread);
	EXPECT_OK(handle_duplicate(scene->object,
		operation->object ? RIGHTS_SAME : RIGHT_SEND | (receives ? RIGHT_RECEIVE : 0),
		&scene->through));
}

static void start_waiter(struct scene *scene, uint64_t flags)
{
	struct thread_attributes attributes = {.name = "waiter", .flags = (uint32_t)flags};

	EXPECT(worker_start_with(&scene->waiter, run_waiter, scene, &attributes));
}

// The peer is where it waits to be let go.
static void wait_for_peer(struct scene *scene)
{
	uint64_t bits;

	if (scene->operation->peer && !scene->peer_gone)
		EXPECT_OK(notification_wait(scene->reached, after(60000 * MILLISECOND), &bits));
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

	EXPECT_OK(thread_suspend(thread));
	scene->operation->let_go(scene);
	thread_sleep(after(2 * MILLISECOND));
	EXPECT(!waits || state_of(scene->waiter.thread) < THREAD_ZOMBIE);
	EXPECT_OK(thread_resume(thread));
}

// What is the same during and before the wait.
static void happen(struct scene *scene, enum event event)
{
	if (event == WAITER_KILLED)
		EXPECT_OK(thread_kill(scene->waiter.thread, KILLED));
	else if (event == OBJECT_CLOSED)
		scene->operation->close(scene);
	else if (event == OBJECT_REVOKED)
		EXPECT_OK(handle_revoke(scene->object));
	else if (event == PEER_KILLED)
		kill_peer(scene);
}

static void play_during(struct scene *scene, enum event event)
{
	if (event == TIMED_OUT)
		scene->deadline = after(20 * MILLISECOND);
	prepare(scene);
	start_waiter(scene, 0);
	wait_for_peer(scene);
	if (event != TIMED_OUT)
		wait_until_waiting(scene);
	happen(scene, event);
	if (event == WAITER_SUSPENDED || event == PEER_SUSPENDED)
		hold(scene, event == WAITER_SUSPENDED ? scene->waiter.thread : scene->peer.thread);
	else if (scene->operation->during[event] == ERR_OK)
		scene->operation->let_go(scene);
}

static void play_before(struct scene *scene, enum event event)
{
	if (event == TIMED_OUT)
		scene->deadline = 1;
	prepare(scene);
	start_waiter(scene, THREAD_SUSPENDED);
	happen(scene, event);
	if (event == PEER_SUSPENDED)
		EXPECT_OK(thread_suspend(scene->peer.thread));
	if (event == WAITER_KILLED)
		return;
	EXPECT_OK(thread_resume(scene->waiter.thread));
	if (scene->operation->before[event] != ERR_OK)
		return;
	wait_until_waiting(scene);
	if (event == PEER_SUSPENDED)
		EXPECT_OK(thread_resume(scene->peer.thread));
	wait_for_peer(scene);
	wait_until_waiting(scene);
	scene->operation->let_go(scene);
}

static void end(struct scene *scene)
{
	uint64_t status;

	if (scene->has_peer) {
		thread_kill(scene->peer.thread, 0);
		thread_join(scene->peer.thread, DEADLINE_NEVER, &status);
		if (scene->operation->peer)
			worker_forget(&scene->peer);
		else
			handle_close(scene->peer.thread);
	}
	if (scene->operation->object == guest_of_waiter)
		handle_close(scene->object);
	handle_close(scene->endpoint);
	handle_close(scene->through);
	handle_close(scene->notification);
	handle_close(scene->process);
	handle_close(scene->go);
	handle_close(scene->reached);
	handle_close(scene->reply);
}

static bool play(const struct operation *operation, enum event event, bool before)
{
	struct scene scene = {.operation = operation, .deadline = DEADLINE_NEVER};
	int expected = before ? operation->before[event] : operation->during[event];
	uint64_t result;

	if (expected == NOT_TESTED)
		return false;
	if (before)
		play_before(&scene, event);
	else
		play_during(&scene, event);
	result = worker_join(&scene.waiter);
	if (result != (uint64_t)expected)
		test_fail(__FILE__, __LINE__, "%s, %s %s: the waiter is told %llu, not %d", operation->name,
			before ? "before it" : "then", event_names[event], (unsigned long long)result,
			expected);
	end(&scene);
	return true;
}

static void play_all(bool before)
{
	unsigned played = 0;

	for (unsigned i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		for (unsigned event = 0; event < EVENTS; event++)
			played += play(&operations[i], event, before);
	test_note("%u deaths and survivals", played);
}

TEST(torture_of_waits)
{
	play_all(false);
}

TEST(torture_before_waits)
{
	play_all(true);
}

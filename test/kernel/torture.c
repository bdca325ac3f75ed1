// SPDX-License-Identifier: MIT
//
// Death in every wait. Each operation that blocks is brought to the point where it waits; then the waiter is killed, suspended or
// timed out, or what it waits for is closed or revoked, or the thread at the other side is killed or suspended. The same happens
// just before the operation begins. The table (torture_operations.c) says what the waiter is told each time; where it is to go
// on, it is let go on afterwards.

#include "torture.h"

static const char *const event_names[EVENTS] = {"the waiter is killed", "the waiter is suspended",
	"time is out", "the object is closed", "its handle is revoked", "the peer is killed",
	"the peer is suspended"};

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

	while (!(scene->operation->traits & RUNS_GUEST ? scene->word != 0 : is_blocked(waiter)) &&
		state_of(waiter) < THREAD_ZOMBIE)
		thread_sleep(after(MILLISECOND / 4));
}

// The peer waits, and what the waiter needs is there.
static void prepare(struct scene *scene)
{
	const struct operation *operation = scene->operation;

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
		operation->object ? RIGHTS_SAME
				  : RIGHT_SEND | (operation->traits & RECEIVES ? RIGHT_RECEIVE : 0),
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
	if (!(scene->operation->traits & JOINS))
		EXPECT_OK(thread_join(scene->peer.thread, DEADLINE_NEVER, &status));
	scene->peer_gone = true;
}

// Suspended, nobody goes on, whatever has become possible; nor does the waiter while it is the peer's turn.
static void hold(struct scene *scene, handle_t thread)
{
	bool waits = thread == scene->waiter.thread || (scene->operation->traits & NEEDS_PEER);

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
	if (scene->operation->traits & RUNS_GUEST)
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

	for (unsigned i = 0; i < torture_operations_count; i++)
		for (unsigned event = 0; event < EVENTS; event++)
			played += play(&torture_operations[i], event, before);
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

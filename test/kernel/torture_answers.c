// SPDX-License-Identifier: MIT
//
// Death and its answer: a caller that is killed or timed out while it is being answered, and faults whose handlers or
// threads go.

#include "test.h"

struct call {
	handle_t endpoint;
	uint64_t deadline;
	struct worker caller;
};

static uint64_t run_call(void *argument)
{
	struct call *call = argument;
	struct message message = {.info = MESSAGE_DEADLINE};
	enum error error;

	call->caller.buffer->deadline = call->deadline;
	error = endpoint_call(call->endpoint, &message);
	// Maybe nobody has accepted it.
	message.info = 0;
	endpoint_send(call->endpoint, &message);
	return error;
}

#define KILLED 1000 // the caller's status then

static enum error accept_and_answer(handle_t endpoint, handle_t killed)
{
	struct message message = {0};
	enum error error = endpoint_receive(endpoint, &message);

	if (error || !(message.info & MESSAGE_CALL))
		return error ? error : ERR_GONE;
	if (killed)
		EXPECT_OK(thread_kill(killed, KILLED));
	message.info = 0;
	error = endpoint_reply(HANDLE_NONE, &message);
	if (!killed)
		EXPECT_OK(endpoint_receive(endpoint, &message));
	return error;
}

// Either both agree that there was an answer, or both that there was none.
static void race(bool by_kill, uint64_t microseconds)
{
	struct call call = {.deadline = by_kill ? DEADLINE_NEVER : after(microseconds * 1000)};
	uint64_t status;
	enum error error;

	REQUIRE_OK(endpoint_create(&call.endpoint));
	REQUIRE(worker_start(&call.caller, run_call, &call));
	error = accept_and_answer(call.endpoint, by_kill ? call.caller.thread : HANDLE_NONE);
	status = worker_join(&call.caller);
	if (by_kill)
		EXPECT(status == KILLED && error == ERR_GONE);
	else
		EXPECT((status == ERR_OK && error == ERR_OK) ||
			(status == ERR_TIMED_OUT && error == ERR_GONE));
	handle_close(call.endpoint);
}

TEST(torture_of_answers)
{
	race(true, 0);
	for (unsigned i = 0; i < 50; i++)
		race(false, 200 + i * 7 % 300);
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
	EXPECT(wait_for_state(scene->child.thread, THREAD_BLOCKED));
	scene->message.info = 0;
	return !accepted || endpoint_receive(scene->handler, &scene->message) == ERR_OK;
}

// The handler lets it meet its fault again.
static enum error resume_fault(struct fault_scene *scene)
{
	scene->message.info = MESSAGE_INFO(FAULT_RESUME, 0, 0);
	return endpoint_reply(HANDLE_NONE, &scene->message);
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
		if (accepted)
			EXPECT_OK(resume_fault(&scene));
		end_fault(&scene, EXIT_FAULT);
		// It is killed meanwhile.
		REQUIRE(begin_fault(&scene, accepted));
		EXPECT_OK(process_kill(scene.child.process, 0));
		if (accepted)
			EXPECT_EQUAL(resume_fault(&scene), ERR_GONE);
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

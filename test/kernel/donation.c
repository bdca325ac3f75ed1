// SPDX-License-Identifier: MIT
//
// Donation: a server runs on its caller's CPU time and priority, along chains of calls, and gives both back with
// the answer; whatever ends the call earlier takes them back as well.

#include "chain.h"

#define CHAIN        5
#define ROUNDS       8
#define NEXT_THREADS 6

static void compute_until(volatile bool *stop)
{
	while (!*stop)
		;
}

TEST(donation_along_a_chain_of_servers)
{
	struct stage stages[CHAIN] = {0};
	struct chain chain = {.stages = stages};

	REQUIRE(start_chain(&chain, CHAIN, 0));
	for (unsigned i = 0; i < CHAIN; i++) {
		EXPECT_EQUAL(info_of(&chain.stages[i].worker).base_priority, stage_base(i));
		expect_lent(&chain.stages[i].worker, &chain.caller, CALLER_BASE);
	}
	expect_charged(&chain.caller, &last_of(&chain)->worker);
	last_of(&chain)->stop = true;
	EXPECT_EQUAL(worker_join(&chain.caller), ERR_OK);
	expect_all_own(&chain);
	end_chain(&chain);
}

TEST(donation_ends_when_a_server_in_the_middle_dies)
{
	struct stage stages[CHAIN] = {0};
	struct chain chain = {.stages = stages};

	REQUIRE(start_chain(&chain, CHAIN, 0));
	EXPECT_OK(thread_kill(stages[2].worker.thread, 0));
	// The second server hears of it, and the caller of that.
	EXPECT_EQUAL(worker_join(&chain.caller), ERR_GONE);
	for (unsigned i = 0; i < 2; i++) {
		EXPECT(wait_for_state(stages[i].worker.thread, THREAD_BLOCKED));
		expect_own(&stages[i].worker, stage_base(i));
	}
	// The fourth still waits for the fifth, and lends it what it has itself.
	expect_own(&stages[3].worker, stage_base(3));
	expect_lent(&stages[4].worker, &stages[3].worker, stage_base(3));
	expect_charged(&stages[3].worker, &stages[4].worker);
	stages[4].stop = true;
	for (unsigned i = 3; i < CHAIN; i++) {
		EXPECT(wait_for_state(stages[i].worker.thread, THREAD_BLOCKED));
		expect_own(&stages[i].worker, stage_base(i));
	}
	end_chain(&chain);
}

TEST(donation_ends_when_the_caller_is_killed)
{
	struct stage stages[CHAIN] = {0};
	struct chain chain = {.stages = stages};

	REQUIRE(start_chain(&chain, 2, 0));
	expect_lent(&last_of(&chain)->worker, &chain.caller, CALLER_BASE);
	EXPECT_OK(thread_kill(chain.caller.thread, 77));
	EXPECT_EQUAL(worker_join(&chain.caller), 77);
	expect_own(&chain.stages[0].worker, SERVER_BASE);
	expect_lent(&chain.stages[1].worker, &chain.stages[0].worker, SERVER_BASE);
	expect_charged(&chain.stages[0].worker, &chain.stages[1].worker);
	last_of(&chain)->stop = true;
	expect_all_own(&chain);
	end_chain(&chain);
}

// The server goes on where its caller paid, which ends, and other threads get the memory of that one.
TEST(donation_of_one_that_ended_is_not_charged_to_the_next)
{
	struct system_info system;

	REQUIRE_OK(system_info(start_handle(START_SYSTEM), &system));
	// Who runs here sees whoever ran here before off the CPU.
	REQUIRE_OK(thread_set_affinity(HANDLE_SELF, 1));
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct stage stages[CHAIN] = {0};
		struct chain chain = {.stages = stages};
		struct stage next[NEXT_THREADS] = {0};

		REQUIRE(start_chain(&chain, 1, system.cpu_count > 1 ? 2 : 1));
		// Its end is as urgent as who kills it: no reason for the server's CPU to look again who pays.
		EXPECT_OK(thread_set_priority(chain.caller.thread, THREAD_PRIORITY_DEFAULT));
		EXPECT_OK(thread_set_priority(chain.stages[0].worker.thread, SERVER_BASE));
		expect_charged(&chain.caller, &chain.stages[0].worker);
		EXPECT_OK(thread_kill(chain.caller.thread, 77));
		EXPECT_EQUAL(worker_join(&chain.caller), 77);
		for (unsigned i = 0; i < NEXT_THREADS; i++) {
			next[i] = (struct stage){.priority = SERVER_BASE, .affinity = 1};
			REQUIRE_OK(endpoint_create(&next[i].endpoint));
			REQUIRE(start_stage(&next[i]));
			next[i].cpu_time = info_of(&next[i].worker).cpu_time;
		}
		expect_charged(&chain.stages[0].worker, &next[0].worker);
		for (unsigned i = 0; i < NEXT_THREADS; i++) {
			EXPECT_EQUAL(info_of(&next[i].worker).cpu_time, next[i].cpu_time);
			end_stage(&next[i]);
		}
		chain.stages[0].stop = true;
		expect_all_own(&chain);
		end_chain(&chain);
	}
	EXPECT_OK(thread_set_affinity(HANDLE_SELF, ~0ull));
}

TEST(donation_ends_when_the_call_times_out)
{
	struct stage stages[1] = {0};
	struct chain chain = {.stages = stages, .time_out = 300 * MILLISECOND};

	REQUIRE(start_chain(&chain, 1, 0));
	EXPECT_EQUAL(worker_join(&chain.caller), ERR_TIMED_OUT);
	expect_own(&chain.stages[0].worker, SERVER_BASE);
	chain.stages[0].stop = true;
	expect_all_own(&chain);
	end_chain(&chain);
}

TEST(donation_ends_when_the_reply_is_saved)
{
	struct stage stages[1] = {{.saves = true}};
	struct chain chain = {.stages = stages};

	REQUIRE(start_chain(&chain, 1, 0));
	expect_own(&chain.stages[0].worker, SERVER_BASE);
	expect_charged(&chain.stages[0].worker, &chain.caller);
	chain.stages[0].stop = true;
	EXPECT_EQUAL(worker_join(&chain.caller), ERR_OK);
	end_chain(&chain);
}

// A middle server whose call times out goes on with what it was lent.
static uint64_t serve_impatiently(void *argument)
{
	struct stage *stage = argument;
	struct message message = {0};
	enum error error;

	endpoint_receive(stage->endpoint, &message);
	stage->worker.buffer->deadline = after(50 * MILLISECOND);
	message.info = MESSAGE_DEADLINE;
	error = endpoint_call(stage->next, &message);
	stage->inside = true;
	compute_until(&stage->stop);
	message.info = MESSAGE_INFO(error, 0, 0);
	return endpoint_reply(HANDLE_NONE, &message);
}

TEST(donation_comes_back_to_a_server_whose_call_times_out)
{
	struct thread_attributes attributes = {.name = "impatient", .priority = SERVER_BASE};
	struct stage stages[2] = {0}, *middle = &stages[0], *last = &stages[1];
	struct chain chain = {.stages = stages, .length = 1};

	REQUIRE_OK(endpoint_create(&middle->endpoint));
	REQUIRE_OK(endpoint_create(&last->endpoint));
	middle->next = last->endpoint;
	last->priority = SERVER_BASE - 1;
	REQUIRE(start_stage(last));
	REQUIRE(worker_start_with(&middle->worker, serve_impatiently, middle, &attributes));
	REQUIRE(start_caller(&chain, 0));
	REQUIRE(wait_until_inside(middle));
	expect_lent(&middle->worker, &chain.caller, CALLER_BASE);
	expect_own(&last->worker, SERVER_BASE - 1);
	middle->stop = last->stop = true;
	EXPECT_EQUAL(worker_join(&chain.caller), ERR_TIMED_OUT);
	EXPECT_EQUAL(worker_join(&middle->worker), ERR_OK);
	end_stage(last);
	handle_close(middle->endpoint);
}

// A server on another CPU may be at work before its caller has left its own: who runs there as well has seen it leave.
static void wait_until_off_cpu_0(const struct worker *worker)
{
	EXPECT(wait_for_state(worker->thread, THREAD_BLOCKED));
	EXPECT_OK(thread_set_affinity(HANDLE_SELF, 1));
	EXPECT_OK(thread_set_affinity(HANDLE_SELF, ~0ull));
}

// With several CPUs: a server that may not run on the caller's works on its own time.
TEST(donation_stays_on_the_callers_cpu)
{
	struct stage stages[1] = {{.priority = SERVER_BASE, .affinity = 2}};
	struct chain chain = {.stages = stages, .length = 1};
	struct system_info system;

	REQUIRE_OK(system_info(start_handle(START_SYSTEM), &system));
	if (system.cpu_count < 2)
		return;
	REQUIRE_OK(endpoint_create(&chain.stages[0].endpoint));
	REQUIRE(start_stage(&chain.stages[0]));
	REQUIRE(start_caller(&chain, 1));
	REQUIRE(wait_until_inside(&chain.stages[0]));
	wait_until_off_cpu_0(&chain.caller);
	expect_own(&chain.stages[0].worker, SERVER_BASE);
	expect_charged(&chain.stages[0].worker, &chain.caller);
	chain.stages[0].stop = true;
	EXPECT_EQUAL(worker_join(&chain.caller), ERR_OK);
	// One that may is lent the caller's.
	EXPECT_OK(thread_set_affinity(chain.stages[0].worker.thread, 3));
	chain.stages[0].inside = chain.stages[0].stop = false;
	REQUIRE(start_caller(&chain, 1));
	REQUIRE(wait_until_inside(&chain.stages[0]));
	expect_lent(&chain.stages[0].worker, &chain.caller, CALLER_BASE);
	chain.stages[0].stop = true;
	EXPECT_EQUAL(worker_join(&chain.caller), ERR_OK);
	end_chain(&chain);
}

// --- Priority inversion

struct inversion {
	handle_t endpoint;
	volatile bool stop;
	uint64_t finished; // when the caller had its answer
};

static uint64_t work_for_ten_milliseconds(void *argument)
{
	struct inversion *inversion = argument;
	struct message message = {0};
	struct thread_info info;
	uint64_t start;

	endpoint_receive(inversion->endpoint, &message);
	thread_info(HANDLE_SELF, &info);
	for (start = now(); now() < start + 10 * MILLISECOND;)
		;
	message.info = MESSAGE_INFO(info.priority, 0, 0);
	return endpoint_reply(HANDLE_NONE, &message);
}

static uint64_t hog(void *argument)
{
	compute_until(&((struct inversion *)argument)->stop);
	return 0;
}

static uint64_t call_once(void *argument)
{
	struct inversion *inversion = argument;
	struct message message = {0};

	EXPECT_OK(endpoint_call(inversion->endpoint, &message));
	inversion->finished = now();
	return message_label(message.info);
}

// On one CPU a low server works for a high caller while a medium thread would have the CPU for itself.
TEST(donation_bounds_priority_inversion)
{
	struct thread_attributes low = {.name = "low", .priority = 20, .affinity = 1};
	struct thread_attributes medium = {.name = "medium", .priority = 60, .affinity = 1};
	struct thread_attributes high = {.name = "high", .priority = CALLER_BASE, .affinity = 1};
	struct worker server, computing, caller;
	struct inversion inversion = {0};

	REQUIRE_OK(endpoint_create(&inversion.endpoint));
	REQUIRE(worker_start_with(&server, work_for_ten_milliseconds, &inversion, &low));
	REQUIRE(wait_for_state(server.thread, THREAD_BLOCKED));
	REQUIRE(worker_start_with(&computing, hog, &inversion, &medium));
	REQUIRE(worker_start_with(&caller, call_once, &inversion, &high));
	// The medium one computes as long as it lives: without the loan no answer would come.
	EXPECT_EQUAL(worker_join(&caller), CALLER_BASE);
	EXPECT(!inversion.stop && inversion.finished != 0);
	EXPECT(info_of(&computing).state <= THREAD_RUNNING);
	inversion.stop = true;
	worker_join(&computing);
	EXPECT_EQUAL(worker_join(&server), ERR_OK);
	handle_close(inversion.endpoint);
}

// --- Queues

struct sending {
	handle_t endpoint;
	uint64_t word;
};

static uint64_t send_word(void *argument)
{
	struct sending *sending = argument;
	struct message message = {.info = MESSAGE_INFO(0, 1, 0), .words = {sending->word}};

	return endpoint_send(sending->endpoint, &message);
}

TEST(priority_change_moves_a_waiting_sender)
{
	struct sending sendings[3];
	struct worker workers[3];
	struct message message = {0};
	handle_t endpoint;

	REQUIRE_OK(endpoint_create(&endpoint));
	for (unsigned i = 0; i < 3; i++) {
		struct thread_attributes attributes = {.name = "sender", .priority = 50 + i};

		sendings[i] = (struct sending){endpoint, i};
		REQUIRE(worker_start_with(&workers[i], send_word, &sendings[i], &attributes));
		REQUIRE(wait_for_state(workers[i].thread, THREAD_BLOCKED));
	}
	// 50, 51, 52 become 55, 51, 40.
	EXPECT_OK(thread_set_priority(workers[0].thread, 55));
	EXPECT_OK(thread_set_priority(workers[2].thread, 40));
	for (unsigned i = 0; i < 3; i++) {
		message.info = 0;
		EXPECT_OK(endpoint_receive(endpoint, &message));
		EXPECT_EQUAL(message.words[0], i);
	}
	for (unsigned i = 0; i < 3; i++)
		EXPECT_EQUAL(worker_join(&workers[i]), ERR_OK);
	handle_close(endpoint);
}

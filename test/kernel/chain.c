// SPDX-License-Identifier: MIT
//
// Chains of servers for the tests of donation: their making and end, and who pays for whom.

#include "chain.h"

#define PATIENCE     (60000 * MILLISECOND)
#define LEAST_SHARED 10 // milliseconds that the one is charged while the other is spared

uint64_t stage_base(unsigned index)
{
	return SERVER_BASE - index % SERVER_BASES;
}

static uint64_t serve(void *argument)
{
	struct stage *stage = argument;
	struct message message = {0};

	while (endpoint_receive(stage->endpoint, &message) == ERR_OK) {
		enum error error = ERR_OK;

		message.info = 0;
		if (stage->next) {
			error = endpoint_call(stage->next, &message);
			if (!error)
				error = (enum error)message_label(message.info);
		} else {
			if (stage->saves)
				EXPECT_OK(reply_save(&stage->saved));
			stage->inside = true;
			while (!stage->stop)
				stage->rounds++;
		}
		message.info = MESSAGE_INFO(error, 0, 0);
		endpoint_reply(stage->saved, &message);
		message.info = 0;
	}
	return 0;
}

static uint64_t call_first(void *argument)
{
	struct chain *chain = argument;
	struct message message = {0};
	enum error error;

	if (chain->time_out) {
		message.info = MESSAGE_DEADLINE;
		chain->caller.buffer->deadline = after(chain->time_out);
	}
	error = endpoint_call(chain->stages[0].endpoint, &message);
	return error ? (uint64_t)error : message_label(message.info);
}

bool start_stage(struct stage *stage)
{
	struct thread_attributes attributes = {
		.name = "server", .priority = (uint32_t)stage->priority, .affinity = stage->affinity};

	return worker_start_with(&stage->worker, serve, stage, &attributes) &&
		wait_for_state(stage->worker.thread, THREAD_BLOCKED);
}

bool start_caller(struct chain *chain, uint64_t affinity)
{
	struct thread_attributes attributes = {
		.name = "caller", .priority = CALLER_BASE, .affinity = affinity, .flags = THREAD_SUSPENDED};

	return worker_start_with(&chain->caller, call_first, chain, &attributes) &&
		(!chain->context ||
			scheduling_context_bind(chain->context, chain->caller.thread) == ERR_OK) &&
		thread_resume(chain->caller.thread) == ERR_OK;
}

struct stage *last_of(struct chain *chain)
{
	return &chain->stages[chain->length - 1];
}

bool wait_until_inside(struct stage *stage)
{
	for (uint64_t deadline = after(60000 * MILLISECOND); !stage->inside && now() < deadline;)
		thread_sleep(after(MILLISECOND));
	return stage->inside;
}

// A chain of servers that wait, and a caller whose call has reached the last of them.
bool start_chain(struct chain *chain, unsigned length, uint64_t affinity)
{
	chain->length = length;
	for (unsigned i = 0; i < length; i++) {
		chain->stages[i].priority = stage_base(i);
		chain->stages[i].affinity = affinity;
		if (endpoint_create(&chain->stages[i].endpoint) != ERR_OK)
			return false;
		if (i > 0)
			chain->stages[i - 1].next = chain->stages[i].endpoint;
	}
	for (unsigned i = 0; i < length; i++) {
		if (!start_stage(&chain->stages[i]))
			return false;
	}
	return start_caller(chain, affinity) && wait_until_inside(last_of(chain));
}

void end_stage(struct stage *stage)
{
	thread_kill(stage->worker.thread, 0);
	worker_join(&stage->worker);
	handle_close(stage->endpoint);
}

void end_chain(struct chain *chain)
{
	for (unsigned i = 0; i < chain->length; i++)
		end_stage(&chain->stages[i]);
}

struct thread_info info_of(const struct worker *worker)
{
	struct thread_info info = {0};

	EXPECT_OK(thread_info(worker->thread, &info));
	return info;
}

void expect_own(const struct worker *worker, uint64_t base)
{
	struct thread_info info = info_of(worker);

	EXPECT_EQUAL(info.base_priority, base);
	EXPECT_EQUAL(info.priority, base);
	EXPECT_EQUAL(info.payer_id, info.id);
}

void expect_lent(const struct worker *worker, const struct worker *payer, uint64_t priority)
{
	struct thread_info info = info_of(worker);

	EXPECT_EQUAL(info.priority, priority);
	EXPECT_EQUAL(info.payer_id, info_of(payer).id);
}

void expect_all_own(struct chain *chain)
{
	for (unsigned i = 0; i < chain->length; i++) {
		EXPECT(wait_for_state(chain->stages[i].worker.thread, THREAD_BLOCKED));
		expect_own(&chain->stages[i].worker, stage_base(i));
	}
}

// The one's time goes on, the other's stands still.
void expect_charged(const struct worker *charged, const struct worker *spared)
{
	uint64_t charged_before = info_of(charged).cpu_time, spared_before = info_of(spared).cpu_time;
	uint64_t deadline = after(PATIENCE), charged_time;

	do {
		thread_sleep(after(50 * MILLISECOND));
		charged_time = info_of(charged).cpu_time - charged_before;
	} while (charged_time <= LEAST_SHARED * MILLISECOND && now() < deadline);
	EXPECT(charged_time > LEAST_SHARED * MILLISECOND);
	EXPECT_EQUAL(info_of(spared).cpu_time, spared_before);
}

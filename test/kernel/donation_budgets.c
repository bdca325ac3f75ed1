// SPDX-License-Identifier: MIT
//
// Donation of a budget: a chain of servers uses that of the caller, for as long as the call is in order and up to the longest
// chain there is.

#include "chain.h"
#include <string.h>

#define CHAIN          5
#define LOAN_CHAIN_MAX 256 // servers that one caller pays for: docs/caveats.md
#define TOO_LONG       (LOAN_CHAIN_MAX + 4)
#define PATIENCE       (60000 * MILLISECOND)
#define SHARE          (10 * MILLISECOND) // that is used while we look who pays
#define AFFINITY       1                  // all on one CPU, where a call is always lent the caller's time

// More than any test uses.
static handle_t ample_context(void)
{
	handle_t context = HANDLE_NONE;

	EXPECT_OK(scheduling_context_create(&context));
	EXPECT_OK(scheduling_context_configure(context, SCHEDULING_PERIOD_MAX, SCHEDULING_PERIOD_MAX, 0));
	return context;
}

static uint64_t consumed_of(handle_t context)
{
	struct scheduling_context_info info = {0};

	EXPECT_OK(scheduling_context_info(context, &info));
	return info.consumed;
}

// While the last server computes, the context pays for it.
static void expect_budget_used(struct chain *chain)
{
	uint64_t before = consumed_of(chain->context), deadline = after(PATIENCE);

	EXPECT(goes_on(&last_of(chain)->rounds, 1));
	while (consumed_of(chain->context) - before < SHARE && now() < deadline)
		thread_sleep(after(MILLISECOND));
	EXPECT(consumed_of(chain->context) - before >= SHARE);
	EXPECT_EQUAL(last_of(chain)->inside, true);
}

// While the last server computes, another thread pays for it, and the context is left alone.
static void expect_budget_spared(struct chain *chain, const struct worker *payer)
{
	uint64_t began = info_of(payer).cpu_time, deadline = after(PATIENCE), consumed;

	// Once somebody else is charged, all that was used before is settled. Each look at the context has all charged.
	while (info_of(payer).cpu_time == began && now() < deadline) {
		thread_sleep(after(MILLISECOND));
		consumed_of(chain->context);
	}
	consumed = consumed_of(chain->context);
	EXPECT(goes_on(&last_of(chain)->rounds, 1));
	while (info_of(payer).cpu_time - began < SHARE && now() < deadline) {
		thread_sleep(after(MILLISECOND));
		EXPECT_EQUAL(consumed_of(chain->context), consumed);
	}
	EXPECT(info_of(payer).cpu_time - began >= SHARE);
}

TEST(donation_of_a_budget_along_a_chain)
{
	struct stage stages[CHAIN] = {0};
	struct chain chain = {.stages = stages, .context = ample_context()};

	REQUIRE(start_chain(&chain, CHAIN, AFFINITY));
	expect_budget_used(&chain);
	expect_charged(&chain.caller, &last_of(&chain)->worker);
	last_of(&chain)->stop = true;
	EXPECT_EQUAL(worker_join(&chain.caller), ERR_OK);
	expect_all_own(&chain);
	end_chain(&chain);
	handle_close(chain.context);
}

TEST(donation_of_a_budget_ends_when_a_server_in_the_middle_dies)
{
	struct stage stages[CHAIN] = {0};
	struct chain chain = {.stages = stages, .context = ample_context()};

	REQUIRE(start_chain(&chain, CHAIN, AFFINITY));
	expect_budget_used(&chain);
	EXPECT_OK(thread_kill(stages[2].worker.thread, 0));
	EXPECT_EQUAL(worker_join(&chain.caller), ERR_GONE);
	expect_lent(&stages[4].worker, &stages[3].worker, stage_base(3));
	expect_budget_spared(&chain, &stages[3].worker);
	stages[4].stop = true;
	EXPECT(wait_for_state(stages[4].worker.thread, THREAD_BLOCKED));
	end_chain(&chain);
	handle_close(chain.context);
}

// The caller's call ends once it may run again; the first server goes on at once, and pays for the others.
TEST(donation_of_a_budget_ends_when_it_is_used_up)
{
	struct stage stages[CHAIN] = {0};
	struct chain chain = {.stages = stages, .context = ample_context()};
	struct worker *first = &stages[0].worker;
	uint64_t deadline = after(PATIENCE), consumed;

	REQUIRE(start_chain(&chain, CHAIN, AFFINITY));
	consumed = consumed_of(chain.context);
	EXPECT_OK(scheduling_context_configure(chain.context, SHARE, SCHEDULING_PERIOD_MAX, 0));
	while (info_of(first).payer_id != info_of(first).id && now() < deadline)
		thread_sleep(after(MILLISECOND));
	REQUIRE(info_of(first).payer_id == info_of(first).id);
	EXPECT(consumed_of(chain.context) - consumed >= SHARE);
	expect_own(first, stage_base(0));
	for (unsigned i = 1; i < CHAIN; i++)
		expect_lent(&stages[i].worker, first, stage_base(0));
	expect_budget_spared(&chain, first);
	EXPECT(info_of(&chain.caller).state < THREAD_ZOMBIE);
	EXPECT_OK(scheduling_context_configure(chain.context, 0, 0, 0));
	EXPECT_RESULT(NO_BUDGET, endpoint_call, worker_join(&chain.caller));
	last_of(&chain)->stop = true;
	// The next call comes when they have all answered.
	REQUIRE(start_caller(&chain, AFFINITY));
	EXPECT_RESULT(OK, endpoint_call, worker_join(&chain.caller));
	expect_all_own(&chain);
	end_chain(&chain);
	handle_close(chain.context);
}

// --- The longest chain

static struct stage many[TOO_LONG];

TEST(donation_of_a_budget_along_the_longest_chain)
{
	struct chain chain = {.stages = many, .context = ample_context()};

	memset(many, 0, sizeof(many));
	REQUIRE(start_chain(&chain, LOAN_CHAIN_MAX, AFFINITY));
	for (unsigned i = 0; i < LOAN_CHAIN_MAX; i++)
		expect_lent(&many[i].worker, &chain.caller, CALLER_BASE);
	expect_budget_used(&chain);
	last_of(&chain)->stop = true;
	EXPECT_EQUAL(worker_join(&chain.caller), ERR_OK);
	expect_all_own(&chain);
	end_chain(&chain);
	handle_close(chain.context);
}

// The first server beyond works on its own time, and lends it on.
TEST(donation_ends_where_a_chain_is_too_long)
{
	struct chain chain = {.stages = many, .context = ample_context()};
	struct worker *beyond = &many[LOAN_CHAIN_MAX].worker;

	memset(many, 0, sizeof(many));
	REQUIRE(start_chain(&chain, TOO_LONG, AFFINITY));
	for (unsigned i = 0; i < LOAN_CHAIN_MAX; i++)
		expect_lent(&many[i].worker, &chain.caller, CALLER_BASE);
	expect_own(beyond, stage_base(LOAN_CHAIN_MAX));
	for (unsigned i = LOAN_CHAIN_MAX + 1; i < TOO_LONG; i++)
		expect_lent(&many[i].worker, beyond, stage_base(LOAN_CHAIN_MAX));
	expect_budget_spared(&chain, beyond);
	expect_charged(beyond, &chain.caller);
	// The answers come back all the way.
	last_of(&chain)->stop = true;
	EXPECT_EQUAL(worker_join(&chain.caller), ERR_OK);
	expect_all_own(&chain);
	end_chain(&chain);
	handle_close(chain.context);
}

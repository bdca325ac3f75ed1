// SPDX-License-Identifier: MIT
//
// A caller and a chain of servers, each of which hands the call on to the next one; the last one computes.

#ifndef CHAIN_H
#define CHAIN_H

#include "test.h"

#define CALLER_BASE 100
#define SERVER_BASE \
	40 // of the first server; each further one has one less, so that the last leaves others room
#define SERVER_BASES 32 // after so many it begins anew

// A server that hands each call on to the next one; the last one computes until it may stop.
struct stage {
	handle_t endpoint, next;
	handle_t saved; // not HANDLE_NONE: it saves its reply and goes on computing
	volatile bool saves, inside, stop;
	volatile uint64_t rounds; // of its computing
	uint64_t priority, affinity;
	uint64_t cpu_time; // that it had when it began to wait
	struct worker worker;
};

struct chain {
	struct stage *stages;
	unsigned length;
	uint64_t time_out; // of the caller's call, nanoseconds; 0: none
	handle_t context;  // HANDLE_NONE, or what the caller is bound to
	struct worker caller;
};

uint64_t stage_base(unsigned index);

// A server that waits.
bool start_stage(struct stage *stage);
void end_stage(struct stage *stage);
bool wait_until_inside(struct stage *stage);
bool start_caller(struct chain *chain, uint64_t affinity);

// A chain of servers that wait, and a caller whose call has reached the last of them.
bool start_chain(struct chain *chain, unsigned length, uint64_t affinity);
void end_chain(struct chain *chain);
struct stage *last_of(struct chain *chain);

struct thread_info info_of(const struct worker *worker);
// It works on its own time, at its own priority.
void expect_own(const struct worker *worker, uint64_t base);
void expect_lent(const struct worker *worker, const struct worker *payer, uint64_t priority);
// The same of each server of a chain, once it waits again.
void expect_all_own(struct chain *chain);
// The one's time goes on, the other's stands still.
void expect_charged(const struct worker *charged, const struct worker *spared);

#endif

// SPDX-License-Identifier: MIT
//
// Loans of CPU time. While a caller waits for the answer to a call, its server runs on the caller's time (its CPU
// time and its scheduling context) and at least at its priority, and lends both on with calls of its own.
//
// A loan is no more than a number in the server's struct caller, good as long as the caller is in that wait. So
// answer, time-out and death end it with the compare-and-swap that ends the wait, and nobody else is told: who
// pays for a thread and which priority it has is looked up when it is queued and when a CPU turns to it.

#ifndef KERNEL_LOAN_H
#define KERNEL_LOAN_H

#include <kernel/thread.h>

// Longer chains of calls lend no further, so that following one is a bounded step. A power of two: that a chain is so long is one bit.
#define LOAN_CHAIN_MAX 256

struct loan_chain {
	struct thread *payer; // on whose time the thread runs: itself, or the caller at the chain's other end
	uint64_t payer_wait;  // the number of that caller's wait
	uint8_t priority;     // effective, of the thread
};

struct loan_chain loan_follow_chain(const struct thread *thread);

// Who pays for a thread, and its effective priority.
static inline struct loan_chain loan_follow(struct thread *thread)
{
	if (thread->caller.loans == 0)
		return (struct loan_chain){.payer = thread, .priority = thread->base_priority};
	return loan_follow_chain(thread);
}

// Fills in the loan of a server's caller that is about to wait for its answer. None is made to a server that may
// not run on the caller's CPU. Both are claimed or current.
void loan_make(struct thread *server, struct thread *client);

// A wait in which a thread may have lent its time has ended without an answer: a CPU that runs on it reschedules.
void loan_recall(struct thread *client);

#endif

// SPDX-License-Identifier: MIT
//
// Scheduling contexts: so much CPU time in each period, for all threads that are bound to one.
//
// A period begins when the context is first used after the one before, so nothing has to be done for one that is
// not used. What is used beyond the budget before the CPU notices is missing from the next one.

#ifndef KERNEL_SCHEDULING_CONTEXT_H
#define KERNEL_SCHEDULING_CONTEXT_H

#include <kernel/list.h>
#include <kernel/object.h>
#include <kernel/spinlock.h>
#include <kernel/thread.h>

struct scheduling_context {
	struct object object;
	struct spinlock wait_lock;
	struct list_node waiters; // for the next period: thread.wait_link; guarded by wait_lock
	struct spinlock lock;     // guards the rest
	uint64_t budget;          // nanoseconds of each period; 0: no limit
	uint64_t period;
	uint64_t period_end; // from then on there is a new budget
	int64_t remaining;   // of the budget; negative: overrun
	uint64_t consumed;   // nanoseconds in all
	uint64_t flags;
};

#define BUDGET_UNLIMITED UINT64_MAX

// The wait for the next period; a kick leaves it alone.
extern const struct wait_operations budget_wait;

// Charges time, and tells how much is left of the budget `now`.
uint64_t scheduling_context_charge(struct scheduling_context *context, uint64_t used, uint64_t now);

// Binds a new thread to what its creator, the current thread, is bound to.
void scheduling_context_inherit(struct thread *thread);

// trap_exit's part: the budget that the current thread runs on is used up. Ends the loan it works on, or lets it wait
// for the next period, or reports a fault.
void scheduling_context_enforce(void);

#endif

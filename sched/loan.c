// SPDX-License-Identifier: MIT
//
// Loans of CPU time: made with a call, followed when it matters who pays. See loan.h.

#include <kernel/cpu.h>
#include <kernel/loan.h>
#include <kernel/scheduler.h>

static uint8_t greater(uint8_t a, uint8_t b)
{
	return a > b ? a : b;
}

// One try: false where a thread of the chain went on meanwhile, so that what was read of it is worth nothing. What
// a caller field named a moment ago is still memory of a thread: this is a read-side section.
static bool follow(const struct thread *thread, struct loan_chain *chain)
{
	const struct thread *head = thread;
	uint64_t head_wait = 0;
	uint8_t highest_base = thread->base_priority;

	for (;;) {
		uint64_t loans = __atomic_load_n(&head->caller.loans, __ATOMIC_RELAXED);
		struct thread *lender = __atomic_load_n(&head->caller.thread, __ATOMIC_RELAXED);
		uint64_t wait = __atomic_load_n(&head->caller.wait_number, __ATOMIC_RELAXED);

		atomic_thread_fence(memory_order_acquire);
		if (head != thread && !thread_is_waiting(head, head_wait))
			return false;
		if (loans == 0 || lender == NULL)
			break;
		// Recalled: from here on each has no more than its own.
		if (!thread_is_waiting(lender, wait))
			break;
		head = lender;
		head_wait = wait;
		highest_base = greater(highest_base, head->base_priority);
	}
	chain->payer = (struct thread *)head;
	chain->priority = highest_base;
	chain->payer_wait = head_wait;
	return true;
}

struct loan_chain loan_follow_chain(const struct thread *thread)
{
	struct loan_chain chain;

	while (!follow(thread, &chain))
		;
	return chain;
}

void loan_make(struct thread *server, struct thread *client)
{
	uint64_t loans = client->caller.loans;

	server->caller.loans = 0;
	if (client->faulting && client->fault.kind == FAULT_TIMEOUT)
		return;
	if (loans == LOAN_CHAIN_MAX || !scheduler_may_run(server, &cpus[client->cpu]))
		return;
	server->caller.loans = loans + 1;
	// They keep together. One whose stack is still in use goes on where it is.
	if (!atomic_load(&server->on_cpu))
		server->cpu = client->cpu;
}

void loan_recall(struct thread *client)
{
	const struct thread *payer = loan_follow(client).payer;

	// A CPU that turns to its server says who pays, and then looks at the wait.
	atomic_thread_fence(memory_order_seq_cst);
	for (unsigned i = 0; i < cpu_count; i++)
		if (__atomic_load_n(&cpus[i].payer, __ATOMIC_RELAXED) == payer)
			scheduler_reschedule(&cpus[i]);
}

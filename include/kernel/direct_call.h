// SPDX-License-Identifier: MIT
//
// What calls and faults that switch directly have in common: the message is a call with a loan, and who answers it
// receives again. See ipc/fast_path.c and ipc/fast_fault.c.

#ifndef KERNEL_DIRECT_CALL_H
#define KERNEL_DIRECT_CALL_H

#include <kernel/direct_switch.h>
#include <kernel/endpoint.h>
#include <kernel/loan.h>

INLINE bool direct_exchange_alone(struct endpoint *endpoint, struct thread *from, struct thread *to)
{
	return direct_exchange_if(&endpoint->alone, (uint64_t)(uintptr_t)from, (uint64_t)(uintptr_t)to);
}

// The receiver that waits alone; NULL: none, or somebody is at the endpoint. It stays what it is until direct_put_back or
// direct_take_receiver; nobody waits for that longer than for those few instructions.
INLINE struct thread *direct_hold_receiver(struct endpoint *endpoint)
{
	return (struct thread *)(uintptr_t)direct_exchange_above(
		&endpoint->alone, (uintptr_t)ENDPOINT_CLOSED, (uintptr_t)ENDPOINT_HELD);
}

INLINE void direct_put_back(struct endpoint *endpoint, struct thread *receiver)
{
	atomic_store_explicit(&endpoint->alone, receiver, memory_order_release);
}

// Its wait is over, it runs: see direct_claim.
INLINE void direct_take_receiver(struct endpoint *endpoint, struct thread *receiver)
{
	SET_ONCE(bool, receiver->on_cpu, true);
	SET_ONCE(struct endpoint *, receiver->alone_at, NULL);
	// The endpoint does not end before that: whoever finds it there finds memory of an endpoint.
	atomic_store_explicit(&endpoint->alone, NULL, memory_order_release);
}

// Whether a ready thread might come before the client, which has a lower priority than its server.
INLINE bool direct_comes_later(const struct thread *client, const struct thread *self, const struct cpu *cpu)
{
	return RARE(client->priority < self->priority) && cpu->run_queue.count != 0;
}

// A client that works on a loan itself may have lost it while it waited; the general way finds out what it has now.
static inline bool direct_has_lost_loan(struct thread *client)
{
	return client->caller.loans != 0 && loan_follow(client).priority != client->priority;
}

// The server runs at its client's priority, if that is above its own.
INLINE void direct_lend_priority(struct thread *server, const struct thread *client)
{
	uint8_t priority = client->priority;

	server->priority = priority > server->base_priority ? priority : server->base_priority;
}

// The current thread waits for the answer of a server, whose wait has been claimed, and lends it its time: see loan_make. `loans`: of
// its own caller.
INLINE void direct_wait_for_answer(struct thread *self, struct thread *server, uint64_t loans)
{
	uint64_t wait = direct_next_wait(self);

	server->caller.wait_number = wait;
	server->caller.thread = self;
	server->caller.loans = loans + 1;
	direct_begin_wait(self, &ipc_answer_wait, wait);
}

#endif

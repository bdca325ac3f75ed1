// SPDX-License-Identifier: MIT
//
// What calls and faults that switch directly have in common: the message is a call with a loan, and who answers it
// receives again. See ipc/fast_path.c and ipc/fast_fault.c.

#ifndef KERNEL_DIRECT_CALL_H
#define KERNEL_DIRECT_CALL_H

#include <kernel/direct_switch.h>
#include <kernel/endpoint.h>
#include <kernel/loan.h>

// Whether a receiver would not wait now. The endpoint's lock is held, which keeps signals to a bound notification out.
INLINE bool direct_has_message(const struct endpoint *endpoint)
{
	return endpoint->senders != NULL || object_has_ended(&endpoint->object) ||
		(RARE(endpoint->notification != NULL) && endpoint->notification->word != 0);
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

// The caller's loan: see loan_make.
INLINE void direct_lend(struct thread *server, const struct thread *client, uint8_t loans)
{
	uint8_t priority = client->priority;

	ONCE(uint8_t, server->caller.loans) = (uint8_t)(loans + 1);
	ONCE(uint8_t, server->caller.priority) = priority;
	if (RARE(server->priority != priority))
		server->priority = priority > server->base_priority ? priority : server->base_priority;
}

// The current thread waits for the answer of a server, whose wait has been claimed. `loans`: of its own caller.
INLINE void direct_wait_for_answer(struct thread *self, struct thread *server, uint8_t loans)
{
	uint64_t wait = direct_next_wait(self);

	direct_lend(server, self, loans);
	object_get(&self->object);
	server->caller.thread = self;
	server->caller.wait_number = wait;
	direct_begin_wait(self, &ipc_answer_wait, wait);
}

// The current thread has answered a client, whose wait has been claimed, and waits at an endpoint, whose lock is held.
INLINE void direct_wait_to_receive(struct thread *self, struct thread *client, struct endpoint *endpoint)
{
	self->caller.thread = NULL;
	self->caller.loans = 0;
	object_put_some(&client->object);
	self->wait_object = endpoint;
	list_push_back(&endpoint->receivers, &self->wait_link);
	direct_begin_wait(self, &ipc_receive_wait, direct_next_wait(self));
}

#endif

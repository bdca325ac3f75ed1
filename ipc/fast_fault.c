// SPDX-License-Identifier: MIT
//
// Faults that switch directly: the message of a thread that faults to a handler that waits, and the answer that lets it go on, by a
// handler that waits again. Like a call and its answer: on the same time, paid by whoever pays now. See fast_path.c.

#include <kernel/cpu.h>
#include <kernel/direct_schedule.h>
#include <kernel/endpoint.h>
#include <kernel/fast_path.h>
#include <kernel/loan.h>

// The first three are as in fast_path.c.

INLINE void lend(struct thread *handler, const struct thread *client)
{
	handler->caller.loans = (uint8_t)(client->caller.loans + 1);
	handler->caller.priority = client->priority;
	handler->priority = client->priority > handler->base_priority ? client->priority
								      : handler->base_priority;
}

INLINE bool has_message(const struct endpoint *endpoint)
{
	return object_has_ended(&endpoint->object) || endpoint->senders != NULL ||
		(endpoint->notification && endpoint->notification->word != 0);
}

static inline bool has_lost_loan(struct thread *client)
{
	return client->caller.loans != 0 && loan_follow(client).priority != client->priority;
}

INLINE bool comes_later(const struct thread *client, const struct thread *self, const struct cpu *cpu)
{
	return client->priority < self->priority && cpu->run_queue.count != 0;
}

// As endpoint_send_locked sees it.
INLINE bool takes_message(
	const struct endpoint *endpoint, const struct thread *handler, const struct cpu *cpu)
{
	return !list_is_empty(&endpoint->receivers) &&
		atomic_load_explicit(&endpoint->receive_capabilities, memory_order_relaxed) != 0 &&
		direct_is_unhindered(handler, cpu) &&
		(handler->message_buffer || (handler->message_info & MESSAGE_WIDE));
}

INLINE void give_message(const struct thread *self, struct thread *handler, const struct fault *fault)
{
	arch_message_set_result(&handler->arch, ERR_OK, self->fault_badge,
		MESSAGE_INFO(fault->kind, FAULT_MESSAGE_WORDS, 0) | MESSAGE_CALL | MESSAGE_FAULT);
	arch_message_set_word(&handler->arch, 0, fault->address);
	arch_message_set_word(&handler->arch, 1, fault->access);
	arch_message_set_word(&handler->arch, 2, arch_program_counter(&self->arch));
	arch_message_set_word(&handler->arch, 3, self->object.id);
	if (handler->message_info & MESSAGE_WIDE)
		arch_message_set_word(&handler->arch, 4, fault->isa_code);
	else
		handler->message_buffer->words[4] = fault->isa_code;
}

void ipc_fast_send_fault(const struct fault *fault)
{
	struct cpu *cpu = cpu_self();
	struct thread *self = cpu->current, *handler;
	struct endpoint *endpoint = self->fault_endpoint;
	uint64_t state;

	if (RARE(atomic_load_explicit(&cpu->work, memory_order_relaxed) != 0 || cpu->direct_calls == 0 ||
		    self->caller.loans == LOAN_CHAIN_MAX || !spin_try_lock(&endpoint->lock)))
		return;
	handler = container_of(endpoint->receivers.next, struct thread, wait_link);
	if (RARE(!takes_message(endpoint, handler, cpu)))
		goto general;
	state = atomic_load_explicit(&handler->state, memory_order_relaxed);
	if (RARE((state & 0xff) != THREAD_BLOCKED || !direct_claim(handler, state)))
		goto general;
	list_remove(&handler->wait_link);
	spin_unlock(&endpoint->lock);
	give_message(self, handler, fault);
	state = atomic_load_explicit(&self->state, memory_order_relaxed);
	state = (state & ~(uint64_t)0xff) + BLOCKED_STATE(1);
	lend(handler, self);
	object_get(&self->object);
	handler->caller.thread = self;
	handler->caller.wait_number = state >> 8;
	self->fault = *fault;
	thread_set_faulting(self, true);
	direct_begin_wait(self, &ipc_answer_wait, state);
	cpu->current = handler;
	direct_resume(cpu, self, handler);
general:
	spin_unlock(&endpoint->lock);
}

// Whether the answer lets the thread go on, which nothing else hinders, and does nothing but that.
INLINE bool is_plain(const struct thread *client, uint64_t info)
{
	return atomic_load_explicit(&client->hindrances, memory_order_relaxed) == HINDRANCE_FAULT &&
		client->paging == NULL && message_label(info) == FAULT_RESUME &&
		((uint32_t)info & ~MESSAGE_WIDE) == 0;
}

void ipc_fast_answer_fault(handle_t handle, uint64_t info)
{
	struct cpu *cpu = cpu_self();
	struct thread *self = cpu->current, *client = self->caller.thread;
	struct capability capability;
	struct endpoint *endpoint;
	uint64_t state;

	if (RARE(atomic_load_explicit(&cpu->work, memory_order_relaxed) != 0 || cpu->direct_calls == 0 ||
		    client->cpu != cpu->index || !is_plain(client, info) || self->caller.loans == 0 ||
		    comes_later(client, self, cpu) || has_lost_loan(client) ||
		    capability_read(&self->process->table, handle, &capability) != ERR_OK ||
		    capability.object->type != OBJECT_ENDPOINT || !(capability.rights & RIGHT_RECEIVE)))
		return;
	endpoint = container_of(capability.object, struct endpoint, object);
	if (RARE(!spin_try_lock(&endpoint->lock)))
		return;
	if (RARE(has_message(endpoint) || !direct_claim(client, BLOCKED_STATE(self->caller.wait_number)))) {
		spin_unlock(&endpoint->lock);
		return;
	}
	thread_set_faulting(client, false);
	self->caller.thread = NULL;
	self->caller.loans = 0;
	object_put_some(&client->object);
	self->message_info = info;
	self->wait_object = endpoint;
	list_push_back(&endpoint->receivers, &self->wait_link);
	state = atomic_load_explicit(&self->state, memory_order_relaxed);
	direct_begin_wait(self, &ipc_receive_wait, (state & ~(uint64_t)0xff) + BLOCKED_STATE(1));
	spin_unlock(&endpoint->lock);
	cpu->current = client;
	direct_resume(cpu, self, client);
}

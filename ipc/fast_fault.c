// SPDX-License-Identifier: MIT
//
// Faults that switch directly: the message of a thread that faults to a handler that waits, and the answer that lets it go on, by a
// handler that waits again. Like a call and its answer: on the same time, paid by whoever pays now. See fast_path.c.

#include <kernel/cpu.h>
#include <kernel/direct_call.h>
#include <kernel/direct_schedule.h>
#include <kernel/fast_path.h>

// As endpoint_send_locked sees it.
INLINE bool takes_message(const struct thread *handler, const struct cpu *cpu)
{
	return direct_is_unhindered(handler, cpu) &&
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

	if (RARE(atomic_load_explicit(&cpu->work, memory_order_relaxed) != 0 || cpu->direct_calls == 0 ||
		    self->caller.loans == LOAN_CHAIN_MAX))
		return;
	handler = direct_hold_receiver(endpoint);
	if (RARE(handler == NULL))
		return;
	if (RARE(!takes_message(handler, cpu))) {
		direct_put_back(endpoint, handler);
		return;
	}
	direct_lend_priority(handler, self);
	direct_take_receiver(endpoint, handler);
	give_message(self, handler, fault);
	self->fault = *fault;
	thread_set_faulting(self, true);
	direct_wait_for_answer(self, handler, self->caller.loans);
	cpu->current = handler;
	direct_resume(cpu, self, handler);
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

	if (RARE(atomic_load_explicit(&cpu->work, memory_order_relaxed) != 0 || cpu->direct_calls == 0 ||
		    client->cpu != cpu->index || !is_plain(client, info) || self->caller.loans == 0 ||
		    direct_comes_later(client, self, cpu) || direct_has_lost_loan(client) ||
		    capability_read(&self->process->table, handle, &capability) != ERR_OK ||
		    capability.object->type != OBJECT_ENDPOINT || !(capability.rights & RIGHT_RECEIVE)))
		return;
	endpoint = container_of(capability.object, struct endpoint, object);
	if (RARE(!direct_exchange_alone(endpoint, NULL, ENDPOINT_HELD)))
		return;
	if (RARE(!direct_claim(client, self->caller.wait_number))) {
		direct_put_back(endpoint, NULL);
		return;
	}
	thread_set_faulting(client, false);
	self->message_info = info;
	self->caller.thread = NULL;
	self->caller.loans = 0;
	atomic_store(&self->alone_at, endpoint);
	direct_put_back(endpoint, self);
	cpu->current = client;
	direct_resume(cpu, self, client);
}

// SPDX-License-Identifier: MIT
//
// The fast path: a call to a receiver that waits, and an answer to a caller by a server that goes on waiting, in one
// step from user mode to user mode, without the scheduler. It has the cases that matter: words in registers, both
// on this CPU, nothing else to do. Everything is looked at first; what does not fit goes the general way with
// nothing changed.
//
// The current thread's registers are in its frame, but for the message words, which the ISA keeps for the other
// thread. Whoever else wants one of the two threads finds it as the general way would have left it: blocked in
// that wait, or running.

#include <arch/thread.h>
#include <kernel/assert.h>
#include <kernel/cpu.h>
#include <kernel/direct_switch.h>
#include <kernel/endpoint.h>
#include <kernel/fast_path.h>
#include <kernel/loan.h>
#include <kernel/scheduler.h>

// The first node is claimed: nobody takes it out again, so its own links need no care.
INLINE void list_pop_first(struct list_node *list)
{
	struct list_node *second = list->next->next;

	list->next = second;
	second->previous = list;
}

INLINE struct endpoint *find_endpoint(
	const struct thread *self, handle_t handle, rights_t needed, uint64_t *badge)
{
	struct capability capability;

	if (RARE(capability_read(&self->process->table, handle, &capability) != ERR_OK))
		return NULL;
	if (RARE(capability.object->type != OBJECT_ENDPOINT || !(capability.rights & needed)))
		return NULL;
	*badge = capability.badge;
	return container_of(capability.object, struct endpoint, object);
}

// The caller's loan: see loan_make.
INLINE void lend(struct thread *server, const struct thread *client)
{
	server->caller.loans = (uint8_t)(client->caller.loans + 1);
	server->caller.priority = client->priority;
	server->priority = client->priority > server->base_priority ? client->priority
								    : server->base_priority;
}

void ipc_fast_call(handle_t handle, uint64_t info)
{
	struct cpu *cpu = cpu_self();
	struct thread *self = cpu->current, *server;
	struct endpoint *endpoint;
	uint64_t badge, state;

	if (RARE(atomic_load_explicit(&cpu->work, memory_order_relaxed) != 0))
		arch_slow_endpoint_call(handle, info);
	endpoint = find_endpoint(self, handle, RIGHT_SEND, &badge);
	if (RARE(endpoint == NULL || !spin_try_lock(&endpoint->lock)))
		arch_slow_endpoint_call(handle, info);
	server = container_of(endpoint->receivers.next, struct thread, wait_link);
	if (RARE(list_is_empty(&endpoint->receivers) ||
		    atomic_load_explicit(&endpoint->receive_capabilities, memory_order_relaxed) == 0 ||
		    !direct_is_unhindered(server, cpu) || self->caller.loans == LOAN_CHAIN_MAX))
		goto slow;
	state = atomic_load_explicit(&server->state, memory_order_relaxed);
	if (RARE((state & 0xff) != THREAD_BLOCKED || !direct_claim(server, state)))
		goto slow;
	list_pop_first(&endpoint->receivers);
	spin_unlock(&endpoint->lock);
	state = atomic_load_explicit(&self->state, memory_order_relaxed);
	state = (state & ~(uint64_t)0xff) + BLOCKED_STATE(1);
	lend(server, self);
	object_get(&self->object);
	server->caller.thread = self;
	server->caller.wait_number = state >> 8;
	self->message_info = info;
	direct_begin_wait(self, &ipc_answer_wait, state);
	direct_pass_on(cpu, self, server, badge, (info & ~MESSAGE_WIDE) | MESSAGE_CALL);
slow:
	spin_unlock(&endpoint->lock);
	arch_slow_endpoint_call(handle, info);
}

// Whether a receiver would find anything now. The endpoint's lock is held, which keeps signals to a bound notification out.
INLINE bool has_message(const struct endpoint *endpoint)
{
	return endpoint->senders != NULL || (endpoint->notification && endpoint->notification->word != 0);
}

// A client that works on a loan itself may have lost it while it waited; the general way finds out what it has now.
static inline bool has_lost_loan(struct thread *client)
{
	return client->caller.loans != 0 && loan_follow(client).priority != client->priority;
}

// Whether a ready thread might come before the client, which has a lower priority than its server.
INLINE bool comes_later(const struct thread *client, const struct thread *self, const struct cpu *cpu)
{
	return client->priority < self->priority && cpu->run_queue.count != 0;
}

void ipc_fast_reply_receive(handle_t handle, uint64_t info)
{
	struct cpu *cpu = cpu_self();
	struct thread *self = cpu->current, *client = self->caller.thread;
	struct endpoint *endpoint;
	uint64_t badge, state;

	if (RARE(client == NULL || atomic_load_explicit(&cpu->work, memory_order_relaxed) != 0 ||
		    !direct_is_unhindered(client, cpu) || self->caller.loans == 0 ||
		    comes_later(client, self, cpu) || has_lost_loan(client)))
		arch_slow_endpoint_reply_receive(handle, info);
	endpoint = find_endpoint(self, handle, RIGHT_RECEIVE, &badge);
	if (RARE(endpoint == NULL || !spin_try_lock(&endpoint->lock)))
		arch_slow_endpoint_reply_receive(handle, info);
	if (RARE(has_message(endpoint) || !direct_claim(client, BLOCKED_STATE(self->caller.wait_number)))) {
		spin_unlock(&endpoint->lock);
		arch_slow_endpoint_reply_receive(handle, info);
	}
	self->caller.thread = NULL;
	self->caller.loans = 0;
	object_put(&client->object);
	self->message_info = info;
	self->wait_object = endpoint;
	list_push_back(&endpoint->receivers, &self->wait_link);
	state = atomic_load_explicit(&self->state, memory_order_relaxed);
	direct_begin_wait(self, &ipc_receive_wait, (state & ~(uint64_t)0xff) + BLOCKED_STATE(1));
	spin_unlock(&endpoint->lock);
	direct_pass_on(cpu, self, client, 0, info & ~MESSAGE_WIDE);
}

void ipc_fast_path_work(struct arch_thread *previous)
{
	struct thread *thread = container_of(previous, struct thread, arch);

	// Whoever killed or kicked it before it waited could not end the wait.
	if (atomic_load(&thread->killed))
		thread_abort_wait(thread, ERR_CANCELLED);
	else
		guest_check_kick(thread);
	trap_exit();
}

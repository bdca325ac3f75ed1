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
#include <kernel/address_space.h>
#include <kernel/assert.h>
#include <kernel/cpu.h>
#include <kernel/endpoint.h>
#include <kernel/fast_path.h>
#include <kernel/loan.h>
#include <kernel/process.h>
#include <kernel/scheduler.h>

#define RARE(condition) __builtin_expect((condition), 0)
#define INLINE          static inline __attribute__((always_inline))

#define BLOCKED_STATE(number) ((number) << 8 | THREAD_BLOCKED)

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

// Whether a thread that waits may run here as soon as it is claimed.
INLINE bool is_unhindered(const struct thread *thread, const struct cpu *cpu)
{
	return atomic_load_explicit(&thread->hindrances, memory_order_relaxed) == 0 &&
		thread->cpu == cpu->index;
}

// Ends a thread's wait and makes it run. Whoever wants it to stop announces that in the CPU's work word before he
// looks whether it is on a CPU; we look at that word last.
INLINE bool claim(struct thread *thread, uint64_t waiting)
{
	atomic_store_explicit(&thread->on_cpu, true, memory_order_relaxed);
	if (!RARE(!atomic_compare_exchange_strong(
		    &thread->state, &waiting, waiting - THREAD_BLOCKED + THREAD_RUNNING)))
		return true;
	atomic_store(&thread->on_cpu, false);
	return false;
}

// The current thread waits from now on: its frame is what others may change.
INLINE void begin_wait(struct thread *self, const struct wait_operations *operations, uint64_t state)
{
	arch_thread_reset_context(&self->arch, thread_resume_user);
	self->wait_operations = operations;
	atomic_store(&self->state, state);
}

// The other thread goes on at once, on the same time: in what is left of the slice, and paid by whoever pays now.
INLINE _Noreturn void pass_on(
	struct cpu *cpu, struct thread *self, struct thread *next, uint64_t badge, uint64_t info)
{
	cpu->current = next;
	if (cpu->address_space != next->process->space)
		address_space_load(cpu, next->process->space);
	arch_fpu_switch_directly(&cpu->arch, &self->arch, &next->arch);
	arch_switch_directly(&self->arch, &next->arch, badge, info);
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
		    !is_unhindered(server, cpu) || self->caller.loans == LOAN_CHAIN_MAX))
		goto slow;
	state = atomic_load_explicit(&server->state, memory_order_relaxed);
	if (RARE((state & 0xff) != THREAD_BLOCKED || !claim(server, state)))
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
	begin_wait(self, &ipc_answer_wait, state);
	pass_on(cpu, self, server, badge, (info & ~MESSAGE_WIDE) | MESSAGE_CALL);
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
		    !is_unhindered(client, cpu) || self->caller.loans == 0 ||
		    comes_later(client, self, cpu) || has_lost_loan(client)))
		arch_slow_endpoint_reply_receive(handle, info);
	endpoint = find_endpoint(self, handle, RIGHT_RECEIVE, &badge);
	if (RARE(endpoint == NULL || !spin_try_lock(&endpoint->lock)))
		arch_slow_endpoint_reply_receive(handle, info);
	if (RARE(has_message(endpoint) || !claim(client, BLOCKED_STATE(self->caller.wait_number)))) {
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
	begin_wait(self, &ipc_receive_wait, (state & ~(uint64_t)0xff) + BLOCKED_STATE(1));
	spin_unlock(&endpoint->lock);
	pass_on(cpu, self, client, 0, info & ~MESSAGE_WIDE);
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

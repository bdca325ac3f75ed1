// SPDX-License-Identifier: MIT
//
// Endpoints: where senders and receivers meet.

#include <arch/thread.h>
#include <kernel/assert.h>
#include <kernel/cache.h>
#include <kernel/cpu.h>
#include <kernel/endpoint.h>
#include <kernel/fast_path.h>
#include <kernel/loan.h>
#include <kernel/process.h>
#include <kernel/syscall.h>

#define SEND_FLAGS    (MESSAGE_WIDE | MESSAGE_DEADLINE | MESSAGE_TRY)
#define CALL_FLAGS    (SEND_FLAGS | MESSAGE_BUFFERS)
#define FAIL_STEP     16 // who waits and is failed between preemption points
#define RECEIVE_FLAGS (MESSAGE_WIDE | MESSAGE_DEADLINE | MESSAGE_TRY)

static struct object_cache endpoint_cache = OBJECT_CACHE_INITIALIZER(
	endpoint_cache, "endpoint", struct endpoint);

static struct endpoint *endpoint_of(struct object *object)
{
	return container_of(object, struct endpoint, object);
}

// --- Waiting in the queues

// An endpoint that ends empties its queues first, and its memory outlives this kernel entry, so what
// wait_object said is good.
static struct endpoint *waited_for(struct thread *thread)
{
	return __atomic_load_n((struct endpoint **)&thread->wait_object, __ATOMIC_ACQUIRE);
}

// Whoever takes a sender out of the queue also takes it out of the reach of revocations.
static void dequeue_sender(struct endpoint *endpoint, struct thread *sender)
{
	ASSERT_LOCK_HELD(&endpoint->lock);
	heap_remove(&endpoint->senders, &sender->wait_node);
	spin_lock(&endpoint->object.derivation_lock);
	derivation_remove(&sender->queued);
	spin_unlock(&endpoint->object.derivation_lock);
}

static void cancel_send(struct thread *thread)
{
	struct endpoint *endpoint = waited_for(thread);

	if (endpoint == NULL)
		return;
	endpoint_lock(endpoint);
	if (heap_contains(&thread->wait_node))
		dequeue_sender(endpoint, thread);
	endpoint_unlock(endpoint);
}

static void cancel_receive(struct thread *thread)
{
	struct endpoint *endpoint = waited_for(thread);

	endpoint_lock(endpoint);
	list_remove(&thread->wait_link);
	endpoint_unlock(endpoint);
}

static void fail_receive(struct thread *thread, enum error error)
{
	arch_message_set_result(&thread->arch, error, 0, 0);
}

static const struct wait_operations send_wait = {"send", cancel_send, caller_finish};
const struct wait_operations ipc_receive_wait = {"receive", cancel_receive, fail_receive};
// Accepted: in no queue.
const struct wait_operations ipc_answer_wait = {"answer", caller_cancel, caller_finish};

// Higher priority first, then earlier arrival.
static uint64_t sender_key(struct thread *sender, uint64_t arrival)
{
	return ((uint64_t)(UINT8_MAX - loan_follow(sender).priority) << 56) |
		(arrival & (((uint64_t)1 << 56) - 1));
}

// Puts a sender that was queued with another priority than it has now where it belongs; false: it is there.
static bool requeue_sender(struct endpoint *endpoint, struct thread *sender)
{
	uint64_t key = sender_key(sender, sender->wait_node.key);

	ASSERT_LOCK_HELD(&endpoint->lock);
	if (key == sender->wait_node.key)
		return false;
	heap_remove(&endpoint->senders, &sender->wait_node);
	heap_insert(&endpoint->senders, &sender->wait_node, key);
	return true;
}

void ipc_priority_changed(struct thread *thread)
{
	uint64_t word = atomic_load(&thread->state);
	bool sends = (word & 0xff) == THREAD_BLOCKED && thread->wait_operations == &send_wait;
	struct endpoint *endpoint = waited_for(thread);

	// Still in that wait, which does not outlive the endpoint.
	if (!sends || endpoint == NULL || atomic_load(&thread->state) != word)
		return;
	endpoint_lock(endpoint);
	if (waited_for(thread) == endpoint && heap_contains(&thread->wait_node))
		requeue_sender(endpoint, thread);
	endpoint_unlock(endpoint);
}

static uint64_t transfer_flags(const struct thread *sender)
{
	return (sender->message_info & MESSAGE_CALL) | (sender->faulting ? MESSAGE_FAULT : 0);
}

// --- Sending

// Hands the current thread's message to a receiver that waits. ERR_WOULD_BLOCK: there is none.
static enum error send_to_waiting(struct endpoint *endpoint, struct thread *sender)
{
	while (!list_is_empty(&endpoint->receivers)) {
		struct thread *receiver = container_of(endpoint->receivers.next, struct thread, wait_link);
		struct transfer transfer;
		enum error error = message_prepare(sender, receiver, &transfer);

		if (error)
			return error;
		list_remove(&receiver->wait_link);
		if (!thread_claim(receiver)) {
			message_abandon(receiver, &transfer);
			continue;
		}
		message_commit(sender, receiver, &transfer, transfer_flags(sender));
		if (sender->message_info & MESSAGE_CALL) {
			loan_make(receiver, sender);
			caller_bind(&receiver->caller, sender,
				thread_prepare_wait(
					&ipc_answer_wait, NULL, THREAD_BLOCKED, message_deadline(sender)));
		}
		thread_wake(receiver);
		return ERR_OK;
	}
	return ERR_WOULD_BLOCK;
}

enum error endpoint_send_locked(struct endpoint *endpoint, struct thread *sender, struct capability *source)
{
	enum error error;

	ASSERT_LOCK_HELD(&endpoint->lock);
	if (atomic_load(&endpoint->receive_capabilities) == 0)
		return ERR_PEER_CLOSED;
	error = send_to_waiting(endpoint, sender);
	if (error != ERR_WOULD_BLOCK || (sender->message_info & MESSAGE_TRY))
		return error;
	if (source) {
		capability_locate(source, &sender->process->table, arch_message_handle(&sender->arch));
		if (!capability_attach(source, &sender->queued, NULL))
			return ERR_BAD_HANDLE;
	}
	thread_prepare_wait(&send_wait, endpoint, THREAD_BLOCKED, message_deadline(sender));
	heap_insert(&endpoint->senders, &sender->wait_node, sender_key(sender, endpoint->arrivals++));
	return ERR_OK;
}

static enum error send(struct thread *thread, uint64_t flags, uint64_t call)
{
	uint64_t info = arch_message_info(&thread->arch);
	struct capability capability;
	struct endpoint *endpoint;
	enum error error;

	error = capability_lookup(
		arch_message_handle(&thread->arch), OBJECT_ENDPOINT, RIGHT_SEND, &capability);
	if (!error)
		error = message_check(thread, info, flags);
	if (!error && (info & MESSAGE_BUFFERS))
		error = offers_take(thread);
	if (error)
		return error;
	endpoint = endpoint_of(capability.object);
	thread->message_info = info | call;
	thread->message_badge = capability.badge;
	endpoint_lock(endpoint);
	error = endpoint_send_locked(endpoint, thread, &capability);
	endpoint_unlock(endpoint);
	if (error)
		offers_release(thread);
	return error;
}

void sys_endpoint_call(void)
{
	struct thread *thread = thread_current();
	enum error error = send(thread, CALL_FLAGS, MESSAGE_CALL);

	if (error)
		arch_message_set_result(&thread->arch, error, 0, 0);
}

void sys_endpoint_send(void)
{
	struct thread *thread = thread_current();
	enum error error = send(thread, SEND_FLAGS, 0);

	if (error || !cpu_self()->blocked)
		arch_message_set_result(&thread->arch, error, 0, 0);
}

// --- Receiving

static void deliver_word(struct thread *receiver, uint64_t word)
{
	arch_message_set_result(&receiver->arch, ERR_OK, 0, MESSAGE_INFO(0, 1, 0) | MESSAGE_NOTIFICATION);
	arch_message_set_word(&receiver->arch, 0, word);
}

void endpoint_deliver_notification(struct endpoint *endpoint, struct notification *notification)
{
	ASSERT_LOCK_HELD(&endpoint->lock);
	ASSERT_LOCK_HELD(&notification->lock);
	while (notification->word && !list_is_empty(&endpoint->receivers)) {
		struct thread *receiver = container_of(
			list_pop_front(&endpoint->receivers), struct thread, wait_link);

		if (!thread_claim(receiver))
			continue;
		deliver_word(receiver, notification->word);
		notification->word = 0;
		thread_wake(receiver);
	}
}

static bool take_notification(struct endpoint *endpoint, struct thread *receiver)
{
	struct notification *notification = endpoint->notification;
	uint64_t word;

	if (notification == NULL)
		return false;
	spin_lock(&notification->lock);
	word = notification->word;
	notification->word = 0;
	spin_unlock(&notification->lock);
	if (word)
		deliver_word(receiver, word);
	return word != 0;
}

// Takes the message of a sender that has been taken out of the queue. False: it could not be had.
static bool take_message(struct thread *sender, struct thread *receiver)
{
	struct transfer transfer;
	enum error error;

	if (!thread_claim(sender))
		return false;
	error = message_prepare(sender, receiver, &transfer);
	if (error) {
		caller_finish(sender, error);
		thread_wake(sender);
		return false;
	}
	message_commit(sender, receiver, &transfer, transfer_flags(sender));
	if (sender->message_info & MESSAGE_CALL) {
		loan_make(receiver, sender);
		caller_bind(&receiver->caller, sender, thread_continue_wait(sender, &ipc_answer_wait, NULL));
		if (receiver->caller.loans)
			cpu_set_reschedule(cpu_self());
	} else {
		arch_message_set_result(&sender->arch, ERR_OK, 0, 0);
		thread_wake(sender);
	}
	return true;
}

static enum error receive_locked(struct endpoint *endpoint, struct thread *thread)
{
	if (take_notification(endpoint, thread))
		return ERR_OK;
	while (endpoint->senders) {
		struct thread *sender = container_of(endpoint->senders, struct thread, wait_node);

		// What it was lent may have been recalled since.
		if (requeue_sender(endpoint, sender))
			continue;
		dequeue_sender(endpoint, sender);
		if (take_message(sender, thread))
			return ERR_OK;
	}
	if (thread->message_info & MESSAGE_TRY)
		return ERR_WOULD_BLOCK;
	if (object_has_ended(&endpoint->object))
		return ERR_BAD_HANDLE;
	if (!(thread->message_info & MESSAGE_DEADLINE) && endpoint_is_quiet(endpoint)) {
		thread_prepare_unstated_wait();
		atomic_store(&thread->alone_at, endpoint);
		atomic_store(&endpoint->alone, thread);
		return ERR_OK;
	}
	thread_prepare_wait(&ipc_receive_wait, endpoint, THREAD_BLOCKED, message_deadline(thread));
	list_push_back(&endpoint->receivers, &thread->wait_link);
	return ERR_OK;
}

static void receive(struct endpoint *endpoint, struct thread *thread)
{
	enum error error;

	caller_fail(&thread->caller, ERR_GONE);
	endpoint_lock(endpoint);
	error = receive_locked(endpoint, thread);
	endpoint_unlock(endpoint);
	if (error)
		arch_message_set_result(&thread->arch, error, 0, 0);
}

void sys_endpoint_receive(void)
{
	struct thread *thread = thread_current();
	uint64_t info = arch_message_info(&thread->arch);
	struct capability capability;
	enum error error = capability_lookup(
		arch_message_handle(&thread->arch), OBJECT_ENDPOINT, RIGHT_RECEIVE, &capability);

	if (!error && (message_length(info) || message_capabilities(info)))
		error = ERR_INVALID_ARGUMENT;
	if (!error)
		error = message_check(thread, info, RECEIVE_FLAGS);
	if (error) {
		arch_message_set_result(&thread->arch, error, 0, 0);
		return;
	}
	thread->message_info = info;
	receive(endpoint_of(capability.object), thread);
}

void sys_endpoint_reply_receive(void)
{
	struct thread *thread = thread_current();
	uint64_t info = arch_message_info(&thread->arch);
	handle_t handle = arch_message_handle(&thread->arch);
	struct capability capability;
	enum error error;

	if (FAST_PATH && thread->caller.thread && thread->caller.thread->faulting)
		ipc_fast_answer_fault(handle, info);
	error = capability_lookup(handle, OBJECT_ENDPOINT, RIGHT_RECEIVE, &capability);
	if (!error)
		error = message_check(thread, info, RECEIVE_FLAGS);
	if (!error && thread->caller.thread == NULL)
		error = ERR_BAD_STATE;
	if (error) {
		arch_message_set_result(&thread->arch, error, 0, 0);
		return;
	}
	thread->message_info = info;
	thread->message_badge = 0;
	caller_answer(&thread->caller);
	receive(endpoint_of(capability.object), thread);
}

// --- Life and death

struct syscall_result sys_endpoint_create(void)
{
	struct endpoint *endpoint = object_create(OBJECT_ENDPOINT, thread_current()->process->account);
	handle_t handle;
	enum error error;

	if (endpoint == NULL)
		return SYSCALL_ERROR(ERR_NO_MEMORY);
	spin_init(&endpoint->lock, RANK_ENDPOINT);
	list_init(&endpoint->receivers);
	binding_init(&endpoint->binding);
	endpoint->binding.endpoint = endpoint;
	error = capability_install_new(&endpoint->object, RIGHTS_ALL, &handle);
	return error ? SYSCALL_ERROR(error) : SYSCALL_VALUE(handle);
}

struct syscall_result sys_endpoint_bind(handle_t endpoint_handle, handle_t notification_handle)
{
	struct capability_table *table = &thread_current()->process->table;
	struct capability holder, found;
	enum error error;

	error = capability_lookup(endpoint_handle, OBJECT_ENDPOINT, RIGHT_RECEIVE | RIGHT_BIND, &holder);
	if (!error && notification_handle == HANDLE_NONE) {
		notification_unbind_endpoint(endpoint_of(holder.object));
		return SYSCALL_OK;
	}
	if (!error)
		error = capability_lookup(notification_handle, OBJECT_NOTIFICATION, RIGHT_RECEIVE, &found);
	if (error)
		return SYSCALL_ERROR(error);
	capability_locate(&holder, table, endpoint_handle);
	capability_locate(&found, table, notification_handle);
	return SYSCALL_ERROR(notification_bind_endpoint(endpoint_of(holder.object), &holder, &found));
}

// Fails some who send: nobody is left to receive. The lock is held. False: there was none.
static bool fail_senders(struct endpoint *endpoint)
{
	bool any = endpoint->senders != NULL;

	for (unsigned i = 0; i < FAIL_STEP && endpoint->senders; i++) {
		struct thread *sender = container_of(endpoint->senders, struct thread, wait_node);

		dequeue_sender(endpoint, sender);
		if (thread_claim(sender)) {
			caller_finish(sender, ERR_PEER_CLOSED);
			thread_wake(sender);
		}
	}
	return any;
}

// Without the lock: a message that carries an endpoint's capability is handed over under that of an endpoint, maybe the same one.
static void capability_added(struct object *object, rights_t rights)
{
	if (rights & RIGHT_RECEIVE)
		atomic_fetch_add(&endpoint_of(object)->receive_capabilities, 1);
}

static void capability_removed(struct object *object, rights_t rights)
{
	struct endpoint *endpoint = endpoint_of(object);
	bool left = (rights & RIGHT_RECEIVE) && atomic_fetch_sub(&endpoint->receive_capabilities, 1) == 1;

	while (left) {
		endpoint_lock(endpoint);
		left = atomic_load(&endpoint->receive_capabilities) == 0 && fail_senders(endpoint);
		endpoint_unlock(endpoint);
		if (left)
			preemption_point();
	}
}

// Fails some who receive, as fail_senders.
static bool fail_receivers(struct endpoint *endpoint)
{
	bool any = !list_is_empty(&endpoint->receivers);

	for (unsigned i = 0; i < FAIL_STEP && !list_is_empty(&endpoint->receivers); i++) {
		struct thread *receiver = container_of(
			list_pop_front(&endpoint->receivers), struct thread, wait_link);

		if (thread_claim(receiver)) {
			fail_receive(receiver, ERR_PEER_CLOSED);
			thread_wake(receiver);
		}
	}
	return any;
}

// What is kept for a capability is the endpoint's binding or a message that waits to be received. Its sender is in that
// wait, or is just beginning or ending it on another CPU.
static void revoke_kept(const struct capability *revoked)
{
	struct endpoint *endpoint = endpoint_of(revoked->object);
	const struct derivation *first;
	struct thread *sender = NULL;
	uint64_t number = 0;

	spin_lock(&endpoint->object.derivation_lock);
	first = capability_first_derived(revoked);
	if (first && first->table == NULL && first != &endpoint->binding.on_holder) {
		sender = container_of(first, struct thread, queued);
		number = thread_wait_number(sender);
	}
	spin_unlock(&endpoint->object.derivation_lock);
	if (first == &endpoint->binding.on_holder)
		binding_revoke_of_endpoint(revoked, endpoint, first);
	else if (sender && !thread_abort_wait_number(sender, number, ERR_BAD_HANDLE))
		spin_wait();
}

static void destroy(struct object *object)
{
	struct endpoint *endpoint = endpoint_of(object);
	bool left = true;

	notification_unbind_endpoint(endpoint);
	while (left) {
		endpoint_lock(endpoint);
		left = fail_senders(endpoint) || fail_receivers(endpoint);
		endpoint_unlock(endpoint);
		if (left)
			preemption_point();
	}
}

const struct object_operations endpoint_operations = {
	.name = "endpoint",
	.cache = &endpoint_cache,
	.offset = offsetof(struct endpoint, object),
	.capability_added = capability_added,
	.capability_removed = capability_removed,
	.revoke_kept = revoke_kept,
	.destroy = destroy,
};

// SPDX-License-Identifier: MIT
//
// Notifications: a word of bits that threads wait for. A notification bound to an endpoint hands its word to
// receivers there as well.

#include <kernel/assert.h>
#include <kernel/binding.h>
#include <kernel/cache.h>
#include <kernel/cpu.h>
#include <kernel/endpoint.h>
#include <kernel/process.h>
#include <kernel/syscall.h>

static struct object_cache notification_cache = OBJECT_CACHE_INITIALIZER(
	notification_cache, "notification", struct notification);

static struct notification *notification_of(struct object *object)
{
	return container_of(object, struct notification, object);
}

struct found {
	struct notification *notification;
	uint64_t badge; // without a notification: enum error
};

// A look-up of a handle of the current process. The general one says what is wrong.
static __attribute__((noinline)) struct found find_anew(handle_t handle, rights_t needed)
{
	struct capability capability;
	enum error error = capability_lookup(handle, OBJECT_NOTIFICATION, needed, &capability);

	if (error)
		return (struct found){.badge = error};
	return (struct found){notification_of(capability.object), capability.badge};
}

static inline struct found find(handle_t handle, rights_t needed)
{
	struct capability capability;

	if (__builtin_expect(capability_read(&thread_current()->process->table, handle, &capability) ||
			    capability.object->type != OBJECT_NOTIFICATION ||
			    (capability.rights & needed) != needed,
		    0))
		return find_anew(handle, needed);
	return (struct found){notification_of(capability.object), capability.badge};
}

static struct endpoint *bound_endpoint(struct notification *notification)
{
	return __atomic_load_n(&notification->endpoint, __ATOMIC_ACQUIRE);
}

static void cancel_wait(struct thread *thread)
{
	struct notification *notification = thread->wait_object;

	spin_lock(&notification->lock);
	list_remove(&thread->wait_link);
	spin_unlock(&notification->lock);
}

const struct wait_operations notification_wait_operations = {"notification", cancel_wait, NULL};

static void wake_waiter(struct notification *notification)
{
	while (notification->word && !list_is_empty(&notification->waiters)) {
		struct thread *waiter = container_of(
			list_pop_front(&notification->waiters), struct thread, wait_link);

		if (!thread_claim(waiter))
			continue;
		thread_wake_with(waiter, ERR_OK, notification->word);
		notification->word = 0;
	}
}

static void unlock(struct notification *notification, struct endpoint *endpoint)
{
	spin_unlock(&notification->lock);
	if (endpoint)
		endpoint_unlock(endpoint);
}

// With the lock of the bound endpoint, which is told, and comes first.
static struct endpoint *lock(struct notification *notification)
{
	for (;;) {
		struct endpoint *endpoint = bound_endpoint(notification);

		if (endpoint)
			endpoint_lock(endpoint);
		spin_lock(&notification->lock);
		if (notification->endpoint == endpoint)
			return endpoint;
		unlock(notification, endpoint);
	}
}

void notification_signal(struct notification *notification, uint64_t bits)
{
	struct endpoint *endpoint = lock(notification);

	notification->word |= bits;
	wake_waiter(notification);
	if (endpoint)
		endpoint_deliver_notification(endpoint, notification);
	unlock(notification, endpoint);
}

void notification_unbind_locked(struct endpoint *endpoint)
{
	struct notification *notification = endpoint->notification;

	ASSERT_LOCK_HELD(&endpoint->lock);
	if (notification == NULL)
		return;
	binding_detach(&endpoint->binding, &endpoint->object, notification);
	spin_lock(&notification->lock);
	__atomic_store_n(&notification->endpoint, NULL, __ATOMIC_RELEASE);
	spin_unlock(&notification->lock);
	endpoint->notification = NULL;
}

enum error notification_bind_endpoint(
	struct endpoint *endpoint, const struct capability *holder, const struct capability *found)
{
	struct notification *notification = notification_of(found->object);
	enum error error = ERR_OK;

	endpoint_lock(endpoint);
	spin_lock(&notification->lock);
	if (endpoint->notification || notification->endpoint) {
		error = ERR_BUSY;
	} else {
		endpoint->notification = notification;
		__atomic_store_n(&notification->endpoint, endpoint, __ATOMIC_RELEASE);
		if (binding_attach(&endpoint->binding, holder, found))
			endpoint_deliver_notification(endpoint, notification);
		else
			error = ERR_BAD_HANDLE;
	}
	spin_unlock(&notification->lock);
	if (error == ERR_BAD_HANDLE)
		notification_unbind_locked(endpoint);
	endpoint_unlock(endpoint);
	return error;
}

void notification_unbind_endpoint(struct endpoint *endpoint)
{
	endpoint_lock(endpoint);
	notification_unbind_locked(endpoint);
	endpoint_unlock(endpoint);
}

// --- System calls

struct syscall_result sys_notification_create(void)
{
	struct notification *notification = object_create(
		OBJECT_NOTIFICATION, thread_current()->process->account);
	handle_t handle;
	enum error error;

	if (notification == NULL)
		return SYSCALL_ERROR(ERR_NO_MEMORY);
	spin_init(&notification->lock, RANK_NOTIFICATION);
	list_init(&notification->waiters);
	error = capability_install_new(&notification->object, RIGHTS_ALL, &handle);
	return error ? SYSCALL_ERROR(error) : SYSCALL_VALUE(handle);
}

struct syscall_result sys_notification_signal(handle_t handle, uint64_t bits)
{
	struct found found = find(handle, RIGHT_SEND);

	if (found.notification == NULL)
		return SYSCALL_ERROR(found.badge);
	if (found.badge)
		bits = found.badge;
	if (bits == 0)
		return SYSCALL_ERROR(ERR_INVALID_ARGUMENT);
	notification_signal(found.notification, bits);
	return SYSCALL_OK;
}

static uint64_t take_word(struct notification *notification)
{
	uint64_t word = notification->word;

	ASSERT_LOCK_HELD(&notification->lock);
	notification->word = 0;
	return word;
}

struct syscall_result sys_notification_wait(handle_t handle, uint64_t deadline)
{
	struct found found = find(handle, RIGHT_RECEIVE);
	struct notification *notification = found.notification;
	uint64_t word;

	if (notification == NULL)
		return SYSCALL_ERROR(found.badge);
	spin_lock(&notification->lock);
	word = take_word(notification);
	if (word == 0 && object_has_ended(&notification->object)) {
		spin_unlock(&notification->lock);
		return SYSCALL_ERROR(ERR_BAD_HANDLE);
	}
	if (word == 0) {
		thread_prepare_wait(&notification_wait_operations, notification, THREAD_BLOCKED, deadline);
		list_push_back(&notification->waiters, &thread_current()->wait_link);
	}
	spin_unlock(&notification->lock);
	return word ? SYSCALL_VALUE(word) : SYSCALL_BLOCKED;
}

struct syscall_result sys_notification_poll(handle_t handle)
{
	struct found found = find(handle, RIGHT_RECEIVE);
	struct notification *notification = found.notification;
	uint64_t word;

	if (notification == NULL)
		return SYSCALL_ERROR(found.badge);
	spin_lock(&notification->lock);
	word = take_word(notification);
	spin_unlock(&notification->lock);
	return word ? SYSCALL_VALUE(word) : SYSCALL_ERROR(ERR_WOULD_BLOCK);
}

// --- Death

// False: nobody waits any more.
static bool fail_waiter(struct notification *notification)
{
	struct thread *waiter = NULL;

	spin_lock(&notification->lock);
	if (!list_is_empty(&notification->waiters)) {
		waiter = container_of(list_pop_front(&notification->waiters), struct thread, wait_link);
		if (thread_claim(waiter))
			thread_wake_with(waiter, ERR_PEER_CLOSED, 0);
	}
	spin_unlock(&notification->lock);
	return waiter != NULL;
}

static void destroy(struct object *object)
{
	struct notification *notification = notification_of(object);
	struct endpoint *endpoint = bound_endpoint(notification);

	if (endpoint) {
		endpoint_lock(endpoint);
		if (endpoint->notification == notification)
			notification_unbind_locked(endpoint);
		endpoint_unlock(endpoint);
	}
	while (fail_waiter(notification))
		preemption_point();
}

const struct object_operations notification_operations = {
	.name = "notification",
	.cache = &notification_cache,
	.revoke_kept = binding_revoke_kept,
	.destroy = destroy,
};

// SPDX-License-Identifier: MIT
//
// Bindings of notifications: see binding.h. Each hangs in two derivation trees, and its bits go under the lock of the one
// in which it is revoked.

#include <kernel/assert.h>
#include <kernel/binding.h>
#include <kernel/cpu.h>
#include <kernel/endpoint.h>
#include <kernel/process.h>

struct notification *binding_notification(const struct capability *found)
{
	return found->object ? container_of(found->object, struct notification, object) : NULL;
}

struct capability binding_holder(handle_t handle, struct object *object)
{
	struct capability holder = {
		.object = handle == HANDLE_SELF ? NULL : object, .generation = (uint32_t)(handle >> 32)};

	capability_locate(&holder, &thread_current()->process->table, handle);
	return holder;
}

enum error binding_lookup(handle_t handle, uint64_t bits, struct capability *found)
{
	enum error error;

	found->object = NULL;
	if (handle == HANDLE_NONE)
		return ERR_OK;
	error = capability_lookup(handle, OBJECT_NOTIFICATION, RIGHT_SEND, found);
	if (!error && bits == 0)
		error = ERR_INVALID_ARGUMENT;
	if (!error && !object_try_get(found->object))
		error = ERR_BAD_HANDLE;
	capability_locate(found, &thread_current()->process->table, handle);
	return error;
}

bool binding_attach(
	struct binding *binding, const struct capability *holder, const struct capability *notification)
{
	return (holder->object == NULL || capability_attach(holder, &binding->on_holder, NULL)) &&
		capability_attach(notification, &binding->on_notification, NULL);
}

static void leave(struct object *object, struct derivation *derivation)
{
	spin_lock(&object->derivation_lock);
	derivation_remove(derivation);
	spin_unlock(&object->derivation_lock);
}

void binding_detach(struct binding *binding, struct object *holder, struct notification *notification)
{
	leave(holder, &binding->on_holder);
	leave(&notification->object, &binding->on_notification);
}

struct notification *binding_replace(struct binding *binding, struct object *object,
	const struct capability *holder, const struct capability *notification, uint64_t bits)
{
	struct notification *previous = binding->notification;

	if (previous)
		binding_detach(binding, object, previous);
	binding->notification = binding_notification(notification);
	atomic_store(&binding->bits, notification->object ? bits : 0);
	// Else it is as if it had been revoked right after.
	if (notification->object && !binding_attach(binding, holder, notification))
		atomic_store(&binding->bits, 0);
	return previous;
}

void binding_signal(struct binding *binding)
{
	uint64_t bits = atomic_load_explicit(&binding->bits, memory_order_relaxed);

	if (bits)
		notification_signal(binding->notification, bits);
}

void binding_end(struct binding *binding, struct object *holder)
{
	struct notification *notification = binding->notification;

	if (notification == NULL)
		return;
	binding_detach(binding, holder, notification);
	binding->notification = NULL;
	object_put(&notification->object);
}

// The endpoint's lock comes before that of the tree, and what is bound may change until both are held.
void binding_revoke_of_endpoint(
	const struct capability *revoked, struct endpoint *endpoint, const struct derivation *kept)
{
	struct spinlock *tree_lock = &revoked->object->derivation_lock;
	bool is_first;

	endpoint_lock(endpoint);
	spin_lock(tree_lock);
	is_first = capability_first_derived(revoked) == kept;
	spin_unlock(tree_lock);
	if (is_first)
		notification_unbind_locked(endpoint);
	endpoint_unlock(endpoint);
}

void binding_revoke_kept(const struct capability *revoked)
{
	struct spinlock *tree_lock = &revoked->object->derivation_lock;
	struct endpoint *endpoint = NULL;
	struct derivation *first;

	spin_lock(tree_lock);
	first = capability_first_derived(revoked);
	if (first && first->table == NULL) {
		struct binding *binding = revoked->object->type == OBJECT_NOTIFICATION
			? container_of(first, struct binding, on_notification)
			: container_of(first, struct binding, on_holder);

		endpoint = binding->endpoint;
		if (endpoint == NULL) {
			atomic_store(&binding->bits, 0);
			derivation_remove(first);
		}
	}
	spin_unlock(tree_lock);
	if (endpoint)
		binding_revoke_of_endpoint(revoked, endpoint, first);
}

// SPDX-License-Identifier: MIT
//
// Bindings: a notification that an interrupt, a timer, or the end of a thread or process signals, or that an endpoint's
// receivers get. A binding goes when the capability of its holder or that of its notification, through which it was made, is
// revoked, and is then as if it had no bits.

#ifndef KERNEL_BINDING_H
#define KERNEL_BINDING_H

#include <kernel/capability.h>

struct endpoint;
struct notification;

struct binding {
	struct notification *notification; // counted; NULL: none
	_Atomic uint64_t bits;             // 0: none, or revoked
	struct endpoint *endpoint; // whose receivers get the word, in place of bits; NULL: another holder
	struct derivation on_holder, on_notification;
};

static inline void binding_init(struct binding *binding)
{
	derivation_init_alone(&binding->on_holder);
	derivation_init_alone(&binding->on_notification);
}

// Looks up a notification to bind, counted and located; HANDLE_NONE: found->object is NULL. Rights: SEND. Errors: those of a
// look-up, INVALID_ARGUMENT (no bits).
enum error binding_lookup(handle_t handle, uint64_t bits, struct capability *found);

// The notification of what it found; NULL: none.
struct notification *binding_notification(const struct capability *found);

// The located capability of a holder, from what its look-up was given and found; HANDLE_SELF: none, its object is NULL.
struct capability binding_holder(handle_t handle, struct object *object);

// Enters a binding where revocations find it, through located capabilities. False: one of them has been revoked. The lock
// that guards the binding is held, as for binding_detach.
bool binding_attach(
	struct binding *binding, const struct capability *holder, const struct capability *notification);
void binding_detach(struct binding *binding, struct object *holder, struct notification *notification);

// Binds what binding_lookup found in place of what was bound, which is returned: the caller puts it. `holder`: as
// binding_holder says. The lock that guards the binding is held.
struct notification *binding_replace(struct binding *binding, struct object *object,
	const struct capability *holder, const struct capability *notification, uint64_t bits);

// Signals what is bound, if anything is.
void binding_signal(struct binding *binding);
// Ends a binding that nobody can replace any more.
void binding_end(struct binding *binding, struct object *holder);

// object_operations.revoke_kept of holders and notifications.
void binding_revoke_kept(const struct capability *revoked);
// The same for an endpoint's binding, if `kept` of it is still the first.
void binding_revoke_of_endpoint(
	const struct capability *revoked, struct endpoint *endpoint, const struct derivation *kept);

#endif

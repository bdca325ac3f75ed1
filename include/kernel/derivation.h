// SPDX-License-Identifier: MIT
//
// The derivation tree of an object's capabilities, written as text with brackets: each capability is an
// opening and a closing one in a ring, and what stands between them is derived from it. So taking a capability
// out leaves what was derived from it to what it was derived from itself, and nothing ever needs a walk over
// more than one node. What the kernel keeps on behalf of a capability, a mapping or a call that waits to be received,
// stands beside it: it goes when something above that capability is revoked. The object's derivation_lock is held for all of it.

#ifndef KERNEL_DERIVATION_H
#define KERNEL_DERIVATION_H

#include <kernel/list.h>

struct capability_table;

struct derivation {
	struct capability_table *table; // that the capability is in; NULL: kept on behalf of one
	struct list_node open;
	struct list_node close;
};

// Makes one that is derived from none, in a ring of its own.
static inline void derivation_init(struct derivation *derivation)
{
	list_init(&derivation->open);
	list_push_back(&derivation->open, &derivation->close);
}

static inline void derivation_init_alone(struct derivation *derivation)
{
	list_init(&derivation->open);
	list_init(&derivation->close);
}

static inline void derivation_insert(struct derivation *parent, struct derivation *child)
{
	list_push_front(&parent->open, &child->close);
	list_push_front(&parent->open, &child->open);
}

// What is kept on behalf of a capability, or beside another such thing.
static inline void derivation_insert_beside(struct derivation *derivation, struct derivation *kept)
{
	list_push_front(&derivation->close, &kept->close);
	list_push_front(&derivation->close, &kept->open);
}

// Whether the same revocations reach both: nothing stands between them, or neither is in a tree.
static inline bool derivation_is_next_to(const struct derivation *one, const struct derivation *other)
{
	return one->close.next == &other->open || other->close.next == &one->open ||
		(list_is_empty(&one->open) && list_is_empty(&other->open));
}

// Removing what is in no tree does nothing.
static inline void derivation_remove(struct derivation *derivation)
{
	list_remove(&derivation->open);
	list_remove(&derivation->close);
}

// One that is derived from `parent` directly; NULL: there is none.
static inline struct derivation *derivation_first(struct derivation *parent)
{
	struct list_node *next = parent->open.next;

	return next == &parent->close ? NULL : container_of(next, struct derivation, open);
}

#endif

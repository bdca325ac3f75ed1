// SPDX-License-Identifier: MIT
//
// The derivation tree of an object's capabilities, written as text with brackets: each capability is an
// opening and a closing one in a ring, and what stands between them is derived from it. So taking a capability
// out leaves what was derived from it to what it was derived from itself, and nothing ever needs a walk over
// more than one node. The object's derivation_lock is held for all of it.

#ifndef KERNEL_DERIVATION_H
#define KERNEL_DERIVATION_H

#include <kernel/list.h>

struct derivation {
	struct list_node open;
	struct list_node close;
};

// Makes one that is derived from none, in a ring of its own.
static inline void derivation_init(struct derivation *derivation)
{
	list_init(&derivation->open);
	list_push_back(&derivation->open, &derivation->close);
}

static inline void derivation_insert(struct derivation *parent, struct derivation *child)
{
	list_push_front(&parent->open, &child->close);
	list_push_front(&parent->open, &child->open);
}

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

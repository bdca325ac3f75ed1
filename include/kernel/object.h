// SPDX-License-Identifier: MIT
//
// What all kernel objects have in common: a type, an id, references and the account that paid.
//
// Lifetime: `references` counts capabilities and pointers that outlive a kernel entry. A pointer got from a
// capability look-up is good until the kernel entry ends or a preemption point, without counting: memory of a
// dead object is reused only after every CPU was quiescent. To keep it across blocking: object_get (or
// object_try_get where the count may be 0 already).

#ifndef KERNEL_OBJECT_H
#define KERNEL_OBJECT_H

#include <kernel/list.h>
#include <kernel/spinlock.h>
#include <stdatomic.h>
#include <tern/types.h>

struct account;
struct capability;
struct object_cache;

struct object {
	atomic_uint references;
	uint8_t type; // enum object_type
	uint64_t id;  // unique for ever
	struct account *account;
	struct spinlock derivation_lock; // guards the derivation tree of its capabilities
	atomic_uint revocations;         // under way: nothing is derived meanwhile
	struct object *next_dead;        // on the list of those whose memory waits for quiescence
};

// One constant structure for each type, in the file of the type; table in object.c.
struct object_operations {
	const char *name;
	struct object_cache *cache;
	size_t offset; // of the struct object in what the cache holds
	// A capability with these rights came, in any table (endpoints count receivers). Any lock may be held.
	// May be NULL.
	void (*capability_added)(struct object *object, rights_t rights);
	// It went. No lock held. May be NULL.
	void (*capability_removed)(struct object *object, rights_t rights);
	// What the first of the things derived from this capability is the kernel keeps on behalf of one: takes
	// it away, or changes that it is the first. No lock held; may use preemption points. Of types that use
	// capability_attach.
	void (*revoke_kept)(const struct capability *revoked);
	// The last reference went: gives back all that the object holds but its own memory. No lock held; may
	// use preemption points.
	void (*destroy)(struct object *object);
};

extern const struct object_operations *const object_operations[OBJECT_TYPE_COUNT];
extern const struct object_operations process_operations, thread_operations, address_space_operations,
	memory_operations, endpoint_operations, reply_operations, notification_operations,
	interrupt_operations, timer_operations, account_operations, resource_operations,
	scheduling_context_operations;

// Allocates a zeroed object of its type's cache, charged to `account` as one object, with one reference, the
// creator's. NULL: no memory, or the account has ended.
void *object_create(enum object_type type, struct account *account);

static inline void object_get(struct object *object)
{
	atomic_fetch_add_explicit(&object->references, 1, memory_order_relaxed);
}

// False: it is being destroyed.
bool object_try_get(struct object *object);

// Gives up a reference. The last one queues the object for destruction, which happens at the end of this
// kernel entry (object_reap), so any lock may be held.
void object_put(struct object *object);

// The same where others are known to be left. Memory outlives this kernel entry anyway, so nothing need be ordered.
static inline void object_put_some(struct object *object)
{
	atomic_fetch_sub_explicit(&object->references, 1, memory_order_relaxed);
}

// Whether the last reference has gone. What ends with an object is ended under that object's lock; whoever enters himself there in this
// kernel entry, after a look-up that did not count it, looks first, with the lock held: nobody would end his wait any more.
static inline bool object_has_ended(const struct object *object)
{
	return atomic_load_explicit(&object->references, memory_order_relaxed) == 0;
}

// Destroys what was queued on this CPU and frees what has become quiescent. Called by trap_exit and idle; no
// lock held.
void object_reap(void);
bool object_reap_pending(void);

#endif

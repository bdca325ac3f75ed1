// SPDX-License-Identifier: MIT
//
// Capabilities and the tables that hold them: handles are direct indices with a generation.
//
// Look-up takes no lock: slots live in pages that are freed only with the table, and a slot's generation is
// read before and after. Installing and removing take the table's lock, and around it the lock of the
// object's derivation tree.

#ifndef KERNEL_CAPABILITY_H
#define KERNEL_CAPABILITY_H

#include <kernel/derivation.h>
#include <kernel/object.h>
#include <kernel/spinlock.h>

struct process;

struct capability {
	struct object *object;
	uint64_t badge; // index of the next free slot, while free
	union {
		struct {
			uint16_t rights;
			uint16_t index;      // of the slot
			uint32_t generation; // of the handle that names it
		};
		uint64_t tenancy; // all of them: none changes within one generation
	};
	struct derivation derivation;
};

// One that no handle names.
extern const struct capability capability_none;

#define CAPABILITY_TABLE_PAGES 512 // pages of slots: 32 768 handles at 64 bytes

struct capability_table {
	struct spinlock lock;
	struct account *account; // pays for its pages
	uint32_t first_free;
	uint32_t size; // slots that exist
	uint32_t used;
	bool closed;               // the process has ended: nothing can be installed
	struct capability **pages; // a page of pointers, allocated with the table
};

#define CAPABILITIES_PER_PAGE (PAGE_SIZE / sizeof(struct capability))

static inline struct capability *capability_slot(const struct capability_table *table, uint32_t index)
{
	return &table->pages[index / CAPABILITIES_PER_PAGE][index % CAPABILITIES_PER_PAGE];
}

// False: no memory.
bool capability_table_init(struct capability_table *table, struct account *account);
// Closes all handles, in steps with preemption points; frees the pages.
void capability_table_destroy(struct capability_table *table);

// Finds the capability of a handle of the current process. OBJECT_NONE for any type. Errors: BAD_HANDLE,
// WRONG_TYPE, NO_RIGHTS (in this order).
enum error capability_lookup(
	handle_t handle, enum object_type type, rights_t needed, struct capability *found);

// Reads a slot without its lock: what was read is good if the generation is the handle's before and after. Before, since
// who guesses a slot's next handle must not find its last tenant. Errors: BAD_HANDLE.
static inline __attribute__((always_inline)) enum error capability_read(
	const struct capability_table *table, handle_t handle, struct capability *found)
{
	uint32_t index = (uint32_t)handle;
	const struct capability *slot;

	if (index >= __atomic_load_n(&table->size, __ATOMIC_ACQUIRE))
		return ERR_BAD_HANDLE;
	slot = capability_slot(table, index);
	if (__atomic_load_n(&slot->generation, __ATOMIC_ACQUIRE) != handle >> 32)
		return ERR_BAD_HANDLE;
	found->object = __atomic_load_n(&slot->object, __ATOMIC_ACQUIRE);
	found->badge = __atomic_load_n(&slot->badge, __ATOMIC_RELAXED);
	found->rights = __atomic_load_n(&slot->rights, __ATOMIC_RELAXED);
	atomic_thread_fence(memory_order_acquire);
	found->generation = __atomic_load_n(&slot->generation, __ATOMIC_RELAXED);
	return found->generation == handle >> 32 && found->object ? ERR_OK : ERR_BAD_HANDLE;
}

// The same for another process's table.
enum error capability_lookup_in(struct capability_table *table, handle_t handle, enum object_type type,
	rights_t needed, struct capability *found);

// Sets a slot aside, so that installing cannot fail. Errors: NO_SLOTS, NO_MEMORY, BAD_STATE (the table is
// closed).
enum error capability_reserve(struct capability_table *table, handle_t *handle);
void capability_cancel(struct capability_table *table, handle_t handle);
// Fills a reserved slot; counts a reference of its own on the object. The capability is derived from none. If
// the table was closed meanwhile nothing is installed (and nothing leaks).
void capability_install(
	struct capability_table *table, handle_t handle, struct object *object, rights_t rights);

// Says where a look-up found it: for deriving and attaching without capability_hold.
static inline void capability_locate(
	struct capability *found, struct capability_table *table, handle_t handle)
{
	found->derivation.table = table;
	found->index = (uint16_t)handle;
}

// Makes what a look-up of `handle` in `table` found a source to derive from: its object is counted until
// object_put. Errors: BUSY (something is being revoked), BAD_HANDLE (the object has ended).
enum error capability_hold(struct capability_table *table, handle_t handle, struct capability *found);
// Fills a reserved slot with a capability derived from a held one. False: the source has been closed or
// revoked, or the table closed; the slot is given back.
bool capability_derive(struct capability_table *table, handle_t handle, const struct capability *source,
	rights_t rights, uint64_t badge);

// The same in one step and without holding, for what a look-up found and capability_locate: derives one with the badge that `source` says. Errors: BUSY, BAD_HANDLE (it has been closed or
// revoked), and those of capability_reserve.
enum error capability_copy(
	struct capability_table *table, const struct capability *source, rights_t rights, handle_t *handle);

// reserve + install, for a new object whose creator's reference is given up: on success the capability holds
// it, on failure it is gone.
enum error capability_install_new(struct object *object, rights_t rights, handle_t *handle);

// The capability of the current process with the lowest index of at least `index`, and its handle. A preemption
// point. Errors: NOT_FOUND.
enum error capability_next(uint64_t index, struct capability *found, handle_t *handle);

// Keeps something on behalf of a held or located capability, and counts an object (its own or NULL) for it. False: that has been
// closed or revoked. Locks below RANK_DERIVATION may be held.
bool capability_attach(const struct capability *source, struct derivation *kept, struct object *counted);
// The first of what is derived from a capability that a look-up found; NULL: nothing, or it is gone. The tree
// is locked.
struct derivation *capability_first_derived(const struct capability *found);

// Removes a capability; what was derived from it is now derived from what it was derived from. No lock held.
// Errors: BAD_HANDLE.
enum error capability_close(struct capability_table *table, handle_t handle);

// Removes all capabilities derived from one, in any table. No lock held; preemption points inside. Errors:
// BAD_HANDLE (from the beginning, or it was closed meanwhile and the rest is left).
enum error capability_revoke(struct capability_table *table, handle_t handle);

#endif

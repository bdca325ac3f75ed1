// SPDX-License-Identifier: MIT
//
// Capability tables.
//
// A slot is free (in the list), reserved (a handle is known to whoever will install) or holds an object, and
// is then in the derivation tree of that object, which stays as it is while the tree is locked. Its
// generation changes when it becomes free, so a handle never names a later tenant; at the last generation it
// is retired.

#include <kernel/account.h>
#include <kernel/assert.h>
#include <kernel/capability.h>
#include <kernel/cpu.h>
#include <kernel/frame.h>
#include <kernel/process.h>
#include <kernel/thread.h>

#define NO_SLOT         UINT32_MAX
#define GENERATION_LAST UINT32_MAX
#define CLOSE_STEP      32 // slots closed or revoked between preemption points

#define INLINE static inline __attribute__((always_inline))

_Static_assert(
	CAPABILITY_TABLE_PAGES * sizeof(struct capability *) <= PAGE_SIZE, "the page pointers fit a page");
_Static_assert(sizeof(struct capability) == 64, "slots fill a page and a cache line");
_Static_assert(CAPABILITY_TABLE_PAGES *CAPABILITIES_PER_PAGE <= UINT16_MAX + 1, "an index fits its field");
_Static_assert(RIGHTS_ALL <= UINT16_MAX, "rights fit their field");

static handle_t handle_of(uint32_t index, uint32_t generation)
{
	return (handle_t)generation << 32 | index;
}

static void *allocate_page(struct account *account)
{
	paddr_t frame;

	if (!account_charge_pages(account, 1))
		return NULL;
	frame = frame_allocate_zeroed();
	if (frame == PADDR_NONE) {
		account_uncharge_pages(account, 1);
		return NULL;
	}
	return phys_to_virt(frame);
}

static void free_page(struct account *account, void *page)
{
	frame_release(virt_to_phys(page));
	account_uncharge_pages(account, 1);
}

bool capability_table_init(struct capability_table *table, struct account *account)
{
	spin_init(&table->lock, RANK_CAPABILITY_TABLE);
	table->account = account;
	table->first_free = NO_SLOT;
	table->pages = allocate_page(account);
	return table->pages != NULL;
}

// --- Look-up

const struct capability capability_none = {.generation = UINT32_MAX};

enum error capability_lookup_in(struct capability_table *table, handle_t handle, enum object_type type,
	rights_t needed, struct capability *found)
{
	enum error error = capability_read(table, handle, found);

	if (error)
		return error;
	if (type != OBJECT_NONE && found->object->type != type)
		return ERR_WRONG_TYPE;
	if ((found->rights & needed) != needed)
		return ERR_NO_RIGHTS;
	return ERR_OK;
}

enum error capability_lookup(
	handle_t handle, enum object_type type, rights_t needed, struct capability *found)
{
	return capability_lookup_in(&thread_current()->process->table, handle, type, needed, found);
}

enum error capability_next(uint64_t index, struct capability *found, handle_t *handle)
{
	struct capability_table *table = &thread_current()->process->table;

	for (; index < __atomic_load_n(&table->size, __ATOMIC_ACQUIRE); index++) {
		uint32_t generation = __atomic_load_n(
			&capability_slot(table, (uint32_t)index)->generation, __ATOMIC_ACQUIRE);

		*handle = handle_of((uint32_t)index, generation);
		if (capability_read(table, *handle, found) == ERR_OK)
			return ERR_OK;
		if (index % CAPABILITIES_PER_PAGE == 0)
			preemption_point();
	}
	return ERR_NOT_FOUND;
}

// --- Slots

// Puts the slots of a new page into the free list, lowest index first.
static __attribute__((noinline)) enum error grow(struct capability_table *table)
{
	uint32_t first = table->size;
	struct capability *page;

	if (first / CAPABILITIES_PER_PAGE == CAPABILITY_TABLE_PAGES)
		return ERR_NO_SLOTS;
	page = allocate_page(table->account);
	if (page == NULL)
		return ERR_NO_MEMORY;
	for (uint32_t i = 0; i < CAPABILITIES_PER_PAGE; i++) {
		page[i].index = (uint16_t)(first + i);
		page[i].generation = 1;
		page[i].derivation.table = table;
		page[i].badge = i + 1 < CAPABILITIES_PER_PAGE ? first + i + 1 : NO_SLOT;
	}
	table->pages[first / CAPABILITIES_PER_PAGE] = page;
	table->first_free = first;
	__atomic_store_n(&table->size, first + (uint32_t)CAPABILITIES_PER_PAGE, __ATOMIC_RELEASE);
	return ERR_OK;
}

// Takes a slot out of the free list; the table's lock is held.
INLINE enum error take_slot(struct capability_table *table, struct capability **slot)
{
	enum error error = ERR_OK;

	ASSERT_LOCK_HELD(&table->lock);
	if (table->closed)
		error = ERR_BAD_STATE;
	else if (table->first_free == NO_SLOT)
		error = grow(table);
	if (!error) {
		*slot = capability_slot(table, table->first_free);
		table->first_free = (uint32_t)(*slot)->badge;
		table->used++;
	}
	return error;
}

enum error capability_reserve(struct capability_table *table, handle_t *handle)
{
	struct capability *slot;
	enum error error;

	spin_lock(&table->lock);
	error = take_slot(table, &slot);
	if (!error)
		*handle = handle_of(slot->index, slot->generation);
	spin_unlock(&table->lock);
	return error;
}

// The handle of the slot ends; the table's lock is held. Readers see no object with the new generation, and the new one before
// anything of a new tenant.
static void free_slot(struct capability *slot)
{
	struct capability_table *table = slot->derivation.table;
	uint32_t generation = slot->generation + 1;

	ASSERT_LOCK_HELD(&table->lock);
	__atomic_store_n(&slot->object, NULL, __ATOMIC_RELAXED);
	__atomic_store_n(&slot->generation, generation, __ATOMIC_RELEASE);
	atomic_thread_fence(memory_order_release);
	table->used--;
	if (generation == GENERATION_LAST)
		return;
	__atomic_store_n(&slot->badge, table->first_free, __ATOMIC_RELAXED);
	table->first_free = slot->index;
}

// The slot of a reserved handle; NULL once the table is closed. The lock is held.
static struct capability *reserved_slot(struct capability_table *table, handle_t handle)
{
	struct capability *slot;

	if (table->closed)
		return NULL;
	slot = capability_slot(table, (uint32_t)handle);
	assert(slot->object == NULL && slot->generation == (uint32_t)(handle >> 32));
	return slot;
}

void capability_cancel(struct capability_table *table, handle_t handle)
{
	struct capability *slot;

	spin_lock(&table->lock);
	slot = reserved_slot(table, handle);
	if (slot)
		free_slot(slot);
	spin_unlock(&table->lock);
}

// --- Coming and going

// Gives a reserved slot its tenant; the table's lock is held, and the slot is in the derivation tree.
INLINE void fill_slot(struct capability *slot, struct object *object, rights_t rights, uint64_t badge)
{
	const struct object_operations *operations = object_operations[object->type];

	ASSERT_LOCK_HELD(&slot->derivation.table->lock);
	object_get(object);
	if (operations->capability_added)
		operations->capability_added(object, rights);
	__atomic_store_n(&slot->badge, badge, __ATOMIC_RELAXED);
	__atomic_store_n(&slot->rights, (uint16_t)rights, __ATOMIC_RELAXED);
	__atomic_store_n(&slot->object, object, __ATOMIC_RELEASE);
}

static void removed(struct object *object, rights_t rights)
{
	const struct object_operations *operations = object_operations[object->type];

	if (operations->capability_removed)
		operations->capability_removed(object, rights);
	object_put(object);
}

void capability_install(
	struct capability_table *table, handle_t handle, struct object *object, rights_t rights)
{
	struct capability *slot;

	spin_lock(&table->lock);
	slot = reserved_slot(table, handle);
	if (slot) {
		derivation_init(&slot->derivation);
		fill_slot(slot, object, rights, 0);
	}
	spin_unlock(&table->lock);
}

enum error capability_install_new(struct object *object, rights_t rights, handle_t *handle)
{
	struct capability_table *table = &thread_current()->process->table;
	enum error error = capability_reserve(table, handle);

	if (!error)
		capability_install(table, *handle, object, rights);
	object_put(object);
	return error;
}

// --- Deriving and revoking

// The slot that a look-up found, if it still holds the same; NULL otherwise. The tree of the object is locked.
INLINE struct capability *same_slot(const struct capability *found)
{
	struct capability *slot = capability_slot(found->derivation.table, found->index);

	ASSERT_LOCK_HELD(&found->object->derivation_lock);
	return __atomic_load_n(&slot->generation, __ATOMIC_RELAXED) == found->generation &&
			__atomic_load_n(&slot->object, __ATOMIC_RELAXED) == found->object
		? slot
		: NULL;
}

static enum error find_slot(struct capability_table *table, handle_t handle, struct capability *found)
{
	capability_locate(found, table, handle);
	return capability_read(table, handle, found);
}

enum error capability_hold(struct capability_table *table, handle_t handle, struct capability *found)
{
	capability_locate(found, table, handle);
	if (atomic_load_explicit(&found->object->revocations, memory_order_relaxed))
		return ERR_BUSY;
	return object_try_get(found->object) ? ERR_OK : ERR_BAD_HANDLE;
}

bool capability_derive(struct capability_table *table, handle_t handle, const struct capability *source,
	rights_t rights, uint64_t badge)
{
	struct spinlock *tree_lock = &source->object->derivation_lock;
	struct capability *parent, *slot;

	spin_lock(tree_lock);
	spin_lock(&table->lock);
	parent = same_slot(source);
	slot = reserved_slot(table, handle);
	if (slot && parent) {
		derivation_insert(&parent->derivation, &slot->derivation);
		fill_slot(slot, source->object, rights, badge);
	} else if (slot) {
		free_slot(slot);
	}
	spin_unlock(&table->lock);
	spin_unlock(tree_lock);
	return slot && parent;
}

enum error capability_copy(
	struct capability_table *table, const struct capability *source, rights_t rights, handle_t *handle)
{
	struct spinlock *tree_lock = &source->object->derivation_lock;
	struct capability *parent, *slot;
	enum error error;

	spin_lock(tree_lock);
	spin_lock(&table->lock);
	parent = same_slot(source);
	if (parent == NULL)
		error = ERR_BAD_HANDLE;
	else if (atomic_load_explicit(&source->object->revocations, memory_order_relaxed))
		error = ERR_BUSY;
	else
		error = take_slot(table, &slot);
	if (!error) {
		derivation_insert(&parent->derivation, &slot->derivation);
		fill_slot(slot, source->object, rights, source->badge);
		*handle = handle_of(slot->index, slot->generation);
	}
	spin_unlock(&table->lock);
	spin_unlock(tree_lock);
	return error;
}

// Takes a capability out of the tree, which is locked, and of its table.
static void take_out(struct capability *slot)
{
	ASSERT_LOCK_HELD(&slot->object->derivation_lock);
	derivation_remove(&slot->derivation);
	spin_lock(&slot->derivation.table->lock);
	free_slot(slot);
	spin_unlock(&slot->derivation.table->lock);
}

enum error capability_close(struct capability_table *table, handle_t handle)
{
	struct capability found, *slot;
	enum error error = find_slot(table, handle, &found);

	if (error)
		return error;
	spin_lock(&found.object->derivation_lock);
	slot = same_slot(&found);
	if (slot)
		take_out(slot);
	spin_unlock(&found.object->derivation_lock);
	if (slot == NULL)
		return ERR_BAD_HANDLE;
	removed(found.object, found.rights);
	return ERR_OK;
}

bool capability_attach(const struct capability *source, struct derivation *kept, struct object *counted)
{
	struct capability *slot;

	spin_lock(&source->object->derivation_lock);
	slot = same_slot(source);
	if (slot)
		derivation_insert_beside(&slot->derivation, kept);
	if (slot && counted)
		object_get(counted); // which the capability has not let go of yet
	spin_unlock(&source->object->derivation_lock);
	return slot != NULL;
}

struct derivation *capability_first_derived(const struct capability *found)
{
	struct capability *slot = same_slot(found);

	return slot ? derivation_first(&slot->derivation) : NULL;
}

// Removes one of what is derived from a capability. False: there is none.
static bool revoke_one(const struct capability *found)
{
	struct object *object = found->object;
	struct derivation *first;
	rights_t rights = 0;
	bool is_kept;

	spin_lock(&object->derivation_lock);
	first = capability_first_derived(found);
	is_kept = first && first->table == NULL;
	if (first && !is_kept) {
		struct capability *derived = container_of(first, struct capability, derivation);

		rights = derived->rights;
		take_out(derived);
	}
	spin_unlock(&object->derivation_lock);
	if (is_kept)
		object_operations[object->type]->revoke_kept(found);
	else if (first)
		removed(object, rights);
	return first != NULL;
}

enum error capability_revoke(struct capability_table *table, handle_t handle)
{
	struct capability found, again;
	unsigned step = 0;
	enum error error = find_slot(table, handle, &found);

	if (!error && !object_try_get(found.object))
		error = ERR_BAD_HANDLE;
	if (error)
		return error;
	atomic_fetch_add(&found.object->revocations, 1);
	while (revoke_one(&found))
		if (++step % CLOSE_STEP == 0)
			preemption_point();
	error = find_slot(table, handle, &again);
	atomic_fetch_sub(&found.object->revocations, 1);
	object_put(found.object);
	return error;
}

void capability_table_destroy(struct capability_table *table)
{
	uint32_t pages;

	if (table->pages == NULL)
		return;
	spin_lock(&table->lock);
	table->closed = true;
	pages = table->size / CAPABILITIES_PER_PAGE;
	spin_unlock(&table->lock);
	for (uint32_t index = 0; index < table->size; index++) {
		const struct capability *slot = capability_slot(table, index);

		if (__atomic_load_n(&slot->object, __ATOMIC_RELAXED))
			capability_close(table,
				handle_of(index, __atomic_load_n(&slot->generation, __ATOMIC_RELAXED)));
		if (index % CLOSE_STEP == CLOSE_STEP - 1)
			preemption_point();
	}
	// Nobody looks up in a table whose process has ended. Who revoked something here has let go of the slot.
	spin_lock(&table->lock);
	table->size = 0;
	spin_unlock(&table->lock);
	for (uint32_t i = 0; i < pages; i++) {
		free_page(table->account, table->pages[i]);
		if (i % CLOSE_STEP == CLOSE_STEP - 1)
			preemption_point();
	}
	free_page(table->account, table->pages);
	table->pages = NULL;
}

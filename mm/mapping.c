// SPDX-License-Identifier: MIT
//
// Mappings of one address space, in a list and a tree by address. Where a mapping begins and ends is read by
// reverse mapping under its memory's lock alone, and so is changed under both locks.

#include "mapping.h"
#include "mapping_tree.h"
#include <kernel/account.h>
#include <kernel/assert.h>
#include <kernel/cache.h>
#include <kernel/memory.h>

static struct object_cache mapping_cache = OBJECT_CACHE_INITIALIZER(mapping_cache, "mapping", struct mapping);

struct mapping *mapping_allocate(struct address_space *space)
{
	struct account *account = space->object.account;
	struct mapping *mapping;

	if (!account_charge_object(account))
		return NULL;
	mapping = cache_allocate_unset(&mapping_cache);
	if (mapping == NULL) {
		account_uncharge_object(account);
		return NULL;
	}
	mapping->space = space;
	mapping->memory = NULL;
	mapping->unmapping = false;
	mapping->derivation.table = NULL;
	derivation_init_alone(&mapping->derivation);
	return mapping;
}

void mapping_free(struct address_space *space, struct mapping *mapping)
{
	if (mapping == NULL)
		return;
	cache_free(&mapping_cache, mapping);
	account_uncharge_object(space->object.account);
}

static void lock_memory(const struct mapping *mapping)
{
	if (mapping->memory)
		spin_lock(&mapping->memory->lock);
}

static void unlock_memory(const struct mapping *mapping)
{
	if (mapping->memory)
		spin_unlock(&mapping->memory->lock);
}

// Puts a mapping where revocations reach it as they do another of the same memory.
void mapping_derive_beside(struct mapping *mapping, struct mapping *kept)
{
	struct spinlock *tree_lock;

	if (mapping->memory == NULL || mapping->memory->owner)
		return;
	tree_lock = &mapping->memory->object.derivation_lock;
	spin_lock(tree_lock);
	if (!list_is_empty(&mapping->derivation.open))
		derivation_insert_beside(&mapping->derivation, &kept->derivation);
	spin_unlock(tree_lock);
}

static __attribute__((noinline)) bool is_derived_alike(const struct mapping *one, const struct mapping *other)
{
	struct spinlock *tree_lock;
	bool alike;

	if (one->memory == NULL || one->memory->owner)
		return true;
	tree_lock = &one->memory->object.derivation_lock;
	spin_lock(tree_lock);
	alike = derivation_is_next_to(&one->derivation, &other->derivation);
	spin_unlock(tree_lock);
	return alike;
}

static void leave_derivation(struct mapping *mapping)
{
	struct spinlock *tree_lock = &mapping->memory->object.derivation_lock;

	spin_lock(tree_lock);
	derivation_remove(&mapping->derivation);
	spin_unlock(tree_lock);
}

// --- Finding

struct mapping *mapping_next(const struct mapping *mapping)
{
	const struct list_node *next = mapping->link.next;

	return next == &mapping->space->mappings ? NULL : container_of(next, struct mapping, link);
}

struct mapping *mapping_previous(const struct mapping *mapping)
{
	const struct list_node *previous = mapping->link.previous;

	return previous == &mapping->space->mappings ? NULL : container_of(previous, struct mapping, link);
}

// Whether the answer is `recent` or stands beside it, and is then *found.
static bool is_near(struct mapping *recent, vaddr_t address, struct mapping **found)
{
	struct mapping *beside;

	if (address < recent->address) {
		beside = mapping_previous(recent);
		*found = beside && address < mapping_end(beside) ? beside : recent;
		return beside == NULL || address >= beside->address;
	}
	beside = mapping_next(recent);
	*found = address < mapping_end(recent) ? recent : beside;
	return *found == NULL || address < mapping_end(*found);
}

// Most look-ups are for what was found last, or what stands beside it.
struct mapping *mapping_find(struct address_space *space, vaddr_t address)
{
	struct mapping *mapping;

	ASSERT_LOCK_HELD(&space->lock);
	if (space->recent == NULL || !is_near(space->recent, address, &mapping))
		mapping = mapping_tree_find(space->tree_root, address);
	if (mapping)
		space->recent = mapping;
	return mapping;
}

struct mapping *mapping_at(struct address_space *space, vaddr_t address)
{
	struct mapping *mapping = mapping_find(space, address);

	return mapping && mapping->address <= address && !mapping->unmapping ? mapping : NULL;
}

// --- Gaps
//
// The tree is told of a gap that has changed when another one does, or when one is searched for: what is mapped or unmapped in
// a row changes the same one again and again, or that of what goes next.

static uint64_t gap_below(const struct mapping *mapping)
{
	const struct mapping *below = mapping_previous(mapping);

	return mapping->address - (below ? mapping_end(below) : (vaddr_t)ARCH_USER_START);
}

// The gap below a mapping (NULL: none) is another one, or about to be.
static void note_gap(struct address_space *space, struct mapping *mapping)
{
	struct mapping *last = space->gap_changed;

	if (last == mapping)
		return;
	space->gap_changed = mapping;
	if (last) {
		last->gap = gap_below(last);
		mapping_tree_update(last);
	}
}

vaddr_t mapping_find_free(struct address_space *space, vaddr_t from, uint64_t length)
{
	const struct mapping *above;
	vaddr_t end = ARCH_USER_START;

	ASSERT_LOCK_HELD(&space->lock);
	note_gap(space, NULL);
	above = mapping_tree_find_gap(space->tree_root, from, length);
	if (above)
		end = above->address - above->gap;
	else if (!list_is_empty(&space->mappings))
		end = mapping_end(container_of(space->mappings.previous, struct mapping, link));
	if (end < from)
		end = from;
	return above || (end <= ARCH_USER_END && ARCH_USER_END - end >= length) ? end : 0;
}

// --- Changing

// Enters a mapping below another one (NULL: above all).
static void enter(struct address_space *space, struct mapping *mapping, struct mapping *above)
{
	if (above)
		note_gap(space, above);
	list_insert_before(above ? &above->link : &space->mappings, &mapping->link);
	mapping->gap = gap_below(mapping);
	mapping_tree_insert(&space->tree_root, mapping, mapping_previous(mapping), above);
	space->recent = mapping;
}

static void leave(struct address_space *space, struct mapping *mapping)
{
	struct mapping *above = mapping_next(mapping);

	mapping_tree_remove(&space->tree_root, mapping);
	list_remove(&mapping->link);
	if (space->gap_changed == mapping)
		space->gap_changed = NULL;
	if (above)
		note_gap(space, above);
	if (space->recent == mapping)
		space->recent = above;
	if (mapping->memory && !mapping->memory->owner)
		leave_derivation(mapping);
	if (mapping->memory)
		object_put(&mapping->memory->object);
	mapping_free(space, mapping);
}

void mapping_insert(struct address_space *space, struct mapping *mapping, struct mapping *above, bool ahead)
{
	ASSERT_LOCK_HELD(&space->lock);
	assert(above == mapping_find(space, mapping->address));
	assert(above == NULL || above->address >= mapping_end(mapping));
	mapping->space = space;
	if (mapping->memory) {
		lock_memory(mapping);
		memory_add_mapping(mapping->memory, mapping);
		if (ahead && !mapping->memory->owner)
			fault_ahead(space, mapping);
		unlock_memory(mapping);
	}
	space->mapped_pages += mapping->length >> PAGE_SHIFT;
	enter(space, mapping, above);
}

void mapping_remove(struct address_space *space, struct mapping *mapping)
{
	ASSERT_LOCK_HELD(&space->lock);
	space->mapped_pages -= mapping->length >> PAGE_SHIFT;
	leave(space, mapping);
}

void mapping_trim(struct address_space *space, struct mapping *mapping, uint64_t length)
{
	ASSERT_LOCK_HELD(&space->lock);
	assert(length < mapping->length);
	lock_memory(mapping);
	mapping->address += length;
	mapping->offset += length;
	mapping->length -= length;
	unlock_memory(mapping);
	space->mapped_pages -= length >> PAGE_SHIFT;
	note_gap(space, mapping);
}

bool mapping_is_inside(struct address_space *space, vaddr_t address)
{
	const struct mapping *mapping = mapping_at(space, address);

	return mapping && mapping->address < address;
}

void mapping_split(struct address_space *space, vaddr_t address, struct mapping **spare)
{
	struct mapping *lower = mapping_at(space, address);
	struct mapping *upper = *spare;
	uint64_t length = address - lower->address;

	ASSERT_LOCK_HELD(&space->lock);
	assert(length > 0 && address < mapping_end(lower));
	*spare = NULL;
	upper->space = space;
	upper->memory = lower->memory;
	upper->address = address;
	upper->length = lower->length - length;
	upper->offset = lower->offset + length;
	upper->flags = lower->flags;
	upper->flags_allowed = lower->flags_allowed;
	lock_memory(lower);
	lower->length = length;
	if (upper->memory) {
		if (upper->memory->large && address % MMU_LARGE_SIZE != 0)
			large_page_split(space, address);
		object_get(&upper->memory->object);
		memory_add_mapping(upper->memory, upper);
	}
	unlock_memory(lower);
	mapping_derive_beside(lower, upper);
	enter(space, upper, mapping_next(lower));
}

static bool continues(const struct mapping *lower, const struct mapping *upper)
{
	return mapping_end(lower) == upper->address && !lower->unmapping && !upper->unmapping &&
		lower->memory == upper->memory && lower->flags == upper->flags &&
		lower->flags_allowed == upper->flags_allowed &&
		(lower->memory == NULL || lower->offset + lower->length == upper->offset) &&
		is_derived_alike(lower, upper);
}

static __attribute__((noinline)) void merge(
	struct address_space *space, struct mapping *lower, struct mapping *mapping)
{
	lock_memory(mapping);
	lower->length += mapping->length;
	if (mapping->memory)
		memory_remove_mapping(mapping->memory, mapping);
	unlock_memory(mapping);
	leave(space, mapping);
}

void mapping_merge_below(struct address_space *space, struct mapping *mapping)
{
	struct mapping *lower = mapping_previous(mapping);

	ASSERT_LOCK_HELD(&space->lock);
	if (lower && continues(lower, mapping))
		merge(space, lower, mapping);
}

void mapping_merge(struct address_space *space, struct mapping *mapping)
{
	const struct mapping *lower = mapping_previous(mapping);
	struct mapping *upper = mapping_next(mapping);
	bool touches_upper = upper && upper->address == mapping_end(mapping);

	if (lower && mapping_end(lower) == mapping->address)
		mapping_merge_below(space, mapping);
	if (touches_upper)
		mapping_merge_below(space, upper);
}

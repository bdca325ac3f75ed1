// SPDX-License-Identifier: MIT
//
// Unmapping: what is unmapped is marked first, and then worked off, both in steps; a step finds its place again by
// address.

#include "unmap.h"
#include <kernel/assert.h>
#include <kernel/capability.h>
#include <kernel/cpu.h>
#include <kernel/memory.h>

// Makes mappings begin and end at the ends of a range, with spare ones where they do not. False: more are
// needed.
static bool split_at_ends(
	struct address_space *space, vaddr_t address, vaddr_t end, struct mapping *spares[2])
{
	unsigned needed = mapping_is_inside(space, address) + mapping_is_inside(space, end);
	unsigned used = 0;

	if ((needed > 0 && spares[0] == NULL) || (needed > 1 && spares[1] == NULL))
		return false;
	if (mapping_is_inside(space, address))
		mapping_split(space, address, &spares[used++]);
	if (mapping_is_inside(space, end))
		mapping_split(space, end, &spares[used++]);
	return true;
}

static bool allocate_spare(struct address_space *space, struct mapping *spares[2])
{
	struct mapping **spare = &spares[spares[0] ? 1 : 0];

	*spare = mapping_allocate(space);
	return *spare != NULL;
}

bool unmap_lock_and_split(struct address_space *space, vaddr_t address, vaddr_t end)
{
	struct mapping *spares[2] = {NULL, NULL};
	bool enough = true;

	spin_lock(&space->lock);
	while (enough && !split_at_ends(space, address, end, spares)) {
		spin_unlock(&space->lock);
		enough = allocate_spare(space, spares);
		spin_lock(&space->lock);
	}
	if (!enough)
		spin_unlock(&space->lock);
	mapping_free(space, spares[0]);
	mapping_free(space, spares[1]);
	return enough;
}

vaddr_t unmap_mark(struct address_space *space, vaddr_t address, vaddr_t end)
{
	struct mapping *mapping = mapping_find(space, address);

	for (unsigned i = 0; mapping && mapping->address < end; mapping = mapping_next(mapping), i++) {
		if (i == MAPPINGS_PER_STEP)
			return mapping->address;
		mapping->unmapping = true;
	}
	return end;
}

// Unmaps some pages at the start of a mapping; what is left of it is smaller, or it is gone. The page tables
// of a destroyed space are used by nobody and go as they are.
static void unmap_step(struct address_space *space, struct mapping *mapping)
{
	struct memory *memory = mapping->memory;
	uint64_t end = mapping->offset + mapping->length;
	uint64_t done_to;

	if (memory == NULL) {
		mapping_remove(space, mapping);
		return;
	}
	spin_lock(&memory->lock);
	if (!space->destroyed && large_page_unmap(space, mapping)) {
		done_to = mapping->offset + MMU_LARGE_SIZE;
	} else {
		done_to = memory_step_end(memory, mapping->offset, end);
		if (!space->destroyed)
			memory_restrict_window(memory, mapping->offset, done_to, space, mapping->address, 0);
	}
	if (memory->owner)
		memory_discard(memory, mapping->offset, done_to);
	if (done_to == end)
		memory_remove_mapping(memory, mapping);
	spin_unlock(&memory->lock);
	if (done_to == end)
		mapping_remove(space, mapping);
	else
		mapping_trim(space, mapping, done_to - mapping->offset);
}

// The first mapping in a range that is to go, or, after many that others have put there meanwhile, one to go on from; NULL: none is left.
static struct mapping *first_marked(struct address_space *space, vaddr_t address, vaddr_t end)
{
	struct mapping *mapping = mapping_find(space, address);

	for (unsigned i = 0; mapping && mapping->address < end && !mapping->unmapping; i++) {
		if (i == MAPPINGS_PER_STEP)
			return mapping;
		mapping = mapping_next(mapping);
	}
	return mapping && mapping->address < end ? mapping : NULL;
}

void unmap_sweep_locked(struct address_space *space, vaddr_t address, vaddr_t end)
{
	struct mapping *mapping;

	while ((mapping = first_marked(space, address, end))) {
		address = mapping->address;
		if (mapping->unmapping)
			unmap_step(space, mapping);
		if (first_marked(space, address, end) == NULL)
			break;
		spin_unlock(&space->lock);
		preemption_point();
		spin_lock(&space->lock);
	}
	spin_unlock(&space->lock);
}

void unmap_sweep(struct address_space *space, vaddr_t address, vaddr_t end)
{
	spin_lock(&space->lock);
	unmap_sweep_locked(space, address, end);
}

// The mapping that is first derived from a capability, with its space counted and locked, and the tree; NULL:
// another thing is first, or has come to be. The space of a mapping that goes anyway just loses it.
static struct mapping *lock_first_derived(const struct capability *revoked)
{
	struct spinlock *tree_lock = &revoked->object->derivation_lock;
	struct address_space *space = NULL;
	struct derivation *first;

	spin_lock(tree_lock);
	first = capability_first_derived(revoked);
	if (first && first->table == NULL)
		space = container_of(first, struct mapping, derivation)->space;
	if (space && !object_try_get(&space->object)) {
		derivation_remove(first);
		space = NULL;
	}
	spin_unlock(tree_lock);
	if (space == NULL)
		return NULL;
	spin_lock(&space->lock);
	spin_lock(tree_lock);
	if (capability_first_derived(revoked) == first &&
		container_of(first, struct mapping, derivation)->space == space)
		return container_of(first, struct mapping, derivation);
	spin_unlock(tree_lock);
	spin_unlock(&space->lock);
	object_put(&space->object);
	return NULL;
}

void mapping_revoke_first(const struct capability *revoked)
{
	struct mapping *mapping = lock_first_derived(revoked);
	struct address_space *space;
	vaddr_t address, end;

	if (mapping == NULL)
		return;
	space = mapping->space;
	address = mapping->address;
	end = mapping_end(mapping);
	mapping->unmapping = true;
	derivation_remove(&mapping->derivation);
	spin_unlock(&revoked->object->derivation_lock);
	spin_unlock(&space->lock);
	unmap_sweep(space, address, end);
	object_put(&space->object);
}

// Whether a range is a mapping of one page, which is then gone: the usual way for what is mapped and unmapped often.
static bool unmap_page(struct address_space *space, vaddr_t address, uint64_t length)
{
	struct mapping *mapping;
	bool is_page;

	struct memory *memory;

	if (length != PAGE_SIZE)
		return false;
	spin_lock(&space->lock);
	mapping = mapping_find(space, address);
	is_page = mapping && mapping->address == address && mapping->length == PAGE_SIZE && mapping->memory &&
		!space->destroyed;
	if (is_page) {
		memory = mapping->memory;
		spin_lock(&memory->lock);
		if (arch_mmu_unmap(&space->arch, address, &(size_t){0}) != PADDR_NONE)
			tlb_shootdown(space, address, 1);
		if (memory->owner)
			memory_discard(memory, address, address + PAGE_SIZE);
		memory_remove_mapping(memory, mapping);
		spin_unlock(&memory->lock);
		mapping_remove(space, mapping);
	}
	spin_unlock(&space->lock);
	return is_page;
}

static __attribute__((noinline)) enum error unmap_range(
	struct address_space *space, vaddr_t address, vaddr_t end)
{
	vaddr_t at = address;

	for (;;) {
		if (!unmap_lock_and_split(space, at, end)) {
			unmap_sweep(space, address, at);
			return ERR_NO_MEMORY;
		}
		at = unmap_mark(space, at, end);
		if (at == end)
			break;
		spin_unlock(&space->lock);
		preemption_point();
	}
	unmap_sweep_locked(space, address, end);
	return ERR_OK;
}

__attribute__((flatten)) enum error address_space_unmap(
	struct address_space *space, vaddr_t address, uint64_t length)
{
	ASSERT_NO_LOCKS_HELD();
	if (!user_pages_valid(address, length))
		return ERR_INVALID_ARGUMENT;
	return unmap_page(space, address, length) ? ERR_OK : unmap_range(space, address, address + length);
}

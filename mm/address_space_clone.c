// SPDX-License-Identifier: MIT
//
// Copy-on-write copies of address spaces. The copy goes upwards in steps; nobody knows it before it is done,
// so each page is as the parent had it at some moment of the call. Nothing of the parent waits meanwhile but
// for the step under way.

#include "unmap.h"
#include <kernel/assert.h>
#include <kernel/cpu.h>
#include <kernel/memory.h>

// Whether a mapping's memory is shared with the copy: what was asked to be, and what has no frames to share.
// What has a pager is copied as an object of its own, which can ask the pager too: copy_paged.
static bool is_shared(const struct mapping *mapping)
{
	return mapping->memory == NULL || (mapping->flags & MAPPING_SHARED) ||
		mapping->memory->kind == MEMORY_PHYSICAL;
}

// Shares some pages of a mapping from an address on, and describes the part of it that is done in `part`.
static bool clone_pages(
	struct address_space *child, struct mapping *mapping, vaddr_t address, struct mapping *part)
{
	struct memory *memory = mapping->memory;
	uint64_t offset = mapping->offset + (address - mapping->address);
	uint64_t at = offset;
	bool done;

	spin_lock(&memory->lock);
	done = memory_share_step(
		memory, &at, mapping->offset + mapping->length, child->private_memory, address);
	spin_unlock(&memory->lock);
	part->memory = child->private_memory;
	part->offset = address;
	part->length = at - offset;
	return done;
}

// Copies the mapping at or above *address, or some pages of it, and says where to go on. False: no memory.
static bool clone_step(
	struct address_space *parent, struct address_space *child, struct mapping *part, vaddr_t *address)
{
	struct mapping *mapping = mapping_find(parent, *address);
	bool done = true;

	ASSERT_LOCK_HELD(&parent->lock);
	part->length = 0;
	if (mapping == NULL || mapping->unmapping) {
		*address = mapping ? mapping_end(mapping) : ARCH_USER_END;
		return true;
	}
	if (*address < mapping->address)
		*address = mapping->address;
	part->address = *address;
	part->flags = mapping->flags;
	part->flags_allowed = mapping->flags_allowed;
	if (is_shared(mapping) || mapping->memory->pager) {
		part->memory = mapping->memory;
		part->offset = mapping->offset + (*address - mapping->address);
		part->length = mapping_end(mapping) - *address;
		if (part->memory)
			object_get(&part->memory->object);
		part->space = child;
		if (is_shared(mapping))
			mapping_derive_beside(mapping, part);
	} else {
		done = clone_pages(child, mapping, *address, part);
		object_get(&part->memory->object);
	}
	*address += part->length;
	return done;
}

// Enters a part into the copy; it takes over nothing. Says whether its memory has been revoked just now.
static __attribute__((flatten)) bool enter_mapping(struct address_space *child, struct mapping *part)
{
	bool revoked;

	spin_lock(&child->lock);
	revoked = part->unmapping;
	if (part->memory)
		object_get(&part->memory->object);
	mapping_insert(child, part, mapping_find(child, part->address), false);
	mapping_merge(child, part);
	spin_unlock(&child->lock);
	return revoked;
}

static void enter_part(struct address_space *child, struct mapping *part)
{
	vaddr_t address = part->address, end = address + part->length;

	if (enter_mapping(child, part))
		unmap_sweep(child, address, end);
}

// Puts a copy in the place of a part's memory, which has a pager. The value is the memory to give up; NULL: there
// was no memory for a copy.
static struct memory *copy_paged(struct address_space *child, struct mapping *part)
{
	struct memory *copy = memory_clone(part->memory, child->object.account, part->offset, part->length);

	object_put(&part->memory->object);
	part->memory = copy;
	part->offset = 0;
	return copy;
}

// One step, with a new mapping for what it copies.
static bool clone_part(struct address_space *parent, struct address_space *child, vaddr_t *address)
{
	struct mapping *part = mapping_allocate(child);
	struct memory *memory;
	bool done;

	if (part == NULL)
		return false;
	spin_lock(&parent->lock);
	done = clone_step(parent, child, part, address);
	spin_unlock(&parent->lock);
	memory = part->memory;
	if (memory && memory->pager && !is_shared(part)) {
		memory = copy_paged(child, part);
		done = memory != NULL;
	}
	if (done && part->length > 0)
		enter_part(child, part);
	else
		mapping_free(child, part);
	if (memory)
		object_put(&memory->object);
	return done;
}

struct address_space *address_space_clone(struct address_space *space, struct account *account)
{
	struct address_space *child = address_space_create(account);
	vaddr_t address = 0;

	ASSERT_NO_LOCKS_HELD();
	if (child)
		child->base = space->base;
	while (child && address < ARCH_USER_END) {
		if (!clone_part(space, child, &address)) {
			object_put(&child->object);
			return NULL;
		}
		preemption_point();
	}
	return child;
}

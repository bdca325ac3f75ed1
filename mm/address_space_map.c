// SPDX-License-Identifier: MIT
//
// Mapping: checking a request, finding its place, entering it.

#include "mapping.h"
#include <kernel/assert.h>
#include <kernel/memory.h>

#define MAP_FLAGS      (MAP_ACCESS | MAP_FIXED | MAP_REPLACE | MAP_SHARED | MAP_DEVICE | MAP_GUARD)
#define MAP_FLAGS_KEPT (MAP_ACCESS | MAP_SHARED | MAP_DEVICE | MAP_GUARD)

// Where mappings without a wish go, so that programs have the room above their image for their heap.
#define ANYWHERE_BASE ((vaddr_t)(ARCH_USER_END / 2) & ~(vaddr_t)(MMU_LARGE_SIZE - 1))

// Checks a request and says which flags the mapping has. What is written or executed can be read: no CPU does
// without.
static enum error check_request(
	const struct memory *memory, const struct map_request *request, uint64_t allowed, uint64_t *flags)
{
	uint64_t asked = request->flags;

	if (asked & (MAP_WRITE | MAP_EXECUTE))
		asked |= MAP_READ;
	if ((asked & ~MAP_FLAGS) || ((asked & MAP_WRITE) && (asked & MAP_EXECUTE)) ||
		((asked & MAP_REPLACE) && !(asked & MAP_FIXED)))
		return ERR_INVALID_ARGUMENT;
	if ((asked & MAP_GUARD) && (memory || (asked & (MAP_ACCESS | MAP_SHARED))))
		return ERR_INVALID_ARGUMENT;
	if ((asked & MAP_DEVICE) && (memory == NULL || memory->kind != MEMORY_PHYSICAL))
		return ERR_INVALID_ARGUMENT;
	if (request->length == 0 || request->length > ARCH_USER_END ||
		(request->length | request->address | request->offset) % PAGE_SIZE != 0)
		return ERR_INVALID_ARGUMENT;
	if ((asked & MAP_FIXED) && !user_pages_valid(request->address, request->length))
		return ERR_INVALID_ARGUMENT;
	if (memory ? request->offset > memory->size || request->length > memory->size - request->offset
		   : request->offset != 0)
		return ERR_INVALID_ARGUMENT;
	if (asked & MAP_ACCESS & ~allowed)
		return ERR_NO_RIGHTS;
	*flags = asked & MAP_FLAGS_KEPT;
	return ERR_OK;
}

// Where a mapping without MAP_FIXED goes: at its hint, above it, or anywhere. 0: no room.
static vaddr_t choose_address(const struct address_space *space, const struct map_request *request)
{
	vaddr_t address = 0;

	if (request->address >= ARCH_USER_START && request->address < ARCH_USER_END)
		address = mapping_find_free(space, request->address, request->length);
	if (address == 0)
		address = mapping_find_free(space, ANYWHERE_BASE, request->length);
	if (address == 0)
		address = mapping_find_free(space, ARCH_USER_START, request->length);
	return address;
}

// Places and enters a prepared mapping. The lock is held.
static enum error place(struct address_space *space, struct mapping *mapping,
	const struct map_request *request, vaddr_t *address)
{
	if (space->destroyed)
		return ERR_BAD_STATE;
	if (!(request->flags & MAP_FIXED))
		*address = choose_address(space, request);
	else if (mapping_range_is_free(space, request->address, request->length))
		*address = request->address;
	else
		return ERR_EXISTS;
	if (*address == 0)
		return ERR_NO_MEMORY;
	mapping->address = *address;
	if (mapping->memory == space->private_memory)
		mapping->offset = *address;
	mapping_insert(space, mapping);
	mapping_merge(space, mapping);
	return ERR_OK;
}

// With MAP_REPLACE, others may map something in the range while it is cleared: then it is cleared again.
static enum error map_prepared(struct address_space *space, struct mapping *mapping,
	const struct map_request *request, vaddr_t *address)
{
	for (;;) {
		enum error error = ERR_OK;

		if (request->flags & MAP_REPLACE)
			error = address_space_unmap(space, request->address, request->length);
		if (error)
			return error;
		spin_lock(&space->lock);
		error = place(space, mapping, request, address);
		spin_unlock(&space->lock);
		if (error != ERR_EXISTS || !(request->flags & MAP_REPLACE))
			return error;
	}
}

// The memory that a request is for, counted by the caller's call of object_get; NULL without `error`: a
// guard.
static enum error memory_of_request(struct address_space *space, struct memory *given,
	const struct map_request *request, uint64_t flags, struct memory **memory)
{
	*memory = given;
	if (given == NULL && !(flags & MAP_GUARD)) {
		if (!(flags & MAP_SHARED)) {
			*memory = space->private_memory;
			return *memory ? ERR_OK : ERR_BAD_STATE;
		}
		if (request->length > MEMORY_SIZE_MAX)
			return ERR_INVALID_ARGUMENT;
		*memory = memory_create(space->object.account, request->length, 0);
		return *memory ? ERR_OK : ERR_NO_MEMORY;
	}
	return ERR_OK;
}

enum error address_space_map(struct address_space *space, struct memory *memory,
	const struct map_request *request, uint64_t allowed, vaddr_t *address)
{
	struct memory *shown;
	struct mapping *mapping;
	uint64_t flags = 0;
	enum error error = check_request(memory, request, allowed, &flags);

	ASSERT_NO_LOCKS_HELD();
	if (!error)
		error = memory_of_request(space, memory, request, flags, &shown);
	if (error)
		return error;
	mapping = mapping_allocate(space);
	error = ERR_NO_MEMORY;
	if (mapping) {
		mapping->memory = shown;
		mapping->length = request->length;
		mapping->offset = request->offset;
		mapping->flags = flags;
		mapping->flags_allowed = allowed & MAP_ACCESS;
		error = map_prepared(space, mapping, request, address);
	}
	if (error)
		mapping_free(space, mapping);
	if (shown && shown != memory && (flags & MAP_SHARED))
		object_put(&shown->object); // the mapping holds it
	return error;
}

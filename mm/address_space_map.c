// SPDX-License-Identifier: MIT
//
// Mapping: checking a request, finding its place, entering it.

#include "mapping.h"
#include <kernel/assert.h>
#include <kernel/capability.h>
#include <kernel/memory.h>
#include <kernel/random.h>

#define MAPPING_FLAGS                                                                         \
	(MAPPING_ACCESS | MAPPING_FIXED | MAPPING_REPLACE | MAPPING_SHARED | MAPPING_DEVICE | \
		MAPPING_GUARD | MAPPING_RANDOM)
#define MAPPING_FLAGS_KEPT (MAPPING_ACCESS | MAPPING_SHARED | MAPPING_DEVICE | MAPPING_GUARD)

static bool special_flags_fit(const struct memory *memory, uint64_t asked)
{
	if ((asked & ~MAPPING_FLAGS) || ((asked & MAPPING_REPLACE) && !(asked & MAPPING_FIXED)) ||
		((asked & MAPPING_RANDOM) && (asked & MAPPING_FIXED)))
		return false;
	if ((asked & MAPPING_GUARD) && (memory || (asked & (MAPPING_ACCESS | MAPPING_SHARED))))
		return false;
	return !(asked & MAPPING_DEVICE) || (memory && memory->kind == MEMORY_PHYSICAL);
}

// Checks a request and says which flags the mapping has. What is written or executed can be read: no CPU does
// without.
static enum error check_request(
	const struct memory *memory, const struct map_request *request, uint64_t allowed, uint64_t *flags)
{
	uint64_t asked = request->flags;

	if (asked & (MAPPING_WRITE | MAPPING_EXECUTE))
		asked |= MAPPING_READ;
	if ((asked & ~(MAPPING_ACCESS | MAPPING_SHARED | MAPPING_FIXED)) && !special_flags_fit(memory, asked))
		return ERR_INVALID_ARGUMENT;
	if ((asked & (MAPPING_WRITE | MAPPING_EXECUTE)) == (MAPPING_WRITE | MAPPING_EXECUTE))
		return ERR_INVALID_ARGUMENT;
	if ((request->length | request->address | request->offset) % PAGE_SIZE != 0 ||
		request->length - 1 >= ARCH_USER_END)
		return ERR_INVALID_ARGUMENT;
	if ((asked & MAPPING_FIXED) &&
		(request->address < ARCH_USER_START || request->address > ARCH_USER_END - request->length))
		return ERR_INVALID_ARGUMENT;
	if (memory ? request->offset > memory->size || request->length > memory->size - request->offset
		   : request->offset != 0)
		return ERR_INVALID_ARGUMENT;
	if (asked & MAPPING_ACCESS & ~allowed)
		return ERR_NO_RIGHTS;
	*flags = asked & MAPPING_FLAGS_KEPT;
	return ERR_OK;
}

// A range that is being cleared for a new mapping: nothing else is put there meanwhile, but by MAPPING_REPLACE itself.
struct replacement {
	struct list_node link;
	vaddr_t address;
	vaddr_t end;
};

// The replacement under way that a range touches, or NULL.
static const struct replacement *find_replacement(
	const struct address_space *space, vaddr_t address, uint64_t length)
{
	list_for_each (node, &space->replacing) {
		const struct replacement *replacement = container_of(node, struct replacement, link);

		if (address < replacement->end && replacement->address < address + length)
			return replacement;
	}
	return NULL;
}

static vaddr_t find_free(struct address_space *space, vaddr_t from, uint64_t length)
{
	const struct replacement *replacement = NULL;
	vaddr_t address;

	do {
		address = mapping_find_free(space, replacement ? replacement->end : from, length);
		replacement = find_replacement(space, address, length);
	} while (address != 0 && replacement);
	return address;
}

// Where a large page can begin, with room for a mapping from there on. 0: no room.
static vaddr_t find_large(struct address_space *space, uint64_t length)
{
	vaddr_t address = find_free(space, space->base, length + MMU_LARGE_SIZE - PAGE_SIZE);

	return (address + MMU_LARGE_SIZE - 1) & ~(vaddr_t)(MMU_LARGE_SIZE - 1);
}

// Where a mapping without MAPPING_FIXED goes: at its hint, above it, or anywhere. 0: no room.
static __attribute__((noinline)) vaddr_t choose_address(
	struct address_space *space, const struct memory *memory, const struct map_request *request)
{
	vaddr_t hint = request->address, address = 0;

	if (request->flags & MAPPING_RANDOM)
		hint += random_distance(RANDOM_DISTANCE, PAGE_SIZE);
	if (hint >= ARCH_USER_START && hint < ARCH_USER_END)
		address = find_free(space, hint, request->length);
	if (address == 0 && memory && memory->large && request->length >= MMU_LARGE_SIZE &&
		request->offset % MMU_LARGE_SIZE == 0)
		address = find_large(space, request->length);
	if (address == 0)
		address = find_free(space, space->base, request->length);
	if (address == 0)
		address = find_free(space, ARCH_USER_START, request->length);
	return address;
}

// Finds the place of a mapping, and the mapping above it.
static enum error find_place(struct address_space *space, const struct memory *memory,
	const struct map_request *request, vaddr_t *address, struct mapping **above)
{
	if (request->flags & MAPPING_FIXED)
		*address = request->address;
	else if ((*address = choose_address(space, memory, request)) == 0)
		return ERR_NO_MEMORY;
	*above = mapping_find(space, *address);
	if (*above && (*above)->address < *address + request->length)
		return ERR_EXISTS;
	if (!(request->flags & MAPPING_REPLACE) && find_replacement(space, *address, request->length))
		return ERR_EXISTS;
	return ERR_OK;
}

// Puts a mapping beside the capability of its memory, and counts that.
static enum error attach(struct mapping *mapping, const struct capability *source)
{
	if (atomic_load_explicit(&source->object->revocations, memory_order_relaxed))
		return ERR_BUSY;
	return capability_attach(source, &mapping->derivation, source->object) ? ERR_OK : ERR_BAD_HANDLE;
}

// Places and enters a prepared mapping, and counts its memory. The lock is held.
static enum error place(struct address_space *space, struct mapping *mapping, const struct capability *source,
	const struct map_request *request, vaddr_t *address)
{
	struct mapping *above = NULL;
	enum error error = space->destroyed ? ERR_BAD_STATE
					    : find_place(space, mapping->memory, request, address, &above);

	if (!error && source)
		error = attach(mapping, source);
	if (error)
		return error;
	if (mapping->memory && source == NULL)
		object_get(&mapping->memory->object);
	mapping->address = *address;
	if (mapping->memory == space->private_memory)
		mapping->offset = *address;
	mapping_insert(space, mapping, above, true);
	mapping_merge(space, mapping);
	return ERR_OK;
}

// Where two threads replace the same range, the later one replaces what the earlier one has put there.
static __attribute__((noinline)) enum error replace(struct address_space *space, struct mapping *mapping,
	const struct capability *source, const struct map_request *request, vaddr_t *address)
{
	struct replacement replacement = {
		.address = request->address, .end = request->address + request->length};
	enum error error;

	spin_lock(&space->lock);
	list_push_back(&space->replacing, &replacement.link);
	do {
		spin_unlock(&space->lock);
		error = address_space_unmap(space, request->address, request->length);
		spin_lock(&space->lock);
		if (!error)
			error = place(space, mapping, source, request, address);
	} while (error == ERR_EXISTS);
	list_remove(&replacement.link);
	spin_unlock(&space->lock);
	return error;
}

static enum error map_prepared(struct address_space *space, struct mapping *mapping,
	const struct capability *source, const struct map_request *request, vaddr_t *address)
{
	enum error error;

	if (request->flags & MAPPING_REPLACE)
		return replace(space, mapping, source, request, address);
	spin_lock(&space->lock);
	error = place(space, mapping, source, request, address);
	spin_unlock(&space->lock);
	return error;
}

// The memory of a request that names none, counted by the caller's call of object_get; NULL without an error: a
// guard.
static __attribute__((noinline)) enum error memory_of_request(struct address_space *space,
	const struct map_request *request, uint64_t flags, struct memory **memory)
{
	*memory = NULL;
	if (flags & MAPPING_GUARD)
		return ERR_OK;
	if (!(flags & MAPPING_SHARED)) {
		*memory = space->private_memory;
		return *memory ? ERR_OK : ERR_BAD_STATE;
	}
	if (request->length > MEMORY_SIZE_MAX)
		return ERR_INVALID_ARGUMENT;
	*memory = memory_create(space->object.account, request->length, 0);
	return *memory ? ERR_OK : ERR_NO_MEMORY;
}

static __attribute__((noinline)) void give_back(struct address_space *space, struct mapping *mapping)
{
	mapping_free(space, mapping);
}

// `source`: the capability that `memory` was found through; NULL: none. One function, for it is called often.
static __attribute__((flatten)) enum error map(struct address_space *space, struct memory *memory,
	const struct capability *source, const struct map_request *request, uint64_t allowed,
	vaddr_t *address)
{
	struct memory *shown = memory;
	struct mapping *mapping;
	uint64_t flags = 0;
	enum error error = check_request(memory, request, allowed, &flags);

	ASSERT_NO_LOCKS_HELD();
	if (!error && memory == NULL)
		error = memory_of_request(space, request, flags, &shown);
	if (error)
		return error;
	mapping = mapping_allocate(space);
	error = ERR_NO_MEMORY;
	if (mapping) {
		mapping->memory = shown;
		mapping->length = request->length;
		mapping->offset = request->offset;
		mapping->flags = flags;
		mapping->flags_allowed = allowed & MAPPING_ACCESS;
		error = map_prepared(space, mapping, source, request, address);
	}
	if (error)
		give_back(space, mapping);
	if (shown && shown != memory && (flags & MAPPING_SHARED))
		object_put(&shown->object); // the mapping holds it
	return error;
}

enum error address_space_map(struct address_space *space, struct memory *memory,
	const struct map_request *request, uint64_t allowed, vaddr_t *address)
{
	return map(space, memory, NULL, request, allowed, address);
}

enum error address_space_map_through(struct address_space *space, const struct capability *source,
	const struct map_request *request, uint64_t allowed, vaddr_t *address)
{
	return map(space, container_of(source->object, struct memory, object), source, request, allowed,
		address);
}

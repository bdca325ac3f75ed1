// SPDX-License-Identifier: MIT
//
// Changing the access of mappings: at once for later faults, in steps for what is mapped already. Access that
// is added comes with the faults.

#include "unmap.h"
#include <kernel/assert.h>
#include <kernel/cpu.h>
#include <kernel/memory.h>

// Whether a range is mapped without holes, everything in it may have `access`, and whether some loses access.
static enum error check_protect(
	struct address_space *space, vaddr_t address, vaddr_t end, uint64_t access, bool *loses)
{
	*loses = false;
	while (address < end) {
		const struct mapping *mapping = mapping_at(space, address);

		if (mapping == NULL || (mapping->flags & MAPPING_GUARD))
			return ERR_NOT_FOUND;
		if (access & ~mapping->flags_allowed)
			return ERR_NO_RIGHTS;
		if (mapping->flags & MAPPING_ACCESS & ~access)
			*loses = true;
		address = mapping_end(mapping);
	}
	return ERR_OK;
}

static void set_access(struct address_space *space, vaddr_t address, vaddr_t end, uint64_t access)
{
	struct mapping *mapping = mapping_find(space, address);

	for (; mapping && mapping->address < end; mapping = mapping_next(mapping))
		mapping->flags = (mapping->flags & ~MAPPING_ACCESS) | access;
}

static void merge_range(struct address_space *space, vaddr_t address, vaddr_t end)
{
	struct mapping *mapping = mapping_find(space, address);

	while (mapping && mapping->address <= end) {
		struct mapping *next = mapping_next(mapping);

		mapping_merge_below(space, mapping);
		mapping = next;
	}
}

// Takes access that the mapping does not give any more from some entries at an address; the value is where to
// go on.
static vaddr_t restrict_step(struct address_space *space, vaddr_t address, vaddr_t end)
{
	struct mapping *mapping = mapping_find(space, address);
	struct memory *memory;
	uint64_t start, stop;

	if (mapping == NULL || mapping->address >= end)
		return end;
	if (address < mapping->address)
		address = mapping->address;
	if (end > mapping_end(mapping))
		end = mapping_end(mapping);
	memory = mapping->memory;
	if (memory == NULL || mapping->unmapping)
		return end;
	start = mapping->offset + (address - mapping->address);
	stop = start + (end - address);
	spin_lock(&memory->lock);
	stop = memory_step_end(memory, start, stop);
	memory_restrict_window(memory, start, stop, space, address, mapping_access(mapping->flags));
	spin_unlock(&memory->lock);
	return address + (stop - start);
}

// How far one step gets from an address on.
static vaddr_t step_end(struct address_space *space, vaddr_t address, vaddr_t end)
{
	const struct mapping *mapping;

	if (end - address <= MAPPINGS_PER_STEP * PAGE_SIZE)
		return end;
	mapping = mapping_find(space, address);
	for (unsigned i = 0; i < MAPPINGS_PER_STEP && mapping; i++)
		mapping = mapping_next(mapping);
	return mapping && mapping->address < end ? mapping->address : end;
}

// Whether it can be done, where that takes more than one step: what others change meanwhile is their affair.
static enum error check_in_steps(struct address_space *space, vaddr_t address, vaddr_t end, uint64_t access)
{
	enum error error = ERR_OK;

	while (!error && end - address > MAPPINGS_PER_STEP * PAGE_SIZE) {
		vaddr_t stop;
		bool loses;

		spin_lock(&space->lock);
		stop = step_end(space, address, end);
		error = check_protect(space, address, stop, access, &loses);
		spin_unlock(&space->lock);
		address = stop;
		preemption_point();
	}
	return error;
}

static enum error protect_step(struct address_space *space, vaddr_t *address, vaddr_t end, uint64_t access)
{
	vaddr_t start = *address, stop;
	enum error error;
	bool loses;

	if (!unmap_lock_and_split(space, start, end))
		return ERR_NO_MEMORY;
	stop = step_end(space, start, end);
	error = check_protect(space, start, stop, access, &loses);
	if (!error)
		set_access(space, start, stop, access);
	for (vaddr_t at = start; !error && loses && at < stop;) {
		at = restrict_step(space, at, stop);
		spin_unlock(&space->lock);
		preemption_point();
		spin_lock(&space->lock);
	}
	merge_range(space, start, stop);
	spin_unlock(&space->lock);
	*address = stop;
	return error;
}

enum error address_space_protect(
	struct address_space *space, vaddr_t address, uint64_t length, uint64_t access)
{
	vaddr_t end = address + length;
	enum error error;

	ASSERT_NO_LOCKS_HELD();
	if (access & (MAPPING_WRITE | MAPPING_EXECUTE))
		access |= MAPPING_READ;
	if (!user_pages_valid(address, length) || (access & ~MAPPING_ACCESS) ||
		((access & MAPPING_WRITE) && (access & MAPPING_EXECUTE)))
		return ERR_INVALID_ARGUMENT;
	error = check_in_steps(space, address, end, access);
	while (!error && address < end) {
		error = protect_step(space, &address, end, access);
		if (address < end)
			preemption_point();
	}
	return error;
}

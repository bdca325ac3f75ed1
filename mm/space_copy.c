// SPDX-License-Identifier: MIT
//
// Copies between an address space and the current user's buffers: each page of the space is pinned while the
// copy function works, which may fault and wait for other locks.

#include "mapping.h"
#include <arch/usercopy.h>
#include <kernel/assert.h>
#include <kernel/cpu.h>
#include <kernel/frame.h>
#include <kernel/memory.h>
#include <kernel/thread.h>

static size_t min_size(uint64_t a, size_t b)
{
	return a < b ? (size_t)a : b;
}

static enum error copy(struct address_space *space, vaddr_t address, uintptr_t user_buffer, uint64_t length,
	bool to_space, uint64_t *copied)
{
	ASSERT_NO_LOCKS_HELD();
	*copied = 0;
	for (unsigned pages = 1; *copied < length; pages++) {
		vaddr_t at = address + *copied;
		size_t in_page = at % PAGE_SIZE;
		size_t part = min_size(length - *copied, PAGE_SIZE - in_page);
		enum error error;
		size_t missing;
		paddr_t frame;
		char *data;

		error = address_space_pin(space, at, to_space, &frame);
		if (error)
			return *copied > 0 ? ERR_OK : error;
		data = (char *)phys_to_virt(frame) + in_page;
		missing = to_space ? arch_copy_from_user(data, user_buffer + *copied, part)
				   : arch_copy_to_user(user_buffer + *copied, data, part);
		frame_unpin(frame);
		if (missing > 0)
			return ERR_BAD_ADDRESS;
		*copied += part;
		if (pages % PAGES_FILLED_PER_STEP != 0)
			continue;
		preemption_point();
		if (thread_is_killed(thread_current()))
			return ERR_CANCELLED;
	}
	return ERR_OK;
}

enum error address_space_read(struct address_space *space, vaddr_t address, uintptr_t user_buffer,
	uint64_t length, uint64_t *copied)
{
	return copy(space, address, user_buffer, length, false, copied);
}

enum error address_space_write(struct address_space *space, vaddr_t address, uintptr_t user_buffer,
	uint64_t length, uint64_t *copied)
{
	return copy(space, address, user_buffer, length, true, copied);
}

// Synchronises some resident pages from an address on; the value is where to go on.
static vaddr_t sync_step(struct address_space *space, vaddr_t address, vaddr_t end)
{
	struct mapping *mapping = mapping_find(space, address);
	struct memory *memory;
	uint64_t at, stop;

	if (mapping == NULL || mapping->address >= end)
		return end;
	if (address < mapping->address)
		address = mapping->address;
	if (end > mapping_end(mapping))
		end = mapping_end(mapping);
	memory = mapping->memory;
	if (memory == NULL || mapping->unmapping || !memory->readable)
		return end;
	spin_lock(&memory->lock);
	at = mapping->offset + (address - mapping->address);
	stop = memory_step_end(memory, at, at + (end - address));
	end = address + (stop - at);
	for (; (at = memory_next_page(memory, at, stop)) != RADIX_NONE; at += PAGE_SIZE)
		arch_sync_code(phys_to_virt(memory_resident_page(memory, at)), PAGE_SIZE);
	spin_unlock(&memory->lock);
	return end;
}

void address_space_sync_code(struct address_space *space, vaddr_t address, uint64_t length)
{
	vaddr_t end = (address + length + PAGE_SIZE - 1) & ~(vaddr_t)(PAGE_SIZE - 1);
	vaddr_t at = address & ~(vaddr_t)(PAGE_SIZE - 1);

	ASSERT_NO_LOCKS_HELD();
	while (at < end && !thread_is_killed(thread_current())) {
		spin_lock(&space->lock);
		at = space->destroyed ? end : sync_step(space, at, end);
		spin_unlock(&space->lock);
		preemption_point();
	}
	// This may be another CPU by now, and other spaces may show the pages.
	arch_sync_code(NULL, 0);
	code_shootdown(NULL);
}

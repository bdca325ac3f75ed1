// SPDX-License-Identifier: MIT
//
// The system calls on memory objects.

#include <kernel/address_space.h>
#include <kernel/assert.h>
#include <kernel/cpu.h>
#include <kernel/frame.h>
#include <kernel/memory.h>
#include <kernel/process.h>
#include <kernel/resource.h>
#include <kernel/string.h>
#include <kernel/syscall.h>

// Physical addresses that the page-table entries of every ISA have room for.
#define PHYSICAL_END ((uint64_t)1 << 48)

static const char zero_page[PAGE_SIZE];

static struct account *current_account(void)
{
	return thread_current()->process->account;
}

// Gives the caller a handle to new memory; NULL: there was no memory.
static struct syscall_result install(struct memory *memory)
{
	handle_t handle;
	enum error error;

	if (memory == NULL)
		return SYSCALL_ERROR(ERR_NO_MEMORY);
	error = capability_install_new(&memory->object, MEMORY_RIGHTS, &handle);
	return error ? SYSCALL_ERROR(error) : SYSCALL_VALUE(handle);
}

enum error memory_find(handle_t handle, rights_t rights, struct memory **memory, rights_t *found_rights)
{
	struct capability capability;
	enum error error = capability_lookup(handle, OBJECT_MEMORY, rights, &capability);

	if (error)
		return error;
	if (!object_try_get(capability.object))
		return ERR_BAD_HANDLE;
	*memory = container_of(capability.object, struct memory, object);
	if (found_rights)
		*found_rights = capability.rights;
	return ERR_OK;
}

struct syscall_result sys_memory_create(uint64_t size, uint64_t flags)
{
	if (!memory_size_valid(size) || (flags & ~(MEMORY_CONTIGUOUS | MEMORY_RESIDENT)))
		return SYSCALL_ERROR(ERR_INVALID_ARGUMENT);
	if ((flags & MEMORY_CONTIGUOUS) && size > (uint64_t)PAGE_SIZE << FRAME_ORDER_MAX)
		return SYSCALL_ERROR(ERR_INVALID_ARGUMENT);
	return install(memory_create(current_account(), size, flags));
}

struct syscall_result sys_memory_create_physical(handle_t handle, uint64_t physical, uint64_t size)
{
	struct resource *resource;
	enum error error = resource_lookup(
		handle, RESOURCE_PHYSICAL, RIGHT_CREATE, physical, size, &resource);

	if (error)
		return SYSCALL_ERROR(error);
	if (!memory_size_valid(size) || physical % PAGE_SIZE != 0 || physical > PHYSICAL_END ||
		size > PHYSICAL_END - physical || frame_range_is_managed(physical, size))
		return SYSCALL_ERROR(ERR_INVALID_ARGUMENT);
	return install(memory_create_physical(current_account(), physical, size));
}

struct syscall_result sys_memory_clone(handle_t handle, uint64_t offset, uint64_t size)
{
	struct memory *parent, *clone = NULL;
	enum error error = memory_find(handle, RIGHT_READ | RIGHT_DUPLICATE, &parent, NULL);
	bool valid;

	if (error)
		return SYSCALL_ERROR(error);
	valid = parent->kind == MEMORY_ANONYMOUS && memory_size_valid(size) && offset % PAGE_SIZE == 0 &&
		offset <= parent->size && size <= parent->size - offset;
	if (valid)
		clone = memory_clone(parent, current_account(), offset, size);
	object_put(&parent->object);
	return valid ? install(clone) : SYSCALL_ERROR(ERR_INVALID_ARGUMENT);
}

struct syscall_result sys_memory_decommit(handle_t handle, uint64_t offset, uint64_t length)
{
	struct memory *memory;
	enum error error = memory_find(handle, RIGHT_WRITE, &memory, NULL);

	if (error)
		return SYSCALL_ERROR(error);
	if (memory->kind != MEMORY_ANONYMOUS || memory->contiguous || (offset | length) % PAGE_SIZE != 0 ||
		offset > memory->size || length > memory->size - offset)
		error = ERR_INVALID_ARGUMENT;
	else
		memory_decommit(memory, offset, offset + length);
	object_put(&memory->object);
	return SYSCALL_ERROR(error);
}

// --- Copies

// Copies a part of one page; the page is pinned while the copy function works.
static enum error copy_out(struct memory *memory, uint64_t offset, uintptr_t buffer, size_t length)
{
	size_t in_page = offset % PAGE_SIZE;
	enum error error;
	paddr_t frame;

	spin_lock(&memory->lock);
	frame = memory_resident_page(memory, offset - in_page);
	if (frame != PADDR_NONE)
		frame_pin(frame);
	spin_unlock(&memory->lock);
	if (frame == PADDR_NONE && memory->pager)
		return ERR_PEER_FAULT;
	if (frame == PADDR_NONE)
		return copy_to_user((void __user *)buffer, zero_page, length);
	error = copy_to_user((void __user *)buffer, (char *)phys_to_virt(frame) + in_page, length);
	frame_unpin(frame);
	return error;
}

static enum error copy_in(struct memory *memory, uint64_t offset, uintptr_t buffer, size_t length)
{
	size_t in_page = offset % PAGE_SIZE;
	enum memory_result result;
	enum error error;
	bool writable;
	paddr_t frame;

	spin_lock(&memory->lock);
	result = memory_get_page(memory, offset - in_page, true, &frame, &writable);
	if (!result)
		frame_pin(frame);
	spin_unlock(&memory->lock);
	if (result)
		return result == MEMORY_MISSING ? ERR_PEER_FAULT : ERR_NO_MEMORY;
	error = copy_from_user((char *)phys_to_virt(frame) + in_page, (const void __user *)buffer, length);
	frame_unpin(frame);
	return error;
}

static enum error copy_range(struct memory *memory, uint64_t offset, uintptr_t buffer, uint64_t length,
	enum error (*copy_part)(struct memory *memory, uint64_t offset, uintptr_t buffer, size_t length))
{
	uint64_t done = 0;

	if (!memory->readable || offset > memory->size || length > memory->size - offset)
		return ERR_INVALID_ARGUMENT;
	if (!user_range_valid(buffer, length))
		return ERR_BAD_ADDRESS;
	for (unsigned pages = 1; done < length; pages++) {
		uint64_t part = PAGE_SIZE - (offset + done) % PAGE_SIZE;
		enum error error;

		if (part > length - done)
			part = length - done;
		error = copy_part(memory, offset + done, buffer + done, part);
		if (error)
			return error;
		done += part;
		if (pages % PAGES_FILLED_PER_STEP != 0)
			continue;
		preemption_point();
		if (thread_is_killed(thread_current()))
			return ERR_CANCELLED;
	}
	return ERR_OK;
}

struct syscall_result sys_memory_read(handle_t handle, uint64_t offset, void __user *buffer, uint64_t length)
{
	struct memory *memory;
	enum error error = memory_find(handle, RIGHT_READ, &memory, NULL);

	if (error)
		return SYSCALL_ERROR(error);
	error = copy_range(memory, offset, (uintptr_t)buffer, length, copy_out);
	object_put(&memory->object);
	return SYSCALL_ERROR(error);
}

struct syscall_result sys_memory_write(
	handle_t handle, uint64_t offset, const void __user *buffer, uint64_t length)
{
	struct memory *memory;
	enum error error = memory_find(handle, RIGHT_WRITE, &memory, NULL);

	if (error)
		return SYSCALL_ERROR(error);
	error = copy_range(memory, offset, (uintptr_t)buffer, length, copy_in);
	object_put(&memory->object);
	return SYSCALL_ERROR(error);
}

struct syscall_result sys_memory_info(handle_t handle, struct memory_info __user *buffer)
{
	struct memory_info info = {0};
	struct memory *memory;
	rights_t rights;
	enum error error = memory_find(handle, RIGHT_READ, &memory, &rights);

	if (error)
		return SYSCALL_ERROR(error);
	spin_lock(&memory->lock);
	info.size = memory->size;
	info.resident = memory->kind == MEMORY_PHYSICAL ? memory->size : memory->resident << PAGE_SHIFT;
	if ((rights & RIGHT_CONTROL) && memory->physical != PADDR_NONE)
		info.physical = memory->physical;
	spin_unlock(&memory->lock);
	object_put(&memory->object);
	return SYSCALL_ERROR(copy_to_user(buffer, &info, sizeof(info)));
}

// SPDX-License-Identifier: MIT
//
// Pagers: memory whose pages a user program supplies. How a page is asked for is in fault.c.

#include <kernel/assert.h>
#include <kernel/cpu.h>
#include <kernel/endpoint.h>
#include <kernel/memory.h>
#include <kernel/process.h>
#include <kernel/syscall.h>

struct syscall_result sys_memory_create_paged(handle_t endpoint, uint64_t size)
{
	struct capability capability;
	struct memory *memory;
	handle_t handle;
	enum error error = capability_lookup(endpoint, OBJECT_ENDPOINT, RIGHT_SEND, &capability);

	if (!error && !memory_size_valid(size))
		error = ERR_INVALID_ARGUMENT;
	if (!error && !object_try_get(capability.object))
		error = ERR_BAD_HANDLE;
	if (error)
		return SYSCALL_ERROR(error);
	memory = memory_create_paged(thread_current()->process->account, size,
		container_of(capability.object, struct endpoint, object), capability.badge, 0);
	object_put(capability.object);
	if (memory == NULL)
		return SYSCALL_ERROR(ERR_NO_MEMORY);
	error = capability_install_new(&memory->object, MEMORY_RIGHTS, &handle);
	return error ? SYSCALL_ERROR(error) : SYSCALL_VALUE(handle);
}

// The memory that a caller's thread waits for with a page of.
static enum error find_waited_for(handle_t reply, struct memory **memory)
{
	struct caller caller;
	enum error error = caller_find(reply, RIGHT_WRITE, &caller);

	if (error)
		return error;
	spin_lock(&caller.thread->lock);
	*memory = thread_is_waiting(caller.thread, caller.wait_number) ? caller.thread->paging : NULL;
	if (*memory)
		object_get(&(*memory)->object);
	spin_unlock(&caller.thread->lock);
	object_put(&caller.thread->object);
	return *memory ? ERR_OK : ERR_GONE;
}

static enum error find_supplied(handle_t handle, struct memory **memory)
{
	enum error error = handle == HANDLE_NONE ? ERR_WRONG_TYPE
						 : memory_find(handle, RIGHT_CONTROL, memory, NULL);

	if (error == ERR_WRONG_TYPE)
		error = find_waited_for(handle, memory);
	return error;
}

// Whether the pages are inside the memory's part of what its pager serves, and inside the source.
static bool ranges_valid(const struct memory *memory, uint64_t offset, const struct memory *source,
	uint64_t source_offset, uint64_t length)
{
	return memory->pager && source->kind == MEMORY_ANONYMOUS && !source->pager &&
		memory_size_valid(length) && (offset | source_offset) % PAGE_SIZE == 0 &&
		offset >= memory->pager_offset && offset - memory->pager_offset <= memory->size &&
		length <= memory->size - (offset - memory->pager_offset) && source_offset <= source->size &&
		length <= source->size - source_offset;
}

// The pages go through a copy-on-write child that nobody knows, so that no two memories are locked at once.
static enum error supply(struct memory *memory, uint64_t offset, struct memory *source,
	uint64_t source_offset, uint64_t length)
{
	struct memory *pages;
	bool done;

	if (!ranges_valid(memory, offset, source, source_offset, length))
		return ERR_INVALID_ARGUMENT;
	pages = memory_clone(source, thread_current()->process->account, source_offset, length);
	if (pages == NULL)
		return ERR_NO_MEMORY;
	done = memory_supply(memory, offset - memory->pager_offset, pages);
	object_put(&pages->object);
	return done ? ERR_OK : ERR_NO_MEMORY;
}

struct syscall_result sys_memory_supply(
	handle_t handle, uint64_t offset, handle_t source_handle, uint64_t source_offset, uint64_t length)
{
	struct memory *memory, *source;
	enum error error = find_supplied(handle, &memory);

	if (error)
		return SYSCALL_ERROR(error);
	error = memory_find(source_handle, RIGHT_READ | RIGHT_DUPLICATE, &source, NULL);
	if (!error) {
		error = supply(memory, offset, source, source_offset, length);
		object_put(&source->object);
	}
	object_put(&memory->object);
	return SYSCALL_ERROR(error);
}

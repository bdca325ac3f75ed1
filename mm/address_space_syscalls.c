// SPDX-License-Identifier: MIT
//
// The system calls on address spaces.

#include <kernel/address_space.h>
#include <kernel/assert.h>
#include <kernel/cpu.h>
#include <kernel/memory.h>
#include <kernel/process.h>
#include <kernel/syscall.h>

#define ADDRESS_SPACE_RIGHTS \
	(RIGHT_READ | RIGHT_WRITE | RIGHT_MAP | RIGHT_CONTROL | RIGHT_DUPLICATE | RIGHT_TRANSFER)

// What may be done with a mapping is what the rights say.
#define MAPPING_RIGHTS (MAPPING_READ | MAPPING_WRITE | MAPPING_EXECUTE)

_Static_assert(MAPPING_READ == RIGHT_READ && MAPPING_WRITE == RIGHT_WRITE && MAPPING_EXECUTE == RIGHT_EXECUTE,
	"rights are access");

// Looks an address space up, HANDLE_SELF being the caller's own, which stays as long as the caller does; another is counted
// until release_space.
static enum error find_space(handle_t handle, rights_t rights, struct address_space **space)
{
	struct capability capability;
	enum error error;

	if (handle == HANDLE_SELF) {
		*space = thread_current()->process->space;
		return ERR_OK;
	}
	error = capability_lookup(handle, OBJECT_ADDRESS_SPACE, rights, &capability);
	if (error)
		return error;
	if (!object_try_get(capability.object))
		return ERR_BAD_HANDLE;
	*space = container_of(capability.object, struct address_space, object);
	return ERR_OK;
}

static void release_space(handle_t handle, struct address_space *space)
{
	if (handle != HANDLE_SELF)
		object_put(&space->object);
}

// Gives the caller a handle to a new space; NULL: there was no memory.
static struct syscall_result install(struct address_space *space)
{
	handle_t handle;
	enum error error;

	if (space == NULL)
		return SYSCALL_ERROR(ERR_NO_MEMORY);
	error = capability_install_new(&space->object, ADDRESS_SPACE_RIGHTS, &handle);
	return error ? SYSCALL_ERROR(error) : SYSCALL_VALUE(handle);
}

struct syscall_result sys_address_space_create(void)
{
	return install(address_space_create(thread_current()->process->account));
}

static enum error map_memory(struct address_space *space, const struct map_request *request, vaddr_t *address)
{
	struct capability_table *table = &thread_current()->process->table;
	bool clears = request->flags & MAPPING_REPLACE; // which may take time: the memory is counted
	struct capability source;
	enum error error = capability_lookup_in(table, request->memory, OBJECT_MEMORY, RIGHT_MAP, &source);

	capability_locate(&source, table, request->memory);
	if (!error && clears)
		error = capability_hold(table, request->memory, &source);
	if (error)
		return error;
	error = address_space_map_through(space, &source, request, source.rights & MAPPING_RIGHTS, address);
	if (clears)
		object_put(source.object);
	return error;
}

struct syscall_result sys_address_space_map(handle_t handle, const struct map_request __user *user_request)
{
	struct address_space *space;
	struct map_request request;
	vaddr_t address = 0;
	enum error error = find_space(handle, RIGHT_MAP, &space);

	if (error)
		return SYSCALL_ERROR(error);
	error = copy_from_user(&request, user_request, sizeof(request));
	if (!error)
		error = request.memory == HANDLE_NONE
			? address_space_map(space, NULL, &request, MAPPING_RIGHTS, &address)
			: map_memory(space, &request, &address);
	release_space(handle, space);
	return error ? SYSCALL_ERROR(error) : SYSCALL_VALUE(address);
}

struct syscall_result sys_address_space_unmap(handle_t handle, uint64_t address, uint64_t length)
{
	struct address_space *space;
	enum error error = find_space(handle, RIGHT_MAP, &space);

	if (error)
		return SYSCALL_ERROR(error);
	error = address_space_unmap(space, address, length);
	release_space(handle, space);
	return SYSCALL_ERROR(error);
}

struct syscall_result sys_address_space_protect(
	handle_t handle, uint64_t address, uint64_t length, uint64_t access)
{
	struct address_space *space;
	enum error error = find_space(handle, RIGHT_MAP, &space);

	if (error)
		return SYSCALL_ERROR(error);
	error = address_space_protect(space, address, length, access);
	release_space(handle, space);
	return SYSCALL_ERROR(error);
}

struct syscall_result sys_address_space_clone(handle_t handle)
{
	struct address_space *space, *clone;
	enum error error = find_space(handle, RIGHT_READ | RIGHT_MAP, &space);

	if (error)
		return SYSCALL_ERROR(error);
	clone = address_space_clone(space, thread_current()->process->account);
	release_space(handle, space);
	return install(clone);
}

// --- Reaching into a space

typedef enum error copy_function(struct address_space *space, vaddr_t address, uintptr_t user_buffer,
	uint64_t length, uint64_t *copied);

static struct syscall_result copy(handle_t handle, rights_t right, uint64_t address, uintptr_t buffer,
	uint64_t length, copy_function *function)
{
	struct address_space *space;
	uint64_t copied = 0;
	enum error error = find_space(handle, right, &space);

	if (error)
		return SYSCALL_ERROR(error);
	if (!user_range_valid(address, length))
		error = ERR_INVALID_ARGUMENT;
	else if (!user_range_valid(buffer, length))
		error = ERR_BAD_ADDRESS;
	else
		error = function(space, address, buffer, length, &copied);
	release_space(handle, space);
	return error ? SYSCALL_ERROR(error) : SYSCALL_VALUE(copied);
}

struct syscall_result sys_address_space_read(
	handle_t handle, uint64_t address, void __user *buffer, uint64_t length)
{
	return copy(handle, RIGHT_READ, address, (uintptr_t)buffer, length, address_space_read);
}

struct syscall_result sys_address_space_write(
	handle_t handle, uint64_t address, const void __user *buffer, uint64_t length)
{
	return copy(handle, RIGHT_WRITE, address, (uintptr_t)buffer, length, address_space_write);
}

struct syscall_result sys_address_space_query(
	handle_t handle, uint64_t address, struct mapping_info __user *buffer)
{
	struct mapping_info info;
	struct address_space *space;
	enum error error = find_space(handle, RIGHT_READ, &space);

	if (error)
		return SYSCALL_ERROR(error);
	error = address_space_query(space, address, &info);
	release_space(handle, space);
	return SYSCALL_ERROR(error ? error : copy_to_user(buffer, &info, sizeof(info)));
}

struct syscall_result sys_address_space_sync_code(handle_t handle, uint64_t address, uint64_t length)
{
	struct address_space *space;
	enum error error = find_space(handle, RIGHT_MAP, &space);

	if (error)
		return SYSCALL_ERROR(error);
	if (user_range_valid(address, length))
		address_space_sync_code(space, address, length);
	else
		error = ERR_INVALID_ARGUMENT;
	release_space(handle, space);
	return SYSCALL_ERROR(error);
}

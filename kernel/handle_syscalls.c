// SPDX-License-Identifier: MIT
//
// System calls on handles.

#include <kernel/capability.h>
#include <kernel/cpu.h>
#include <kernel/process.h>
#include <kernel/syscall.h>

static struct capability_table *own_table(void)
{
	return &thread_current()->process->table;
}

// The rights that a copy is to have: those asked for, if the source has them.
static enum error narrow_rights(const struct capability *source, rights_t asked, rights_t *rights)
{
	*rights = asked == RIGHTS_SAME ? source->rights : asked;
	return (*rights & ~source->rights) ? ERR_NO_RIGHTS : ERR_OK;
}

// Puts a capability derived from what a look-up of `handle` in table `own` found into a table.
static struct syscall_result derive(struct capability_table *table, struct capability_table *own,
	handle_t handle, struct capability *source, rights_t rights, uint64_t badge)
{
	handle_t derived;
	enum error error;

	capability_locate(source, own, handle);
	source->badge = badge;
	error = capability_copy(table, source, rights, &derived);
	return error ? SYSCALL_ERROR(error) : SYSCALL_VALUE(derived);
}

struct syscall_result sys_handle_close(handle_t handle)
{
	return SYSCALL_ERROR(capability_close(own_table(), handle));
}

struct syscall_result sys_handle_duplicate(handle_t handle, rights_t rights)
{
	struct capability_table *own = own_table();
	struct capability source;
	enum error error = capability_lookup_in(own, handle, OBJECT_NONE, RIGHT_DUPLICATE, &source);

	if (!error)
		error = narrow_rights(&source, rights, &rights);
	if (error)
		return SYSCALL_ERROR(error);
	return derive(own, own, handle, &source, rights, source.badge);
}

struct syscall_result sys_handle_mint(handle_t handle, rights_t rights, uint64_t badge)
{
	struct capability source;
	enum error error = capability_lookup(handle, OBJECT_NONE, 0, &source);

	if (!error && source.object->type != OBJECT_ENDPOINT && source.object->type != OBJECT_NOTIFICATION)
		error = ERR_WRONG_TYPE;
	if (!error && !(source.rights & RIGHT_DUPLICATE))
		error = ERR_NO_RIGHTS;
	if (!error)
		error = narrow_rights(&source, rights, &rights);
	if (!error && badge == 0)
		error = ERR_INVALID_ARGUMENT;
	if (!error && source.badge != 0)
		error = ERR_BAD_STATE;
	if (error)
		return SYSCALL_ERROR(error);
	return derive(own_table(), own_table(), handle, &source, rights, badge);
}

static struct handle_info describe(const struct capability *capability)
{
	return (struct handle_info){
		.type = capability->object->type,
		.rights = capability->rights,
		.badge = capability->badge,
		.object_id = capability->object->id,
	};
}

struct syscall_result sys_handle_info(handle_t handle, struct handle_info __user *info)
{
	struct capability capability;
	struct handle_info result;
	enum error error = capability_lookup(handle, OBJECT_NONE, 0, &capability);

	if (error)
		return SYSCALL_ERROR(error);
	result = describe(&capability);
	return SYSCALL_ERROR(copy_to_user(info, &result, sizeof(result)));
}

struct syscall_result sys_handle_next(uint64_t previous, struct handle_info __user *info)
{
	struct capability capability;
	struct handle_info result;
	handle_t next;
	uint64_t index = previous == HANDLE_NONE ? 0 : (uint64_t)(uint32_t)previous + 1;
	enum error error = capability_next(index, &capability, &next);

	if (error)
		return SYSCALL_ERROR(error);
	result = describe(&capability);
	error = copy_to_user(info, &result, sizeof(result));
	return error ? SYSCALL_ERROR(error) : SYSCALL_VALUE(next);
}

struct syscall_result sys_handle_grant(handle_t process_handle, handle_t handle, rights_t rights)
{
	struct capability target, source;
	enum error error = capability_lookup(process_handle, OBJECT_PROCESS, RIGHT_GRANT, &target);

	if (!error)
		error = capability_lookup(handle, OBJECT_NONE, RIGHT_TRANSFER, &source);
	if (!error)
		error = narrow_rights(&source, rights, &rights);
	if (error)
		return SYSCALL_ERROR(error);
	return derive(&container_of(target.object, struct process, object)->table, own_table(), handle,
		&source, rights, source.badge);
}

struct syscall_result sys_handle_revoke(handle_t handle)
{
	return SYSCALL_ERROR(capability_revoke(own_table(), handle));
}

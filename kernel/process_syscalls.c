// SPDX-License-Identifier: MIT
//
// System calls on processes.

#include <kernel/account.h>
#include <kernel/address_space.h>
#include <kernel/cpu.h>
#include <kernel/ipc.h>
#include <kernel/process.h>
#include <kernel/scheduler.h>
#include <kernel/string.h>
#include <kernel/syscall.h>

enum error process_lookup(handle_t handle, rights_t needed, struct process **process)
{
	struct capability capability;
	enum error error;

	if (handle == HANDLE_SELF) {
		*process = thread_current()->process;
		return ERR_OK;
	}
	error = capability_lookup(handle, OBJECT_PROCESS, needed, &capability);
	if (!error)
		*process = container_of(capability.object, struct process, object);
	return error;
}

// Copies a name byte by byte, since no more than what it needs may be readable.
static enum error copy_name(char name[NAME_LENGTH], const char __user *user_name)
{
	for (size_t i = 0; i < NAME_LENGTH; i++) {
		enum error error = copy_from_user(&name[i], user_name + i, 1);

		if (error)
			return error;
		if (name[i] == 0)
			return ERR_OK;
	}
	return ERR_TOO_LONG;
}

struct syscall_result sys_process_create(handle_t account, const char __user *user_name)
{
	struct capability capability;
	struct process *process;
	char name[NAME_LENGTH];
	handle_t handle;
	enum error error;

	error = capability_lookup(account, OBJECT_ACCOUNT, RIGHT_GRANT, &capability);
	if (!error)
		error = copy_name(name, user_name);
	// Again: the copy may have been preempted.
	if (!error)
		error = capability_lookup(account, OBJECT_ACCOUNT, RIGHT_GRANT, &capability);
	if (error)
		return SYSCALL_ERROR(error);
	process = process_create(container_of(capability.object, struct account, object), name);
	if (process == NULL)
		return SYSCALL_ERROR(ERR_NO_MEMORY);
	error = capability_install_new(&process->object, RIGHTS_ALL, &handle);
	return error ? SYSCALL_ERROR(error) : SYSCALL_VALUE(handle);
}

struct syscall_result sys_process_address_space(handle_t handle)
{
	struct address_space *space;
	struct process *process;
	handle_t created;
	enum error error = process_lookup(handle, RIGHT_CONTROL, &process);

	if (error)
		return SYSCALL_ERROR(error);
	space = process_get_space(process);
	if (space == NULL)
		return SYSCALL_ERROR(ERR_BAD_STATE);
	error = capability_install_new(&space->object, RIGHTS_ALL, &created);
	return error ? SYSCALL_ERROR(error) : SYSCALL_VALUE(created);
}

struct syscall_result sys_process_exit(uint64_t status)
{
	process_terminate(thread_current()->process, EXIT_NORMAL, status);
	return SYSCALL_OK;
}

struct syscall_result sys_process_kill(handle_t handle, uint64_t status)
{
	struct process *process;
	enum error error = process_lookup(handle, RIGHT_KILL, &process);

	if (!error && !process_terminate(process, EXIT_KILLED, status))
		error = ERR_BAD_STATE;
	return SYSCALL_ERROR(error);
}

static uint64_t cpu_time_of(struct process *process)
{
	uint64_t time = process->cpu_time;

	list_for_each (node, &process->threads)
		time += container_of(node, struct thread, process_link)->cpu_time;
	return time;
}

void process_describe(struct process *process, struct process_info *info)
{
	*info = (struct process_info){.id = process->object.id};
	memcpy(info->name, process->name, NAME_LENGTH);
	scheduler_charge_all();
	spin_lock(&process->lock);
	info->state = process->state;
	if (process->state == PROCESS_EXITED) {
		info->reason = process->reason;
		info->exit_status = process->exit_status;
	}
	info->thread_count = process->thread_count;
	info->handle_count = process->table.used;
	info->cpu_time = cpu_time_of(process);
	info->pages_resident = process->space ? address_space_resident(process->space) / PAGE_SIZE : 0;
	spin_unlock(&process->lock);
}

struct syscall_result sys_process_info(handle_t handle, struct process_info __user *info)
{
	struct process_info result;
	struct process *process;
	enum error error = process_lookup(handle, RIGHT_READ, &process);

	if (error)
		return SYSCALL_ERROR(error);
	process_describe(process, &result);
	return SYSCALL_ERROR(copy_to_user(info, &result, sizeof(result)));
}

struct syscall_result sys_process_watch(handle_t handle, handle_t notification, uint64_t bits)
{
	struct capability holder, found;
	struct notification *previous;
	struct process *process;
	bool ended;
	enum error error = process_lookup(handle, RIGHT_BIND, &process);

	if (!error)
		error = binding_lookup(notification, bits, &found);
	if (error)
		return SYSCALL_ERROR(error);
	holder = binding_holder(handle, &process->object);
	spin_lock(&process->lock);
	ended = process->state == PROCESS_EXITED;
	previous = ended ? binding_notification(&found)
			 : binding_replace(&process->watch, &process->object, &holder, &found, bits);
	spin_unlock(&process->lock);
	if (ended && previous)
		notification_signal(previous, bits);
	if (previous)
		object_put(&previous->object);
	return SYSCALL_OK;
}

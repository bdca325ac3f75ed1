// SPDX-License-Identifier: MIT
//
// System calls that look into the whole system: its processes and threads, CPUs and objects. Each
// describes one thing; a caller goes through all by id or by index.

#include <kernel/account.h>
#include <kernel/cache.h>
#include <kernel/cpu.h>
#include <kernel/process.h>
#include <kernel/resource.h>
#include <kernel/scheduler.h>
#include <kernel/string.h>
#include <kernel/syscall.h>

static enum error check_system(handle_t system)
{
	struct resource *resource;

	return resource_lookup(system, RESOURCE_SYSTEM, RIGHT_READ, 0, 1, &resource);
}

struct syscall_result sys_system_process(
	handle_t system, uint64_t after, struct process_record __user *record)
{
	struct process_record result;
	struct process *process;
	enum error error = check_system(system);

	if (error)
		return SYSCALL_ERROR(error);
	process = process_next(after);
	if (process == NULL)
		return SYSCALL_ERROR(ERR_NOT_FOUND);
	process_describe(process, &result.process);
	result.account_id = process->account->object.id;
	result.account = account_describe(process->account);
	object_put(&process->object);
	return SYSCALL_ERROR(copy_to_user(record, &result, sizeof(result)));
}

static struct thread *find_thread(uint64_t process_id, uint64_t after)
{
	struct process *process = process_id ? process_next(process_id - 1) : NULL;
	struct thread *thread = NULL;

	if (process == NULL)
		return NULL;
	if (process->object.id == process_id)
		thread = process_next_thread(process, after);
	object_put(&process->object);
	return thread;
}

struct syscall_result sys_system_thread(
	handle_t system, uint64_t process_id, uint64_t after, struct thread_info __user *info)
{
	struct thread_info result;
	struct thread *thread;
	enum error error = check_system(system);

	if (error)
		return SYSCALL_ERROR(error);
	thread = find_thread(process_id, after);
	if (thread == NULL)
		return SYSCALL_ERROR(ERR_NOT_FOUND);
	thread_describe(thread, &result);
	object_put(&thread->object);
	return SYSCALL_ERROR(copy_to_user(info, &result, sizeof(result)));
}

struct syscall_result sys_system_cpu(handle_t system, uint32_t index, struct cpu_info __user *info)
{
	struct cpu_info result;
	const struct cpu *cpu;
	enum error error = check_system(system);

	if (!error && index >= cpu_count)
		error = ERR_NOT_FOUND;
	if (error)
		return SYSCALL_ERROR(error);
	cpu = &cpus[index];
	scheduler_charge_all();
	result = (struct cpu_info){
		.online = cpu->online,
		.idle_time = cpu->idle->cpu_time,
		.context_switches = cpu->context_switches,
		.interrupts = cpu->interrupts,
		.ipis = cpu->ipis,
		.shootdowns = cpu->shootdowns,
	};
	memcpy(result.locks_contended, cpu->locks_contended, sizeof(result.locks_contended));
	return SYSCALL_ERROR(copy_to_user(info, &result, sizeof(result)));
}

struct syscall_result sys_system_object_type(
	handle_t system, uint32_t type, struct object_type_info __user *info)
{
	struct object_type_info result = {0};
	struct object_cache *cache;
	enum error error = check_system(system);

	if (!error && (type == OBJECT_NONE || type >= OBJECT_TYPE_COUNT))
		error = ERR_NOT_FOUND;
	if (error)
		return SYSCALL_ERROR(error);
	cache = object_operations[type]->cache;
	memcpy(result.name, object_operations[type]->name,
		strnlen(object_operations[type]->name, NAME_LENGTH - 1));
	spin_lock(&cache->lock);
	result.live = cache->live;
	result.pages = cache->pages;
	spin_unlock(&cache->lock);
	return SYSCALL_ERROR(copy_to_user(info, &result, sizeof(result)));
}

// SPDX-License-Identifier: MIT
//
// The calls about ids: of processes, threads, groups and sessions.

#include <linux/calls/calls.h>
#include <linux/interface/errors.h>
#include <linux/process/process.h>
#include <linux/process/table.h>

#define ROBUST_LIST_SIZE 24 // bytes of the head that set_robust_list names

int64_t linux_getpid(struct thread *thread)
{
	return thread->process->id;
}

int64_t linux_getppid(struct thread *thread)
{
	pthread_mutex_lock(&process_lock);
	int32_t id = thread->process->parent ? thread->process->parent->id : 0;
	pthread_mutex_unlock(&process_lock);
	return id;
}

int64_t linux_gettid(struct thread *thread)
{
	return thread->id;
}

int64_t linux_set_tid_address(struct thread *thread, guest_address_t address)
{
	thread->clear_tid = address;
	return thread->id;
}

int64_t linux_set_robust_list(struct thread *thread, guest_address_t head, uint64_t length)
{
	if (length != ROBUST_LIST_SIZE)
		return -LINUX_EINVAL;
	thread->robust_list = head;
	return 0;
}

// The process with an id, or the caller's own for 0. process_lock is held.
static struct process *find_process(struct thread *thread, int32_t id)
{
	return id == 0 ? thread->process : id_process(id);
}

// Why a process cannot be put into a group; 0: it can. process_lock is held.
static int64_t check_group(struct thread *thread, const struct process *process, int32_t group)
{
	if (!process || (process != thread->process && process->parent != thread->process))
		return -LINUX_ESRCH;
	if (process != thread->process && process->executed)
		return -LINUX_EACCES;
	if (process->session != thread->process->session || process->session == process->id)
		return -LINUX_EPERM;
	if (group != process->id && process_group_session(group) != process->session)
		return -LINUX_EPERM;
	return 0;
}

int64_t linux_setpgid(struct thread *thread, int32_t id, int32_t group)
{
	if (id < 0 || group < 0)
		return -LINUX_EINVAL;
	pthread_mutex_lock(&process_lock);
	struct process *process = find_process(thread, id);
	if (process && group == 0)
		group = process->id;
	int64_t error = check_group(thread, process, group);
	if (!error) {
		id_use(group);
		id_release(process->group);
		process->group = group;
	}
	pthread_mutex_unlock(&process_lock);
	return error;
}

int64_t linux_getpgid(struct thread *thread, int32_t id)
{
	pthread_mutex_lock(&process_lock);
	const struct process *process = find_process(thread, id);
	int64_t result = process ? process->group : -LINUX_ESRCH;
	pthread_mutex_unlock(&process_lock);
	return result;
}

int64_t linux_getsid(struct thread *thread, int32_t id)
{
	pthread_mutex_lock(&process_lock);
	const struct process *process = find_process(thread, id);
	int64_t result = process ? process->session : -LINUX_ESRCH;
	pthread_mutex_unlock(&process_lock);
	return result;
}

int64_t linux_setsid(struct thread *thread)
{
	struct process *process = thread->process;
	int64_t result = -LINUX_EPERM;

	pthread_mutex_lock(&process_lock);
	if (process->group != process->id && process_group_session(process->id) == 0) {
		id_use(process->id);
		id_use(process->id);
		id_release(process->group);
		id_release(process->session);
		process->group = process->session = process->id;
		result = process->id;
	}
	pthread_mutex_unlock(&process_lock);
	return result;
}

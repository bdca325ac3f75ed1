// SPDX-License-Identifier: MIT
//
// The calls that make, end and wait for processes.

#include <linux/calls/calls.h>
#include <linux/calls/dispatch.h>
#include <linux/files/path.h>
#include <linux/interface/errors.h>
#include <linux/loader/arguments.h>
#include <linux/memory/guest_copy.h>
#include <linux/process/clone.h>
#include <linux/process/execute.h>
#include <linux/process/process.h>
#include <linux/process/signal.h>
#include <linux/process/table.h>
#include <linux/time/clock.h>

#include <stdlib.h>

#define CLONE3_SIZE_MIN 64

int64_t linux_clone3(struct thread *thread, guest_address_t address, uint64_t length)
{
	struct linux_clone_arguments arguments;

	if (length < CLONE3_SIZE_MIN)
		return -LINUX_EINVAL;
	int64_t error = copy_from_guest(thread, &arguments, address, sizeof(arguments));
	if (error)
		return error;
	if ((arguments.stack == 0) != (arguments.stack_size == 0) ||
		arguments.stack + arguments.stack_size < arguments.stack ||
		(arguments.flags & LINUX_CLONE_SIGNAL_MASK))
		return -LINUX_EINVAL;
	return clone_thread(thread,
		&(struct clone_request){
			.flags = arguments.flags,
			.exit_signal = arguments.exit_signal,
			.stack = arguments.stack + arguments.stack_size,
			.parent_tid = arguments.parent_tid,
			.child_tid = arguments.child_tid,
			.tls = arguments.tls,
		});
}

int64_t linux_execveat(struct thread *thread, int32_t directory, guest_address_t address,
	guest_address_t arguments, guest_address_t environment, uint32_t flags)
{
	struct arguments taken;
	struct path path;

	if (flags & ~(uint32_t)LINUX_AT_SYMLINK_NOFOLLOW)
		return -LINUX_EINVAL;
	int64_t result = path_take(thread, directory, address, 0, &path);
	if (result)
		return result;
	result = arguments_take(thread, arguments, environment, &taken);
	if (!result)
		result = execute(thread, &path, &taken);
	arguments_free(&taken);
	path_release(&path);
	return result ? result : CALL_REGISTERS_SET;
}

int64_t linux_execve(
	struct thread *thread, guest_address_t path, guest_address_t arguments, guest_address_t environment)
{
	return linux_execveat(thread, LINUX_AT_FDCWD, path, arguments, environment, 0);
}

int64_t linux_exit_group(struct thread *thread, uint32_t status)
{
	pthread_mutex_lock(&process_lock);
	process_end(thread->process, wait_status_exit(status));
	pthread_mutex_unlock(&process_lock);
	return 0;
}

// The last thread's exit is the process's.
int64_t linux_exit(struct thread *thread, uint32_t status)
{
	pthread_mutex_lock(&process_lock);
	if (thread->process->thread_count == 1)
		process_end(thread->process, wait_status_exit(status));
	else
		thread->ending = true;
	pthread_mutex_unlock(&process_lock);
	return 0;
}

// Which children are waited for.
struct child_choice {
	uint32_t kind; // LINUX_P_*
	int32_t id;
	bool keep; // leave the zombie for another wait
};

// What is told about a child that has ended.
struct ended_child {
	int32_t id;
	uint32_t status;
	uint32_t user;
	uint64_t cpu_time;
};

static bool is_chosen(const struct process *child, const struct child_choice *choice)
{
	switch (choice->kind) {
	case LINUX_P_PID:
		return child->id == choice->id;
	case LINUX_P_PGID:
		return child->group == choice->id;
	default:
		return true;
	}
}

// Looks for an ended child: its id, -LINUX_EAGAIN: none yet, -LINUX_ECHILD: there is none to wait for.
// process_lock is held.
static int64_t look_for_child(
	struct process *parent, const struct child_choice *choice, struct ended_child *ended)
{
	int64_t result = -LINUX_ECHILD;

	list_for_each_safe (node, &parent->children) {
		struct process *child = list_entry(node, struct process, sibling);

		if (!is_chosen(child, choice))
			continue;
		if (child->zombie) {
			uint64_t used = child->usage.cpu_time + child->usage.children_time;

			*ended = (struct ended_child){
				child->id, child->wait_status, child->credentials.real_user, used};
			if (!choice->keep) {
				parent->usage.children_time += used;
				process_reap(child);
			}
			return ended->id;
		}
		result = -LINUX_EAGAIN;
	}
	return result;
}

// The id of a child that has ended; 0: none has, and `wait` is false.
static int64_t wait_for_child(
	struct thread *thread, const struct child_choice *choice, bool wait, struct ended_child *ended)
{
	struct wait_entry entry;
	int64_t result;

	wait_join(&entry, thread, &thread->process->child_ended);
	for (;;) {
		pthread_mutex_lock(&process_lock);
		result = look_for_child(thread->process, choice, ended);
		pthread_mutex_unlock(&process_lock);
		if (result != -LINUX_EAGAIN)
			break;
		result = wait ? wait_sleep(thread, DEADLINE_NEVER) : 0;
		if (result || !wait)
			break;
	}
	wait_leave(&entry);
	return result;
}

static int64_t give_usage(struct thread *thread, guest_address_t address, uint64_t cpu_time)
{
	struct linux_rusage usage = {
		.user_time = {time_seconds(cpu_time), time_nanoseconds(cpu_time) / 1000},
	};

	return address != 0 ? copy_to_guest(thread, address, &usage, sizeof(usage)) : 0;
}

static struct child_choice choose_by_wait4(struct thread *thread, int32_t process)
{
	if (process > 0)
		return (struct child_choice){.kind = LINUX_P_PID, .id = process};
	if (process == -1)
		return (struct child_choice){.kind = LINUX_P_ALL};
	return (struct child_choice){
		.kind = LINUX_P_PGID, .id = process == 0 ? thread->process->group : -process};
}

int64_t linux_wait4(struct thread *thread, int32_t process, guest_address_t status, uint32_t options,
	guest_address_t usage)
{
	struct ended_child ended;

	if (options & ~(uint32_t)LINUX_WAIT_KNOWN)
		return -LINUX_EINVAL;
	if (process == INT32_MIN)
		return -LINUX_ESRCH;
	struct child_choice choice = choose_by_wait4(thread, process);
	int64_t result = wait_for_child(thread, &choice, !(options & LINUX_WNOHANG), &ended);
	if (result <= 0)
		return result;
	if (status != 0 && copy_to_guest(thread, status, &ended.status, sizeof(ended.status)))
		return -LINUX_EFAULT;
	return give_usage(thread, usage, ended.cpu_time) ? -LINUX_EFAULT : result;
}

static struct linux_signal_information describe_child(const struct ended_child *ended)
{
	uint32_t signal = ended->status & 0x7f;
	struct signal_cause cause = {
		.code = signal ? LINUX_CLD_KILLED : LINUX_CLD_EXITED,
		.process = ended->id,
		.user = ended->user,
		.status = (int32_t)(signal ? signal : ended->status >> 8),
	};

	return signal_describe(LINUX_SIGCHLD, &cause);
}

int64_t linux_waitid(struct thread *thread, uint32_t kind, int32_t id, guest_address_t information,
	uint32_t options, guest_address_t usage)
{
	struct child_choice choice = {.kind = kind, .id = id, .keep = options & LINUX_WNOWAIT};
	struct linux_signal_information description = {0};
	struct ended_child ended;

	if ((options & ~(uint32_t)LINUX_WAIT_KNOWN) ||
		!(options & (LINUX_WEXITED | LINUX_WUNTRACED | LINUX_WCONTINUED)) || kind > LINUX_P_PGID ||
		(kind != LINUX_P_ALL && id < 0))
		return -LINUX_EINVAL;
	if (kind == LINUX_P_PGID && id == 0)
		choice.id = thread->process->group;
	int64_t result = wait_for_child(thread, &choice, !(options & LINUX_WNOHANG), &ended);
	if (result < 0)
		return result;
	if (result > 0)
		description = describe_child(&ended);
	if (information != 0 && copy_to_guest(thread, information, &description, sizeof(description)))
		return -LINUX_EFAULT;
	return result > 0 ? give_usage(thread, usage, ended.cpu_time) : 0;
}

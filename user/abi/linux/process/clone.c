// SPDX-License-Identifier: MIT
//
// Cloning threads: each flag says of one thing whether it is shared or copied.

#include <linux/process/clone.h>

#include <linux/files/table.h>
#include <linux/files/view.h>
#include <linux/interface/errors.h>
#include <linux/memory/guest_copy.h>
#include <linux/memory/memory.h>
#include <linux/process/signal.h>
#include <linux/process/thread.h>

#include <runtime/system_calls.h>
#include <stdlib.h>

#define FLAGS_KNOWN                                                                                         \
	(LINUX_CLONE_VM | LINUX_CLONE_FS | LINUX_CLONE_FILES | LINUX_CLONE_SIGHAND | LINUX_CLONE_VFORK |    \
		LINUX_CLONE_THREAD | LINUX_CLONE_SYSVSEM | LINUX_CLONE_SETTLS | LINUX_CLONE_PARENT_SETTID | \
		LINUX_CLONE_CHILD_CLEARTID | LINUX_CLONE_DETACHED | LINUX_CLONE_CHILD_SETTID)

static int64_t check_request(const struct clone_request *request)
{
	uint64_t flags = request->flags;

	if (flags & LINUX_CLONE_NEW_NAMESPACES)
		return -LINUX_EPERM;
	if ((flags & ~(uint64_t)FLAGS_KNOWN) || request->exit_signal > LINUX_SIGNAL_COUNT)
		return -LINUX_EINVAL;
	if ((flags & LINUX_CLONE_THREAD) && !(flags & LINUX_CLONE_SIGHAND))
		return -LINUX_EINVAL;
	if ((flags & LINUX_CLONE_SIGHAND) && !(flags & LINUX_CLONE_VM))
		return -LINUX_EINVAL;
	if ((flags & LINUX_CLONE_SETTLS) && request->tls >= GUEST_ADDRESS_END)
		return -LINUX_EPERM;
	return 0;
}

// What the threads of a process share anyway. -LINUX_ENOMEM.
static int64_t give_process(struct process *parent, struct process *child, uint64_t flags)
{
	struct guest_memory *memory = flags & LINUX_CLONE_VM ? guest_memory_share(parent->memory)
							     : guest_memory_clone(parent->memory);
	struct signal_actions *actions = flags & LINUX_CLONE_SIGHAND ? signal_actions_share(parent->actions)
								     : signal_actions_copy(parent->actions);

	pthread_mutex_lock(&process_lock);
	child->memory = memory;
	child->actions = actions;
	pthread_mutex_unlock(&process_lock);
	return memory && actions ? 0 : -LINUX_ENOMEM;
}

static int64_t give_files(struct thread *parent, struct thread *child, uint64_t flags)
{
	struct file_table *files = flags & LINUX_CLONE_FILES ? file_table_share(parent->files)
							     : file_table_copy(parent->files);
	struct file_view *view = flags & LINUX_CLONE_FS ? file_view_share(parent->view)
							: file_view_copy(parent->view);

	pthread_mutex_lock(&process_lock);
	child->files = files;
	child->view = view;
	pthread_mutex_unlock(&process_lock);
	return files && view ? 0 : -LINUX_ENOMEM;
}

static int64_t give_fpu_state(struct thread *child)
{
	if (thread_read_fpu(NULL, 0, &child->fpu_state_size) != ERR_OK)
		return -LINUX_ENOMEM;
	child->fpu_state = malloc(child->fpu_state_size);
	if (!child->fpu_state)
		return -LINUX_ENOMEM;
	return thread_read_fpu(child->fpu_state, child->fpu_state_size, &child->fpu_state_size) == ERR_OK
		? 0
		: -LINUX_ENOMEM;
}

static int64_t give_ids(struct thread *thread, struct thread *child, const struct clone_request *request)
{
	if (request->flags & LINUX_CLONE_CHILD_CLEARTID)
		child->clear_tid = request->child_tid;
	if ((request->flags & LINUX_CLONE_PARENT_SETTID) &&
		copy_to_guest(thread, request->parent_tid, &child->id, sizeof(child->id)))
		return -LINUX_EFAULT;
	if ((request->flags & LINUX_CLONE_CHILD_SETTID) &&
		copy_to_guest(child, request->child_tid, &child->id, sizeof(child->id)))
		return -LINUX_EFAULT;
	return 0;
}

static void give_registers(
	const struct thread *thread, const struct clone_request *request, struct registers *registers)
{
	*registers = thread->state->registers;
	guest_set_result(registers, 0);
	if (request->stack != 0)
		guest_set_stack_pointer(registers, request->stack);
	if (request->flags & LINUX_CLONE_SETTLS)
		guest_set_thread_pointer(registers, request->tls);
}

static void link_vfork(struct thread *parent, struct process *child)
{
	pthread_mutex_lock(&process_lock);
	parent->vfork_child = child;
	child->vfork_parent = parent;
	pthread_mutex_unlock(&process_lock);
}

static bool vfork_child_runs(struct thread *thread)
{
	pthread_mutex_lock(&process_lock);
	bool runs = thread->vfork_child;
	pthread_mutex_unlock(&process_lock);
	return runs;
}

static void unlink_vfork(struct thread *thread)
{
	pthread_mutex_lock(&process_lock);
	if (thread->vfork_child)
		process_release_vfork(thread->vfork_child);
	pthread_mutex_unlock(&process_lock);
}

// Ends early only where the thread itself has to end.
static void wait_for_vfork(struct thread *thread)
{
	while (vfork_child_runs(thread)) {
		if (wait_sleep(thread, DEADLINE_NEVER))
			unlink_vfork(thread);
	}
}

static int64_t prepare_child(struct thread *thread, struct thread *child, const struct clone_request *request)
{
	int64_t error = 0;

	if (!(request->flags & LINUX_CLONE_THREAD))
		error = give_process(thread->process, child->process, request->flags);
	if (!error)
		error = give_files(thread, child, request->flags);
	if (!error)
		error = give_fpu_state(child);
	if (!error)
		error = give_ids(thread, child, request);
	child->signal_stack.flags = LINUX_SS_DISABLE;
	if (!(request->flags & LINUX_CLONE_VM) || (request->flags & LINUX_CLONE_VFORK))
		child->signal_stack = thread->signal_stack;
	return error;
}

int64_t clone_thread(struct thread *thread, const struct clone_request *request)
{
	struct registers registers;
	int64_t error = check_request(request);

	if (error)
		return error;
	struct thread *child = request->flags & LINUX_CLONE_THREAD
		? process_create_thread(thread)
		: process_create_child(thread, (int32_t)request->exit_signal);
	if (!child)
		return -LINUX_EAGAIN;
	int32_t id = child->id;
	error = prepare_child(thread, child, request);
	if (!error && (request->flags & LINUX_CLONE_VFORK))
		link_vfork(thread, child->process);
	give_registers(thread, request, &registers);
	if (!error && !thread_start(child, &registers))
		error = -LINUX_EAGAIN;
	if (error) {
		unlink_vfork(thread);
		process_discard(child);
		return error;
	}
	if (request->flags & LINUX_CLONE_VFORK)
		wait_for_vfork(thread);
	return id;
}

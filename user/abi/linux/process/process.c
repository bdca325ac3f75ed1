// SPDX-License-Identifier: MIT
//
// Processes and threads come and go: creation, ending, adoption, reaping.

#include <linux/process/process.h>

#include <linux/files/table.h>
#include <linux/files/view.h>
#include <linux/interface/errors.h>
#include <linux/interface/files.h>
#include <linux/memory/guest_copy.h>
#include <linux/memory/memory.h>
#include <linux/process/futex.h>
#include <linux/process/native.h>
#include <linux/process/session.h>
#include <linux/process/signal.h>
#include <linux/process/table.h>

#include <assert.h>
#include <runtime/system_calls.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

pthread_mutex_t process_lock = PTHREAD_MUTEX_INITIALIZER;

static struct process *first;  // of the session; NULL: it has ended
static unsigned process_count; // zombies included

static const struct linux_rlimit initial_limits[LINUX_RLIMIT_COUNT] = {
	[LINUX_RLIMIT_CPU] = {LINUX_RLIM_INFINITY, LINUX_RLIM_INFINITY},
	[LINUX_RLIMIT_FSIZE] = {LINUX_RLIM_INFINITY, LINUX_RLIM_INFINITY},
	[LINUX_RLIMIT_DATA] = {LINUX_RLIM_INFINITY, LINUX_RLIM_INFINITY},
	[LINUX_RLIMIT_STACK] = {MEMORY_STACK_SIZE, LINUX_RLIM_INFINITY},
	[LINUX_RLIMIT_CORE] = {0, LINUX_RLIM_INFINITY},
	[LINUX_RLIMIT_RSS] = {LINUX_RLIM_INFINITY, LINUX_RLIM_INFINITY},
	[LINUX_RLIMIT_NPROC] = {ID_LIMIT, ID_LIMIT},
	[LINUX_RLIMIT_NOFILE] = {LINUX_OPEN_MAX, FILE_TABLE_MAX},
	[LINUX_RLIMIT_MEMLOCK] = {LINUX_RLIM_INFINITY, LINUX_RLIM_INFINITY},
	[LINUX_RLIMIT_AS] = {LINUX_RLIM_INFINITY, LINUX_RLIM_INFINITY},
	[LINUX_RLIMIT_LOCKS] = {LINUX_RLIM_INFINITY, LINUX_RLIM_INFINITY},
	[LINUX_RLIMIT_SIGPENDING] = {ID_LIMIT, ID_LIMIT},
	[LINUX_RLIMIT_MSGQUEUE] = {819200, 819200},
	[LINUX_RLIMIT_RTTIME] = {LINUX_RLIM_INFINITY, LINUX_RLIM_INFINITY},
};

// Puts a new thread into its process under a new id. process_lock is held; false: no id is left.
static bool thread_enter_process(struct thread *thread, struct process *process)
{
	thread->id = id_allocate();
	if (thread->id == 0)
		return false;
	id_set_thread(thread->id, thread);
	thread->first_id = thread->id;
	id_use(thread->first_id);
	thread->process = process;
	list_append(&process->threads, &thread->link);
	process->thread_count++;
	return true;
}

static void thread_leave_process(struct thread *thread)
{
	list_remove(&thread->link);
	thread->process->thread_count--;
	id_set_thread(thread->id, NULL);
	id_release(thread->id);
	id_release(thread->first_id);
}

// A process with one thread, its id in use for both. process_lock is held.
static struct thread *new_process(void)
{
	struct process *process = calloc(1, sizeof(*process));
	struct thread *thread = calloc(1, sizeof(*thread));

	if (!process || !thread)
		goto fail;
	list_init(&process->children);
	list_init(&process->sibling);
	list_init(&process->threads);
	wait_queue_init(&process->child_ended);
	if (!thread_enter_process(thread, process))
		goto fail;
	process->id = thread->id;
	id_use(process->id);
	id_set_process(process->id, process);
	process_count++;
	clock_get(&process->start_time);
	return thread;
fail:
	free(process);
	free(thread);
	return NULL;
}

struct thread *process_create_first(void)
{
	pthread_mutex_lock(&process_lock);
	assert(!first && process_count == 0);
	struct thread *thread = new_process();
	if (thread) {
		first = thread->process;
		first->group = first->session = first->id;
		id_use(first->group);
		id_use(first->session);
		memcpy(first->limits, initial_limits, sizeof(initial_limits));
	}
	pthread_mutex_unlock(&process_lock);
	return thread;
}

// What a new thread has of the one that creates it.
static void thread_inherit(struct thread *thread, const struct thread *creator)
{
	thread->signals_blocked = atomic_load(&creator->signals_blocked);
	memcpy(thread->name, creator->name, sizeof(thread->name));
}

struct thread *process_create_child(struct thread *parent, int32_t exit_signal)
{
	pthread_mutex_lock(&process_lock);
	struct thread *thread = parent->process->ending ? NULL : new_process();
	if (thread) {
		struct process *child = thread->process;

		child->parent = parent->process;
		list_append(&child->parent->children, &child->sibling);
		child->exit_signal = exit_signal;
		child->group = child->parent->group;
		child->session = child->parent->session;
		id_use(child->group);
		id_use(child->session);
		child->credentials = child->parent->credentials;
		memcpy(child->limits, child->parent->limits, sizeof(child->limits));
		thread_inherit(thread, parent);
	}
	pthread_mutex_unlock(&process_lock);
	return thread;
}

struct thread *process_create_thread(struct thread *creator)
{
	struct thread *thread = calloc(1, sizeof(*thread));

	if (!thread)
		return NULL;
	thread_inherit(thread, creator);
	pthread_mutex_lock(&process_lock);
	bool entered = !thread_interrupted(creator) && thread_enter_process(thread, creator->process);
	pthread_mutex_unlock(&process_lock);
	if (!entered) {
		free(thread);
		return NULL;
	}
	return thread;
}

void process_reap(struct process *process)
{
	assert(list_empty(&process->threads) && list_empty(&process->children));
	list_remove(&process->sibling);
	id_set_process(process->id, NULL);
	id_release(process->id);
	id_release(process->group);
	id_release(process->session);
	process_count--;
	free(process);
}

static void thread_free(struct thread *thread)
{
	if (thread->files)
		file_table_release(thread->files);
	if (thread->view)
		file_view_release(thread->view);
	native_end(thread->native_program);
	free(thread->fpu_state);
	free(thread);
}

void process_discard(struct thread *thread)
{
	struct process *process = thread->process;
	struct guest_memory *memory = NULL;
	struct signal_actions *actions = NULL;

	pthread_mutex_lock(&process_lock);
	thread_leave_process(thread);
	if (process->thread_count == 0) {
		memory = process->memory;
		actions = process->actions;
		first = process == first ? NULL : first;
		process_reap(process);
	}
	pthread_mutex_unlock(&process_lock);
	if (memory)
		guest_memory_release(memory);
	if (actions)
		signal_actions_release(actions);
	thread_free(thread);
}

bool thread_ends(struct thread *thread)
{
	struct thread *sole = atomic_load(&thread->process->sole);

	return thread->ending || atomic_load(&thread->process->ending) || (sole && sole != thread);
}

bool thread_interrupted(struct thread *thread)
{
	return thread_ends(thread) || signal_wakes(thread);
}

void thread_interrupt(struct thread *thread)
{
	wait_wake_thread(thread);
	if (thread->native != HANDLE_NONE)
		guest_kick(thread->native);
}

static void interrupt_others(struct process *process, const struct thread *but)
{
	list_for_each (node, &process->threads) {
		struct thread *thread = list_entry(node, struct thread, link);

		if (thread != but)
			thread_interrupt(thread);
	}
}

void process_end(struct process *process, uint32_t wait_status)
{
	if (process->ending)
		return;
	process->wait_status = wait_status;
	atomic_store(&process->ending, true);
	interrupt_others(process, NULL);
}

int64_t process_single_thread(struct thread *thread)
{
	struct process *process = thread->process;
	int64_t result = 0;

	pthread_mutex_lock(&process_lock);
	if (process->sole || process->ending) {
		pthread_mutex_unlock(&process_lock);
		return -LINUX_EINTR;
	}
	process->sole = thread;
	interrupt_others(process, thread);
	while (process->thread_count > 1 && result == 0) {
		pthread_mutex_unlock(&process_lock);
		result = wait_sleep(thread, DEADLINE_NEVER);
		pthread_mutex_lock(&process_lock);
	}
	process->sole = NULL;
	// The one that is left has the process's own id from now on.
	if (result == 0 && thread->id != process->id) {
		id_set_thread(thread->id, NULL);
		id_release(thread->id);
		thread->id = process->id;
		id_use(thread->id);
		id_set_thread(thread->id, thread);
	}
	pthread_mutex_unlock(&process_lock);
	return result;
}

struct group_search {
	int32_t group;
	int32_t session;
};

static bool look_at_group(struct process *process, void *context)
{
	struct group_search *search = context;

	if (process->group == search->group)
		search->session = process->session;
	return search->session == 0;
}

int32_t process_group_session(int32_t group)
{
	struct group_search search = {.group = group};

	id_each_process(look_at_group, &search);
	return search.session;
}

void process_release_vfork(struct process *process)
{
	struct thread *parent = process->vfork_parent;

	if (!parent)
		return;
	parent->vfork_child = NULL;
	process->vfork_parent = NULL;
	wait_wake_thread(parent);
}

static uint64_t native_cpu_time(handle_t native)
{
	struct thread_info info;

	return thread_info(native, &info) == ERR_OK ? info.cpu_time : 0;
}

uint64_t process_cpu_time(struct process *process)
{
	uint64_t total = process->usage.cpu_time;

	list_for_each (node, &process->threads)
		total += native_cpu_time(list_entry(node, struct thread, link)->native);
	return total;
}

// Gives the children of a process that ends to the first one, or to nobody.
static void adopt_children(struct process *process)
{
	struct process *adopter = process == first ? NULL : first;

	list_for_each_safe (node, &process->children) {
		struct process *child = list_entry(node, struct process, sibling);

		list_remove(&child->sibling);
		child->parent = adopter;
		if (adopter) {
			list_append(&adopter->children, &child->sibling);
			if (child->zombie)
				signal_child_ended(child);
		} else if (child->zombie) {
			process_reap(child);
		}
	}
}

static bool kill_process(struct process *process, void *context)
{
	(void)context;
	process_end(process, wait_status_signal(LINUX_SIGKILL));
	return true;
}

// The end of a process's last thread. What it had is given back before anybody can learn that it ended.
static void process_finish(struct process *process)
{
	pthread_mutex_lock(&process_lock);
	struct guest_memory *memory = process->memory;
	struct signal_actions *actions = process->actions;
	process->memory = NULL;
	process->actions = NULL;
	pthread_mutex_unlock(&process_lock);
	guest_memory_release(memory);
	signal_actions_release(actions);

	pthread_mutex_lock(&process_lock);
	process->zombie = true;
	process_release_vfork(process);
	adopt_children(process);
	if (process == first) {
		session_set_status(process->wait_status);
		first = NULL;
		id_each_process(kill_process, NULL);
	}
	if (!process->parent || !signal_child_ended(process))
		process_reap(process);
	bool session_ended = process_count == 0;
	pthread_mutex_unlock(&process_lock);
	if (session_ended)
		session_finish();
}

// Tells a guest's thread library that the thread has ended.
static void clear_tid(struct thread *thread)
{
	static const uint32_t zero;

	if (thread->clear_tid != 0 && copy_to_guest(thread, thread->clear_tid, &zero, sizeof(zero)) == 0)
		futex_wake_guest(thread, thread->clear_tid, 1);
}

void process_leave(struct thread *thread)
{
	struct process *process = thread->process;

	futex_release_robust(thread);
	clear_tid(thread);
	file_table_release(thread->files);
	file_view_release(thread->view);
	thread->files = NULL;
	thread->view = NULL;

	pthread_mutex_lock(&process_lock);
	if (thread->vfork_child)
		thread->vfork_child->vfork_parent = NULL;
	process->usage.cpu_time += native_cpu_time(HANDLE_SELF);
	thread_leave_process(thread);
	bool last = process->thread_count == 0;
	if (!last && process->sole)
		wait_wake_thread(process->sole);
	pthread_mutex_unlock(&process_lock);
	thread_free(thread);
	if (last)
		process_finish(process);
}

// SPDX-License-Identifier: MIT
//
// Processes: how they are made and how they end.

#include <kernel/account.h>
#include <kernel/address_space.h>
#include <kernel/assert.h>
#include <kernel/cache.h>
#include <kernel/cpu.h>
#include <kernel/ipc.h>
#include <kernel/process.h>
#include <kernel/scheduler.h>
#include <kernel/string.h>
#include <kernel/thread.h>

static struct object_cache process_cache = OBJECT_CACHE_INITIALIZER(process_cache, "process", struct process);

static struct spinlock list_lock = SPINLOCK_INITIALIZER(RANK_PROCESS_LIST);
static struct list_node processes = LIST_INITIALIZER(processes);

struct process *process_create(struct account *account, const char *name)
{
	struct process *process = object_create(OBJECT_PROCESS, account);

	if (process == NULL)
		return NULL;
	spin_init(&process->lock, RANK_PROCESS);
	list_init(&process->threads);
	list_init(&process->link);
	binding_init(&process->watch);
	process->account = account;
	memcpy(process->name, name, strnlen(name, NAME_LENGTH - 1));
	process->space = address_space_create(account);
	if (process->space == NULL || !capability_table_init(&process->table, account)) {
		object_put(&process->object);
		return NULL;
	}
	process->space->of_process = true;
	spin_lock(&list_lock);
	list_push_back(&processes, &process->link);
	spin_unlock(&list_lock);
	return process;
}

void process_for_each(void (*visit)(struct process *process, void *context), void *context)
{
	spin_lock(&list_lock);
	list_for_each (node, &processes)
		visit(container_of(node, struct process, link), context);
	spin_unlock(&list_lock);
}

struct process *process_next(uint64_t after)
{
	struct process *next = NULL;

	spin_lock(&list_lock);
	list_for_each (node, &processes) {
		struct process *process = container_of(node, struct process, link);

		if (process->object.id <= after || (next && process->object.id > next->object.id) ||
			!object_try_get(&process->object))
			continue;
		if (next)
			object_put(&next->object);
		next = process;
	}
	spin_unlock(&list_lock);
	return next;
}

struct address_space *process_get_space(struct process *process)
{
	struct address_space *space = NULL;

	spin_lock(&process->lock);
	if (!process->exiting) {
		space = process->space;
		object_get(&space->object);
	}
	spin_unlock(&process->lock);
	return space;
}

// --- Threads

enum error process_add_thread(struct process *process, struct thread *thread)
{
	enum error error = ERR_BAD_STATE;

	spin_lock(&process->lock);
	if (!process->exiting) {
		object_get(&process->object);
		thread->process = process;
		thread->space = process->space;
		// The one that keeps it while it runs.
		object_get(&thread->object);
		list_push_back(&process->threads, &thread->process_link);
		process->thread_count++;
		process->state = PROCESS_RUNNING;
		error = ERR_OK;
	}
	spin_unlock(&process->lock);
	return error;
}

void process_remove_thread(struct thread *thread)
{
	struct process *process = thread->process;
	bool is_last;

	if (scheduler_is_payer(thread))
		scheduler_charge(thread);
	spin_lock(&process->lock);
	list_remove(&thread->process_link);
	process->cpu_time += thread->cpu_time;
	is_last = --process->thread_count == 0;
	if (is_last && !process->exiting) {
		process->exiting = true;
		process->reason = EXIT_NORMAL;
		process->exit_status = thread->exit_status;
	}
	spin_unlock(&process->lock);
	if (is_last)
		process_finish(process);
}

// The next thread in turn, counted; the list goes round.
static struct thread *next_thread(struct process *process)
{
	struct list_node *node;
	struct thread *thread = NULL;

	spin_lock(&process->lock);
	node = list_pop_front(&process->threads);
	if (node) {
		thread = container_of(node, struct thread, process_link);
		list_push_back(&process->threads, node);
		object_get(&thread->object);
	}
	spin_unlock(&process->lock);
	return thread;
}

struct thread *process_next_thread(struct process *process, uint64_t after)
{
	struct thread *next = NULL;

	spin_lock(&process->lock);
	list_for_each (node, &process->threads) {
		struct thread *thread = container_of(node, struct thread, process_link);

		if (thread->object.id > after && (next == NULL || thread->object.id < next->object.id))
			next = thread;
	}
	if (next)
		object_get(&next->object);
	spin_unlock(&process->lock);
	return next;
}

// --- The end

bool process_terminate(struct process *process, enum exit_reason reason, uint64_t status)
{
	unsigned count;
	bool first;

	if (!object_try_get(&process->object))
		return false;
	spin_lock(&process->lock);
	first = !process->exiting;
	count = process->thread_count;
	if (first) {
		process->exiting = true;
		process->reason = reason;
		process->exit_status = status;
	}
	spin_unlock(&process->lock);
	if (first && count == 0)
		process_finish(process);
	// Threads only leave from now on, so as many turns reach all of them.
	for (; first && count > 0; count--) {
		struct thread *thread = next_thread(process);

		if (thread == NULL)
			break;
		thread_kill(thread, status);
		object_put(&thread->object);
		preemption_point();
	}
	object_put(&process->object);
	return first;
}

static void release_space(struct process *process)
{
	struct address_space *space;

	spin_lock(&process->lock);
	space = process->space;
	process->space = NULL;
	spin_unlock(&process->lock);
	if (space == NULL)
		return;
	// The last thread may have been here when it was preempted, and come back with its space loaded.
	address_space_switch(thread_space(thread_current()));
	address_space_destroy(space);
	object_put(&space->object);
}

void process_finish(struct process *process)
{
	ASSERT_NO_LOCKS_HELD();
	assert(process->exiting && process->thread_count == 0);
	capability_table_destroy(&process->table);
	release_space(process);
	spin_lock(&process->lock);
	process->state = PROCESS_EXITED;
	spin_unlock(&process->lock);
	binding_signal(&process->watch);
	binding_end(&process->watch, &process->object);
}

// Nobody knows it any more: it has ended, or never had a thread.
static void destroy(struct object *object)
{
	struct process *process = container_of(object, struct process, object);

	assert(process->thread_count == 0);
	process->exiting = true;
	if (process->state != PROCESS_EXITED)
		process_finish(process);
	spin_lock(&list_lock);
	list_remove(&process->link);
	spin_unlock(&list_lock);
}

const struct object_operations process_operations = {
	.name = "process",
	.cache = &process_cache,
	.revoke_kept = binding_revoke_kept,
	.destroy = destroy,
};

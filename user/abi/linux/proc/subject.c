// SPDX-License-Identifier: MIT
//
// Copies of processes for /proc.

#include <linux/proc/subject.h>

#include <linux/files/table.h>
#include <linux/files/view.h>
#include <linux/memory/memory.h>
#include <linux/process/table.h>

#include <runtime/system_calls.h>
#include <string.h>

static char state_of(const struct thread *thread)
{
	struct thread_info info;

	if (thread->native == HANDLE_NONE || thread_info(thread->native, &info) != ERR_OK)
		return 'R';
	return info.state == THREAD_BLOCKED || info.state == THREAD_SLEEPING ? 'S' : 'R';
}

// What it has, of a thread that speaks for the others. process_lock is held.
static void take_references(
	struct subject *subject, const struct process *process, const struct thread *thread)
{
	subject->state = state_of(thread);
	memcpy(subject->name, thread->name, sizeof(subject->name));
	if (process->memory)
		subject->memory = guest_memory_share(process->memory);
	if (thread->files)
		subject->files = file_table_share(thread->files);
	if (thread->view)
		subject->view = file_view_share(thread->view);
}

static void take_fields(struct subject *subject, struct process *process)
{
	*subject = (struct subject){
		.id = process->id,
		.parent = process->parent ? process->parent->id : 0,
		.group = process->group,
		.session = process->session,
		.state = 'Z',
		.threads = process->thread_count,
		.cpu_time = process_cpu_time(process),
		.children_time = process->usage.children_time,
		.start_time = process->start_time,
		.credentials = process->credentials,
	};
	if (!list_empty(&process->threads))
		take_references(subject, process, list_entry(process->threads.next, struct thread, link));
}

bool subject_take(int32_t id, struct subject *subject)
{
	pthread_mutex_lock(&process_lock);
	struct process *process = id_process(id);
	if (process)
		take_fields(subject, process);
	pthread_mutex_unlock(&process_lock);
	return process;
}

void subject_release(struct subject *subject)
{
	if (subject->memory)
		guest_memory_release(subject->memory);
	if (subject->files)
		file_table_release(subject->files);
	if (subject->view)
		file_view_release(subject->view);
}

bool subject_exists(int32_t id)
{
	pthread_mutex_lock(&process_lock);
	bool exists = id_process(id);
	pthread_mutex_unlock(&process_lock);
	return exists;
}

// SPDX-License-Identifier: MIT
//
// Executing programs: everything that can fail comes first, then the old program is gone.

#include <linux/process/execute.h>

#include <linux/files/table.h>
#include <linux/interface/errors.h>
#include <linux/memory/memory.h>
#include <linux/process/futex.h>
#include <linux/process/signal.h>
#include <linux/process/thread.h>

#include <runtime/system_calls.h>
#include <string.h>

// Puts the new memory in the place of the old.
static void replace_memory(struct process *process, struct guest_memory *memory)
{
	pthread_mutex_lock(&process_lock);
	struct guest_memory *old = process->memory;
	process->memory = memory;
	process->executed = true;
	process_release_vfork(process);
	pthread_mutex_unlock(&process_lock);
	guest_memory_release(old);
}

// Handlers are gone with the old program. Actions that are shared with another process stay as they are
// there.
static int64_t reset_actions(struct process *process)
{
	struct signal_actions *own = signal_actions_copy(process->actions);

	if (!own)
		return -LINUX_ENOMEM;
	signal_actions_reset(own);
	pthread_mutex_lock(&process_lock);
	struct signal_actions *old = process->actions;
	process->actions = own;
	pthread_mutex_unlock(&process_lock);
	signal_actions_release(old);
	return 0;
}

// The descriptors are the process's own from now on.
static int64_t unshare_files(struct thread *thread)
{
	struct file_table *own = file_table_copy(thread->files);

	if (!own)
		return -LINUX_ENOMEM;
	struct file_table *old = thread->files;
	thread->files = own;
	file_table_release(old);
	file_table_close_marked(own);
	return 0;
}

static void start_program(struct thread *thread, const struct program *program)
{
	memcpy(thread->name, program->name, sizeof(thread->name));
	thread->native_program = program->native;
	thread->clear_tid = 0;
	thread->signal_stack = (struct linux_sigaltstack){.flags = LINUX_SS_DISABLE};
	thread_write_fpu(NULL, 0);
	guest_start(&thread->state->registers, program->entry, program->stack);
}

int64_t execute(struct thread *thread, struct path *path, struct arguments *arguments)
{
	struct program program;
	int64_t error = program_load(thread, path, arguments, &program);

	if (error)
		return error;
	error = process_single_thread(thread);
	if (!error)
		error = reset_actions(thread->process);
	if (!error)
		error = unshare_files(thread);
	if (!error && !thread_bind(thread, program.memory->space))
		error = -LINUX_ENOMEM;
	if (error) {
		program_discard(&program);
		return error;
	}
	futex_release_robust(thread);
	replace_memory(thread->process, program.memory);
	start_program(thread, &program);
	return 0;
}

int64_t execute_first(struct thread *thread, const struct program *program, struct registers *registers)
{
	struct signal_actions *actions = signal_actions_create();

	if (!actions)
		return -LINUX_ENOMEM;
	pthread_mutex_lock(&process_lock);
	thread->process->memory = program->memory;
	thread->process->actions = actions;
	thread->process->executed = true;
	pthread_mutex_unlock(&process_lock);
	memcpy(thread->name, program->name, sizeof(thread->name));
	thread->native_program = program->native;
	thread->signal_stack.flags = LINUX_SS_DISABLE;
	guest_start(registers, program->entry, program->stack);
	return 0;
}

// SPDX-License-Identifier: MIT
//
// The loop of each thread of the personality that runs a guest's thread: enter the guest, handle what it
// stopped for, enter again.

#include <linux/process/thread.h>

#include <linux/calls/dispatch.h>
#include <linux/memory/memory.h>
#include <linux/process/delivery.h>
#include <linux/process/fault.h>
#include <linux/process/native.h>

#include <runtime/format.h>
#include <runtime/system_calls.h>
#include <runtime/thread.h>
#include <stdlib.h>

#define THREAD_STACK_SIZE (64 * 1024)

// Where state pages are mapped, by the thread's first id: between message buffers and programs, where nothing else is.
#define STATE_PAGES_START MESSAGE_BUFFERS_END

// What a new thread is started with.
struct thread_start {
	struct thread *thread;
	struct registers registers;
};

bool thread_bind(struct thread *thread, handle_t space)
{
	uintptr_t page = STATE_PAGES_START + (uintptr_t)thread->first_id * PAGE_SIZE;

	if (guest_bind(space, page) != ERR_OK)
		return false;
	thread->state = (struct guest_state *)page;
	return true;
}

static void thread_unbind(struct thread *thread)
{
	if (thread->state)
		guest_bind(HANDLE_NONE, (uintptr_t)thread->state);
	thread->state = NULL;
}

static void thread_set_fpu(struct thread *thread)
{
	if (!thread->fpu_state)
		return;
	thread_write_fpu(thread->fpu_state, thread->fpu_state_size);
	free(thread->fpu_state);
	thread->fpu_state = NULL;
}

static void thread_end_process(struct thread *thread, int32_t signal)
{
	pthread_mutex_lock(&process_lock);
	process_end(thread->process, wait_status_signal(signal));
	pthread_mutex_unlock(&process_lock);
}

static void run_guest(struct thread *thread)
{
	uint64_t reason;
	enum error error = guest_enter(&reason);

	if (error != ERR_OK) {
		log_print(LOG_ERROR, "process %d cannot run: %s", thread->process->id, error_text(error));
		thread_end_process(thread, LINUX_SIGSEGV);
	} else if (reason == GUEST_EXIT_SYSCALL) {
		call_dispatch(thread);
	} else if (reason == GUEST_EXIT_FAULT) {
		fault_handle(thread);
	}
}

// Nothing may wait between the last look at thread_interrupted and guest_enter: a kick in between makes
// guest_enter return at once.
static void thread_loop(struct thread *thread)
{
	while (!thread_ends(thread)) {
		if (thread_interrupted(thread) || thread->has_signals_saved)
			signals_deliver(thread);
		else if (thread->native_program)
			native_serve(thread);
		else
			run_guest(thread);
	}
}

static void *thread_main(void *argument)
{
	struct thread_start *start = argument;
	struct thread *thread = start->thread;

	pthread_mutex_lock(&process_lock);
	thread->native = thread_handle();
	pthread_mutex_unlock(&process_lock);
	if (thread_bind(thread, thread->process->memory->space)) {
		thread->state->registers = start->registers;
		thread_set_fpu(thread);
		free(start);
		thread_loop(thread);
	} else {
		free(start);
		thread_end_process(thread, LINUX_SIGKILL);
	}
	thread_unbind(thread);
	process_leave(thread);
	return NULL;
}

bool thread_start(struct thread *thread, const struct registers *registers)
{
	struct thread_start *start = malloc(sizeof(*start));
	pthread_attr_t attributes;
	pthread_t native;

	if (!start)
		return false;
	*start = (struct thread_start){.thread = thread, .registers = *registers};
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, THREAD_STACK_SIZE);
	bool started = pthread_create(&native, &attributes, thread_main, start) == 0;
	pthread_attr_destroy(&attributes);
	if (!started)
		free(start);
	return started;
}

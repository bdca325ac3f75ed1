// SPDX-License-Identifier: MIT
//
// Addresses for the message buffers of threads, their handles, and where threads start in C.

#include <runtime/mutex.h>
#include <runtime/start.h>
#include <runtime/system_calls.h>
#include <runtime/thread.h>

#define SLOTS ((MESSAGE_BUFFERS_END - MESSAGE_BUFFERS_START) / PAGE_SIZE)

_Thread_local handle_t runtime_thread_handle;

static struct mutex lock = MUTEX_INITIAL;
static bool in_use[SLOTS];

struct message_buffer *message_buffer_reserve(void)
{
	struct message_buffer *buffer = NULL;
	mutex_lock(&lock);
	for (size_t i = 0; i < SLOTS && buffer == NULL; i++) {
		uintptr_t address = MESSAGE_BUFFERS_START + i * PAGE_SIZE;
		if (!in_use[i] && address != start_block()->message_buffer) {
			in_use[i] = true;
			buffer = (struct message_buffer *)address;
		}
	}
	mutex_unlock(&lock);
	return buffer;
}

void message_buffer_release(struct message_buffer *buffer)
{
	mutex_lock(&lock);
	in_use[((uintptr_t)buffer - MESSAGE_BUFFERS_START) / PAGE_SIZE] = false;
	mutex_unlock(&lock);
}

handle_t thread_handle(void)
{
	return runtime_thread_handle;
}

_Noreturn void runtime_thread_start(const struct thread_record *record)
{
	runtime_message_buffer = record->message_buffer;
	runtime_thread_handle = record->handle;
	thread_exit((uint64_t)record->function(record->argument));
	__builtin_unreachable();
}

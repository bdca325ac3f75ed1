// SPDX-License-Identifier: MIT
//
// Inside the runtime: message buffers of threads. Programs make threads with <pthread.h>.

#ifndef RUNTIME_THREAD_H
#define RUNTIME_THREAD_H

#include <stdbool.h>
#include <tern/message.h>

// Message buffers lie below all programs, which are linked to start at 2 MiB.
#define MESSAGE_BUFFERS_START 0x10000
#define MESSAGE_BUFFERS_END   0x200000

extern _Thread_local struct message_buffer *runtime_message_buffer;

// What a new thread finds on its stack.
struct thread_record {
	int (*function)(void *argument);
	void *argument;
	struct message_buffer *message_buffer;
};

// Finds an address for the buffer of a new thread. NULL: all are in use.
struct message_buffer *message_buffer_reserve(void);
void message_buffer_release(struct message_buffer *buffer);

// Entry of a new thread, in assembly, and what it goes on with.
void runtime_thread_entry(void);
_Noreturn void runtime_thread_start(const struct thread_record *record);

// Frees the caller's own stack and ends it.
_Noreturn void runtime_unmap_and_exit(
	uint64_t unmap_number, void *address, size_t length, uint64_t exit_number);

#endif

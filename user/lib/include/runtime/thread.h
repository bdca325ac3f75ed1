// SPDX-License-Identifier: MIT
//
// Message buffers and handles of threads. Programs make threads with <pthread.h>.

#ifndef RUNTIME_THREAD_H
#define RUNTIME_THREAD_H

#include <stdbool.h>
#include <tern/message.h>

// Message buffers lie below programs (PROGRAM_BASE) and what the kernel places by itself; there is room for those of 16 384
// threads.
#define MESSAGE_BUFFERS_START ((uintptr_t)0x800000000)
#define MESSAGE_BUFFERS_END   ((uintptr_t)0x804000000)

// The calling thread's handle to itself, for others to kick or suspend it; it is closed when the thread ends.
// HANDLE_NONE: the first thread has none.
handle_t thread_handle(void);

// --- Inside the runtime

extern _Thread_local struct message_buffer *runtime_message_buffer;
extern _Thread_local handle_t runtime_thread_handle;

// What a new thread finds on its stack.
struct thread_record {
	int (*function)(void *argument);
	void *argument;
	struct message_buffer *message_buffer;
	handle_t handle;
	struct thread_record *next; // of all threads; its id: see posix/futex.c
	int id;
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

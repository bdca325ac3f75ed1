// SPDX-License-Identifier: MIT
//
// What pthreads stand on: __clone, __unmapself and __set_thread_area in place of musl's assembly, ids.

#include "posix.h"
#include <errno.h>
#include <runtime/system_calls.h>
#include <runtime/thread.h>
#include <stdarg.h>
#include <string.h>

#define CLONE_FLAG_THREAD 0x10000

int __clone(int (*function)(void *), void *stack, int flags, void *argument, ...);
int __set_thread_area(void *base);
_Noreturn void __unmapself(void *address, size_t length);

int __set_thread_area(void *base)
{
	return thread_set_tls(HANDLE_SELF, (uintptr_t)base) == ERR_OK ? 0 : -1;
}

// Makes the thread suspended, so that its id is where musl wants it, and its handle in its record, before it
// runs.
static long create_thread(
	const struct thread_attributes *attributes, struct thread_record *record, int *thread_id)
{
	struct thread_info info;
	enum error error = thread_create(HANDLE_SELF, attributes, &record->handle);
	if (error != ERR_OK)
		return posix_error(error);
	handle_t thread = record->handle;
	error = thread_info(thread, &info);
	if (error == ERR_OK) {
		*thread_id = (int)info.id;
		posix_futex_add(record, (int)info.id);
		error = thread_resume(thread);
	}
	if (error != ERR_OK) {
		posix_futex_remove(thread);
		thread_kill(thread, 0);
		handle_close(thread);
	}
	return error == ERR_OK ? *thread_id : posix_error(error);
}

// Serves pthread_create, which asks for parent tid, TLS and clear tid; new processes cannot be made this way.
int __clone(int (*function)(void *), void *stack, int flags, void *argument, ...)
{
	if (!(flags & CLONE_FLAG_THREAD))
		return -ENOSYS;
	va_list list;
	va_start(list, argument);
	int *thread_id = va_arg(list, int *);
	void *tls = va_arg(list, void *);
	int *clear_tid = va_arg(list, int *);
	va_end(list);

	struct message_buffer *buffer = message_buffer_reserve();
	if (buffer == NULL)
		return -EAGAIN;
	uintptr_t top = ((uintptr_t)stack - sizeof(struct thread_record)) & ~(uintptr_t)15;
	struct thread_record *record = (struct thread_record *)top;
	*record = (struct thread_record){
		.function = function, .argument = argument, .message_buffer = buffer};
	struct thread_attributes attributes = {
		.name = "pthread",
		.entry = (uintptr_t)runtime_thread_entry,
		.argument = top,
		.stack_pointer = top,
		.tls_base = (uintptr_t)tls,
		.clear_tid_address = (uintptr_t)clear_tid,
		.message_buffer = (uintptr_t)buffer,
		.flags = THREAD_SUSPENDED,
	};
	long id = create_thread(&attributes, record, thread_id);
	if (id < 0)
		message_buffer_release(buffer);
	return (int)id;
}

// Whoever ends holds musl's lock on the list of threads until the kernel clears it (clear tid), when the
// message buffer is unmapped already; so nobody gets its address too early.
static void release_thread(void)
{
	message_buffer_release(runtime_message_buffer);
	if (runtime_thread_handle == HANDLE_NONE)
		return;
	posix_futex_remove(runtime_thread_handle);
	handle_close(runtime_thread_handle);
}

_Noreturn void posix_thread_exit(int status)
{
	release_thread();
	thread_exit((uint64_t)status);
	__builtin_unreachable();
}

_Noreturn void __unmapself(void *address, size_t length)
{
	release_thread();
	runtime_unmap_and_exit(
		SYSCALL_NUMBER_address_space_unmap, address, length, SYSCALL_NUMBER_thread_exit);
}

long posix_gettid(void)
{
	struct thread_info info;
	enum error error = thread_info(HANDLE_SELF, &info);
	return error == ERR_OK ? (int)info.id : posix_error(error);
}

long posix_getpid(void)
{
	struct process_info info;
	enum error error = process_info(HANDLE_SELF, &info);
	return error == ERR_OK ? (int)info.id : posix_error(error);
}

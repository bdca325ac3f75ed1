// SPDX-License-Identifier: MIT
//
// The system calls of the C library: one function for each that the runtime serves, with the arguments and
// results of Linux (a negative errno for failure), because that is what musl is written against. posix.c
// dispatches.

#ifndef POSIX_H
#define POSIX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <tern/types.h>

struct iovec;
struct stat;
struct timespec;

// The negative errno for an error of the kernel or of a protocol; 0 for ERR_OK.
long posix_error(enum error error);

// memory.c
long posix_mmap(uintptr_t address, size_t length, int protection, int flags, int file, off_t offset);
long posix_munmap(uintptr_t address, size_t length);
long posix_mprotect(uintptr_t address, size_t length, int protection);

// time.c
long posix_clock_gettime(int clock, struct timespec *time);
long posix_clock_nanosleep(int clock, int flags, const struct timespec *request, struct timespec *remaining);

// The monotonic deadline of a time of day; NULL: never.
uint64_t posix_time_of_day_deadline(const struct timespec *time);

// futex.c
struct thread_record;
long posix_futex(
	uintptr_t address, int operation, uint32_t value, const struct timespec *timeout, uintptr_t target);
// A thread begins; it ends: those who wait for what it locked can name it in between.
void posix_futex_add(struct thread_record *record, int id);
void posix_futex_remove(handle_t thread);

// thread.c
long posix_gettid(void);
long posix_getpid(void);
_Noreturn void posix_thread_exit(int status);

// streams.c: files 0, 1 and 2
#define POSIX_STREAMS 3
long posix_stream_read(int file, void *buffer, size_t length);
long posix_stream_write(int file, const void *buffer, size_t length);
long posix_stream_control(int file, unsigned long request, void *argument);

// files.c
long posix_open(int directory, const char *path, int flags, unsigned mode);
long posix_close(int file);
long posix_read(int file, void *buffer, size_t length);
long posix_write(int file, const void *buffer, size_t length);
long posix_readv(int file, const struct iovec *vector, int count);
long posix_writev(int file, const struct iovec *vector, int count);
long posix_lseek(int file, off_t offset, int whence);
long posix_stat(int directory, const char *path, struct stat *status, int flags);
long posix_unlink(int directory, const char *path, int flags);
long posix_mkdir(int directory, const char *path, unsigned mode);

#endif

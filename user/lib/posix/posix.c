// SPDX-License-Identifier: MIT
//
// Where the C library's system calls arrive. What is not here fails with ENOSYS.

#include "posix.h"
#include <errno.h>
#include <protocol/error.h>
#include <runtime/system_calls.h>
#include <sys/syscall.h>

long __tern_syscall(long number, long a, long b, long c, long d, long e, long f);

long posix_error(enum error error)
{
	static const unsigned char numbers[] = {
		[ERR_BAD_HANDLE] = EBADF,
		[ERR_WRONG_TYPE] = EBADF,
		[ERR_NO_RIGHTS] = EACCES,
		[ERR_BAD_ADDRESS] = EFAULT,
		[ERR_NO_MEMORY] = ENOMEM,
		[ERR_NO_SLOTS] = EMFILE,
		[ERR_EXISTS] = EEXIST,
		[ERR_NOT_FOUND] = ENOENT,
		[ERR_BUSY] = EBUSY,
		[ERR_TIMED_OUT] = ETIMEDOUT,
		[ERR_WOULD_BLOCK] = EAGAIN,
		[ERR_CANCELLED] = EINTR,
		[ERR_PEER_CLOSED] = EIO,
		[ERR_PEER_FAULT] = EFAULT,
		[ERR_GONE] = EIO,
		[ERR_TOO_LONG] = E2BIG,
		[ERR_NOT_SUPPORTED] = ENOSYS,
		[ERR_NO_SYSCALL] = ENOSYS,
		[ERR_MISMATCH] = EAGAIN,
		[ERR_NO_BUDGET] = EAGAIN,
		[ERR_DEADLOCK] = EDEADLK,
		[ERR_NOT_DIRECTORY] = ENOTDIR,
		[ERR_IS_DIRECTORY] = EISDIR,
		[ERR_NOT_EMPTY] = ENOTEMPTY,
		[ERR_NAME_TOO_LONG] = ENAMETOOLONG,
		[ERR_LOOP] = ELOOP,
		[ERR_READ_ONLY] = EROFS,
		[ERR_CROSS_DEVICE] = EXDEV,
		[ERR_NO_SPACE] = ENOSPC,
		[ERR_FILE_TOO_LARGE] = EFBIG,
		[ERR_NOT_EXECUTABLE] = ENOEXEC,
	};
	if (error == ERR_OK)
		return 0;
	return error < sizeof(numbers) && numbers[error] != 0 ? -numbers[error] : -EINVAL;
}

static long random_bytes(void *buffer, size_t length)
{
	size_t chunk = length < 256 ? length : 256;
	enum error error = random_get(buffer, chunk);
	return error == ERR_OK ? (long)chunk : posix_error(error);
}

long __tern_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	switch (number) {
	case SYS_mmap:
		return posix_mmap((uintptr_t)a, (size_t)b, (int)c, (int)d, (int)e, f);
	case SYS_munmap:
		return posix_munmap((uintptr_t)a, (size_t)b);
	case SYS_mprotect:
		return posix_mprotect((uintptr_t)a, (size_t)b, (int)c);
	case SYS_madvise:
		return 0;
	case SYS_openat:
		return posix_open((int)a, (const char *)b, (int)c, (unsigned)d);
	case SYS_close:
		return posix_close((int)a);
	case SYS_read:
		return posix_read((int)a, (void *)b, (size_t)c);
	case SYS_write:
		return posix_write((int)a, (const void *)b, (size_t)c);
	case SYS_readv:
		return posix_readv((int)a, (const struct iovec *)b, (int)c);
	case SYS_writev:
		return posix_writev((int)a, (const struct iovec *)b, (int)c);
	case SYS_lseek:
		return posix_lseek((int)a, b, (int)c);
	case SYS_newfstatat:
		return posix_stat((int)a, (const char *)b, (struct stat *)c, (int)d);
	case SYS_fstat:
		return posix_stat((int)a, "", (struct stat *)b, 0);
	case SYS_ioctl:
		return posix_stream_control((int)a, (unsigned long)b, (void *)c);
	case SYS_unlinkat:
		return posix_unlink((int)a, (const char *)b, (int)c);
	case SYS_mkdirat:
		return posix_mkdir((int)a, (const char *)b, (unsigned)c);
	case SYS_clock_gettime:
		return posix_clock_gettime((int)a, (struct timespec *)b);
	case SYS_clock_nanosleep:
		return posix_clock_nanosleep(
			(int)a, (int)b, (const struct timespec *)c, (struct timespec *)d);
	case SYS_nanosleep:
		return posix_clock_nanosleep(0, 0, (const struct timespec *)a, (struct timespec *)b);
	case SYS_futex:
		return posix_futex(
			(uintptr_t)a, (int)b, (uint32_t)c, (const struct timespec *)d, (uintptr_t)e);
	case SYS_gettid:
		return posix_gettid();
	case SYS_getpid:
		return posix_getpid();
	case SYS_set_tid_address:
		thread_set_clear_tid((uint64_t)a);
		return posix_gettid();
	case SYS_sched_yield:
		return posix_error(thread_yield());
	case SYS_getrandom:
		return random_bytes((void *)a, (size_t)b);
	case SYS_rt_sigprocmask:  // there are no signals
	case SYS_set_robust_list: // musl walks the lists of threads that end itself
	case SYS_get_robust_list:
		return 0;
	case SYS_exit:
		posix_thread_exit((int)a);
	case SYS_exit_group:
		process_exit((uint64_t)(a & 0xff));
		__builtin_unreachable();
	default:
		return -ENOSYS;
	}
}

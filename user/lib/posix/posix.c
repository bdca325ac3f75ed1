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
	switch ((unsigned)error) {
	case ERR_OK:
		return 0;
	case ERR_BAD_HANDLE:
	case ERR_WRONG_TYPE:
		return -EBADF;
	case ERR_NO_RIGHTS:
		return -EACCES;
	case ERR_BAD_ADDRESS:
	case ERR_PEER_FAULT:
		return -EFAULT;
	case ERR_NO_MEMORY:
		return -ENOMEM;
	case ERR_NO_SLOTS:
		return -EMFILE;
	case ERR_EXISTS:
		return -EEXIST;
	case ERR_NOT_FOUND:
		return -ENOENT;
	case ERR_BUSY:
		return -EBUSY;
	case ERR_TIMED_OUT:
		return -ETIMEDOUT;
	case ERR_WOULD_BLOCK:
	case ERR_MISMATCH:
		return -EAGAIN;
	case ERR_CANCELLED:
		return -EINTR;
	case ERR_PEER_CLOSED:
	case ERR_GONE:
		return -EIO;
	case ERR_TOO_LONG:
		return -E2BIG;
	case ERR_NOT_SUPPORTED:
	case ERR_NO_SYSCALL:
		return -ENOSYS;
	case ERR_NOT_DIRECTORY:
		return -ENOTDIR;
	case ERR_IS_DIRECTORY:
		return -EISDIR;
	case ERR_NOT_EMPTY:
		return -ENOTEMPTY;
	case ERR_NAME_TOO_LONG:
		return -ENAMETOOLONG;
	case ERR_LOOP:
		return -ELOOP;
	case ERR_READ_ONLY:
		return -EROFS;
	case ERR_CROSS_DEVICE:
		return -EXDEV;
	case ERR_NO_SPACE:
		return -ENOSPC;
	case ERR_FILE_TOO_LARGE:
		return -EFBIG;
	case ERR_NOT_EXECUTABLE:
		return -ENOEXEC;
	default:
		return -EINVAL;
	}
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
	case SYS_rt_sigprocmask: // there are no signals
	case SYS_set_robust_list:
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

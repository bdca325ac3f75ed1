// SPDX-License-Identifier: MIT
//
// Linux's error numbers, the same on the three architectures. A call returns one negated.

#ifndef INTERFACE_ERRORS_H
#define INTERFACE_ERRORS_H

enum linux_error {
	LINUX_EPERM = 1,
	LINUX_ENOENT = 2,
	LINUX_ESRCH = 3,
	LINUX_EINTR = 4,
	LINUX_EIO = 5,
	LINUX_ENXIO = 6,
	LINUX_E2BIG = 7,
	LINUX_ENOEXEC = 8,
	LINUX_EBADF = 9,
	LINUX_ECHILD = 10,
	LINUX_EAGAIN = 11,
	LINUX_ENOMEM = 12,
	LINUX_EACCES = 13,
	LINUX_EFAULT = 14,
	LINUX_EBUSY = 16,
	LINUX_EEXIST = 17,
	LINUX_EXDEV = 18,
	LINUX_ENODEV = 19,
	LINUX_ENOTDIR = 20,
	LINUX_EISDIR = 21,
	LINUX_EINVAL = 22,
	LINUX_ENFILE = 23,
	LINUX_EMFILE = 24,
	LINUX_ENOTTY = 25,
	LINUX_ETXTBSY = 26,
	LINUX_EFBIG = 27,
	LINUX_ENOSPC = 28,
	LINUX_ESPIPE = 29,
	LINUX_EROFS = 30,
	LINUX_EMLINK = 31,
	LINUX_EPIPE = 32,
	LINUX_ERANGE = 34,
	LINUX_EDEADLK = 35,
	LINUX_ENAMETOOLONG = 36,
	LINUX_ENOSYS = 38,
	LINUX_ENOTEMPTY = 39,
	LINUX_ELOOP = 40,
	LINUX_EOVERFLOW = 75,
	LINUX_ELIBACC = 79,
	LINUX_EOPNOTSUPP = 95,
	LINUX_ETIMEDOUT = 110,

	// Never seen by guests: a signal has ended a wait. The call is made again, or fails with EINTR where
	// the signal has a handler that does not ask for that.
	LINUX_ERESTART = 512,
	LINUX_ERESTARTNOINTR = 513, // whatever the handler asks for
};

#endif

// SPDX-License-Identifier: MIT
//
// Takes the place of musl's header of the same name: every system call of the C library becomes a call of
// __tern_syscall (user/lib/posix), which serves it with native calls. Numbers are the same on all ISAs.

#define __SYSCALL_LL_E(x) (x)
#define __SYSCALL_LL_O(x) (x)
#define IPC_64            0

__attribute__((visibility("hidden"))) long __tern_syscall(
	long number, long a, long b, long c, long d, long e, long f);

static inline long __syscall0(long n)
{
	return __tern_syscall(n, 0, 0, 0, 0, 0, 0);
}

static inline long __syscall1(long n, long a)
{
	return __tern_syscall(n, a, 0, 0, 0, 0, 0);
}

static inline long __syscall2(long n, long a, long b)
{
	return __tern_syscall(n, a, b, 0, 0, 0, 0);
}

static inline long __syscall3(long n, long a, long b, long c)
{
	return __tern_syscall(n, a, b, c, 0, 0, 0);
}

static inline long __syscall4(long n, long a, long b, long c, long d)
{
	return __tern_syscall(n, a, b, c, d, 0, 0);
}

static inline long __syscall5(long n, long a, long b, long c, long d, long e)
{
	return __tern_syscall(n, a, b, c, d, e, 0);
}

static inline long __syscall6(long n, long a, long b, long c, long d, long e, long f)
{
	return __tern_syscall(n, a, b, c, d, e, f);
}

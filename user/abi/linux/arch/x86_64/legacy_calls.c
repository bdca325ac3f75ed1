// SPDX-License-Identifier: MIT
//
// The calls of x86_64 that newer ones replace, in terms of those.

#include <linux/calls/calls.h>
#include <linux/files/poll.h>
#include <linux/interface/errors.h>
#include <linux/interface/files.h>
#include <linux/interface/process.h>
#include <linux/interface/signal.h>
#include <linux/memory/guest_copy.h>
#include <linux/process/clone.h>
#include <linux/process/process.h>
#include <linux/time/clock.h>

int64_t linux_open(struct thread *thread, guest_address_t path, uint32_t flags, uint32_t mode)
{
	return linux_openat(thread, LINUX_AT_FDCWD, path, flags, mode);
}

int64_t linux_creat(struct thread *thread, guest_address_t path, uint32_t mode)
{
	return linux_openat(
		thread, LINUX_AT_FDCWD, path, LINUX_O_CREAT | LINUX_O_WRONLY | LINUX_O_TRUNC, mode);
}

int64_t linux_stat(struct thread *thread, guest_address_t path, guest_address_t result)
{
	return linux_newfstatat(thread, LINUX_AT_FDCWD, path, result, 0);
}

int64_t linux_lstat(struct thread *thread, guest_address_t path, guest_address_t result)
{
	return linux_newfstatat(thread, LINUX_AT_FDCWD, path, result, LINUX_AT_SYMLINK_NOFOLLOW);
}

int64_t linux_poll(struct thread *thread, guest_address_t polled, uint32_t count, int32_t milliseconds)
{
	uint64_t deadline = DEADLINE_NEVER;

	if (milliseconds >= 0)
		deadline = clock_now() + (uint64_t)milliseconds * 1000 * NANOSECONDS_PER_MICROSECOND;
	return poll_guest(thread, polled, count, deadline);
}

int64_t linux_select(struct thread *thread, int32_t count, guest_address_t readable, guest_address_t writable,
	guest_address_t exceptional, guest_address_t timeout)
{
	uint64_t deadline;
	int64_t error = clock_timeval_deadline(thread, timeout, &deadline);

	return error ? error : select_guest(thread, count, readable, writable, exceptional, deadline);
}

// As rt_sigsuspend without another set of blocked signals.
int64_t linux_pause(struct thread *thread)
{
	return linux_rt_sigsuspend(thread, 0, 0);
}

int64_t linux_access(struct thread *thread, guest_address_t path, uint32_t access)
{
	return linux_faccessat(thread, LINUX_AT_FDCWD, path, access);
}

int64_t linux_pipe(struct thread *thread, guest_address_t descriptors)
{
	return linux_pipe2(thread, descriptors, 0);
}

// Unlike dup3, a descriptor onto itself is no error.
int64_t linux_dup2(struct thread *thread, int32_t descriptor, int32_t wanted)
{
	if (descriptor == wanted) {
		int64_t flags = linux_fcntl(thread, descriptor, LINUX_F_GETFD, 0);

		return flags < 0 ? flags : wanted;
	}
	return linux_dup3(thread, descriptor, wanted, 0);
}

int64_t linux_clone(struct thread *thread, uint64_t flags, guest_address_t stack, guest_address_t parent_tid,
	guest_address_t child_tid, uint64_t tls)
{
	return clone_thread(thread,
		&(struct clone_request){
			.flags = flags & ~(uint64_t)LINUX_CLONE_SIGNAL_MASK,
			.exit_signal = flags & LINUX_CLONE_SIGNAL_MASK,
			.stack = stack,
			.parent_tid = parent_tid,
			.child_tid = child_tid,
			.tls = tls,
		});
}

int64_t linux_fork(struct thread *thread)
{
	return clone_thread(thread, &(struct clone_request){.exit_signal = LINUX_SIGCHLD});
}

int64_t linux_vfork(struct thread *thread)
{
	return clone_thread(thread,
		&(struct clone_request){
			.flags = LINUX_CLONE_VM | LINUX_CLONE_VFORK,
			.exit_signal = LINUX_SIGCHLD,
		});
}

int64_t linux_rename(struct thread *thread, guest_address_t old_path, guest_address_t new_path)
{
	return linux_renameat(thread, LINUX_AT_FDCWD, old_path, LINUX_AT_FDCWD, new_path);
}

int64_t linux_mkdir(struct thread *thread, guest_address_t path, uint32_t mode)
{
	return linux_mkdirat(thread, LINUX_AT_FDCWD, path, mode);
}

int64_t linux_rmdir(struct thread *thread, guest_address_t path)
{
	return linux_unlinkat(thread, LINUX_AT_FDCWD, path, LINUX_AT_REMOVEDIR);
}

int64_t linux_link(struct thread *thread, guest_address_t old_path, guest_address_t new_path)
{
	return linux_linkat(thread, LINUX_AT_FDCWD, old_path, LINUX_AT_FDCWD, new_path, 0);
}

int64_t linux_unlink(struct thread *thread, guest_address_t path)
{
	return linux_unlinkat(thread, LINUX_AT_FDCWD, path, 0);
}

int64_t linux_symlink(struct thread *thread, guest_address_t target, guest_address_t path)
{
	return linux_symlinkat(thread, target, LINUX_AT_FDCWD, path);
}

int64_t linux_readlink(struct thread *thread, guest_address_t path, guest_address_t buffer, uint64_t length)
{
	return linux_readlinkat(thread, LINUX_AT_FDCWD, path, buffer, length);
}

int64_t linux_chmod(struct thread *thread, guest_address_t path, uint32_t mode)
{
	return linux_fchmodat(thread, LINUX_AT_FDCWD, path, mode);
}

int64_t linux_chown(struct thread *thread, guest_address_t path, uint32_t user, uint32_t group)
{
	return linux_fchownat(thread, LINUX_AT_FDCWD, path, user, group, 0);
}

int64_t linux_lchown(struct thread *thread, guest_address_t path, uint32_t user, uint32_t group)
{
	return linux_fchownat(thread, LINUX_AT_FDCWD, path, user, group, LINUX_AT_SYMLINK_NOFOLLOW);
}

int64_t linux_mknod(struct thread *thread, guest_address_t path, uint32_t mode, uint64_t device)
{
	return linux_mknodat(thread, LINUX_AT_FDCWD, path, mode, device);
}

int64_t linux_getpgrp(struct thread *thread)
{
	return linux_getpgid(thread, 0);
}

int64_t linux_time(struct thread *thread, guest_address_t result)
{
	int64_t seconds = time_seconds(clock_wall());

	if (result != 0) {
		int64_t error = copy_to_guest(thread, result, &seconds, sizeof(seconds));

		if (error)
			return error;
	}
	return seconds;
}

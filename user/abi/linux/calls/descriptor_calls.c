// SPDX-License-Identifier: MIT
//
// The calls around descriptors: opening, duplicating, closing, their flags, and waiting for them.

#include <linux/calls/calls.h>
#include <linux/files/open.h>
#include <linux/files/open_file.h>
#include <linux/files/pipe.h>
#include <linux/files/poll.h>
#include <linux/files/table.h>
#include <linux/files/view.h>
#include <linux/interface/errors.h>
#include <linux/interface/files.h>
#include <linux/memory/guest_copy.h>
#include <linux/process/delivery.h>
#include <linux/process/process.h>
#include <linux/time/clock.h>

#define CLOSE_RANGE_CLOEXEC 4
#define FLAGS_SETTABLE      (LINUX_O_APPEND | LINUX_O_NONBLOCK)

static uint64_t descriptor_limit(const struct thread *thread)
{
	return thread->process->limits[LINUX_RLIMIT_NOFILE].current;
}

int64_t linux_openat(
	struct thread *thread, int32_t directory, guest_address_t address, uint32_t flags, uint32_t mode)
{
	struct path path;
	struct open_file *file;
	int64_t result = path_take(thread, directory, address, 0, &path);

	if (result)
		return result;
	result = file_open_path(thread, &path, flags, mode & 07777 & ~file_view_mask(thread->view), &file);
	path_release(&path);
	if (result)
		return result;
	return file_table_add(thread->files, file, 0, descriptor_limit(thread), flags & LINUX_O_CLOEXEC);
}

int64_t linux_close(struct thread *thread, int32_t descriptor)
{
	return file_table_close(thread->files, descriptor);
}

int64_t linux_close_range(struct thread *thread, uint32_t first, uint32_t last, uint32_t flags)
{
	if (first > last || (flags & ~(uint32_t)CLOSE_RANGE_CLOEXEC))
		return -LINUX_EINVAL;
	if (flags & CLOSE_RANGE_CLOEXEC)
		file_table_mark_range(thread->files, first, last);
	else
		file_table_close_range(thread->files, first, last);
	return 0;
}

static int64_t duplicate(struct thread *thread, int32_t descriptor, uint64_t lowest, bool close_on_execute)
{
	struct open_file *file = file_table_get(thread->files, descriptor);

	if (!file)
		return -LINUX_EBADF;
	if (lowest >= descriptor_limit(thread)) {
		open_file_release(file);
		return -LINUX_EINVAL;
	}
	return file_table_add(
		thread->files, file, (uint32_t)lowest, descriptor_limit(thread), close_on_execute);
}

int64_t linux_dup(struct thread *thread, int32_t descriptor)
{
	return duplicate(thread, descriptor, 0, false);
}

int64_t linux_dup3(struct thread *thread, int32_t descriptor, int32_t wanted, uint32_t flags)
{
	if (descriptor == wanted || (flags & ~(uint32_t)LINUX_O_CLOEXEC))
		return -LINUX_EINVAL;
	if (wanted < 0 || (uint64_t)wanted >= descriptor_limit(thread) || wanted >= FILE_TABLE_MAX)
		return -LINUX_EBADF;
	struct open_file *file = file_table_get(thread->files, descriptor);
	if (!file)
		return -LINUX_EBADF;
	return file_table_put(thread->files, file, (uint32_t)wanted, flags & LINUX_O_CLOEXEC);
}

// Locks of whole files and records always succeed: nobody else holds any.
static int64_t get_lock(struct thread *thread, guest_address_t address)
{
	int16_t type = LINUX_F_UNLCK;

	return copy_to_guest(thread, address, &type, sizeof(type));
}

static int64_t control_file(
	struct thread *thread, struct open_file *file, uint32_t command, uint64_t argument)
{
	switch (command) {
	case LINUX_F_GETFL:
		return file->flags | LINUX_O_LARGEFILE;
	case LINUX_F_SETFL:
		file->flags = (file->flags & ~(uint32_t)FLAGS_SETTABLE) |
			((uint32_t)argument & FLAGS_SETTABLE);
		return 0;
	case LINUX_F_GETLK:
	case LINUX_F_OFD_GETLK:
		return get_lock(thread, argument);
	case LINUX_F_SETLK:
	case LINUX_F_SETLKW:
	case LINUX_F_OFD_SETLK:
	case LINUX_F_OFD_SETLKW:
	case LINUX_F_SETOWN:
	case LINUX_F_GETOWN:
		return 0;
	default:
		return -LINUX_EINVAL;
	}
}

int64_t linux_fcntl(struct thread *thread, int32_t descriptor, uint32_t command, uint64_t argument)
{
	switch (command) {
	case LINUX_F_DUPFD:
	case LINUX_F_DUPFD_CLOEXEC:
		return duplicate(thread, descriptor, (uint32_t)argument, command == LINUX_F_DUPFD_CLOEXEC);
	case LINUX_F_GETFD:
		return file_table_get_close_on_execute(thread->files, descriptor);
	case LINUX_F_SETFD:
		return file_table_set_close_on_execute(
			thread->files, descriptor, argument & LINUX_FD_CLOEXEC);
	default:
		break;
	}
	struct open_file *file = file_table_get(thread->files, descriptor);
	if (!file)
		return -LINUX_EBADF;
	int64_t result = control_file(thread, file, command, argument);
	open_file_release(file);
	return result;
}

static int64_t set_nonblocking(struct thread *thread, struct open_file *file, guest_address_t address)
{
	int32_t value;
	int64_t error = copy_from_guest(thread, &value, address, sizeof(value));

	if (!error)
		file->flags = value ? file->flags | LINUX_O_NONBLOCK
				    : file->flags & ~(uint32_t)LINUX_O_NONBLOCK;
	return error;
}

int64_t linux_ioctl(struct thread *thread, int32_t descriptor, uint32_t request, uint64_t argument)
{
	if (request == LINUX_FIOCLEX || request == LINUX_FIONCLEX)
		return file_table_set_close_on_execute(thread->files, descriptor, request == LINUX_FIOCLEX);
	struct open_file *file = file_table_get(thread->files, descriptor);
	if (!file)
		return -LINUX_EBADF;
	int64_t result = -LINUX_ENOTTY;
	if (file->flags & LINUX_O_PATH)
		result = -LINUX_EBADF;
	else if (request == LINUX_FIONBIO)
		result = set_nonblocking(thread, file, argument);
	else if (file->operations->control)
		result = file->operations->control(thread, file, request, argument);
	open_file_release(file);
	return result;
}

int64_t linux_flock(struct thread *thread, int32_t descriptor, uint32_t operation)
{
	struct open_file *file = file_table_get(thread->files, descriptor);

	(void)operation;
	if (!file)
		return -LINUX_EBADF;
	open_file_release(file);
	return 0;
}

int64_t linux_pipe2(struct thread *thread, guest_address_t descriptors, uint32_t flags)
{
	struct open_file *reader, *writer;
	int32_t pair[2];

	if (flags & ~(uint32_t)(LINUX_O_CLOEXEC | LINUX_O_NONBLOCK))
		return -LINUX_EINVAL;
	int64_t result = pipe_create(flags & LINUX_O_NONBLOCK, &reader, &writer);
	if (result)
		return result;
	int64_t first = file_table_add(
		thread->files, reader, 0, descriptor_limit(thread), flags & LINUX_O_CLOEXEC);
	if (first < 0) {
		open_file_release(writer);
		return first;
	}
	int64_t second = file_table_add(
		thread->files, writer, 0, descriptor_limit(thread), flags & LINUX_O_CLOEXEC);
	pair[0] = (int32_t)first;
	pair[1] = (int32_t)second;
	result = second < 0 ? second : copy_to_guest(thread, descriptors, pair, sizeof(pair));
	if (result) {
		file_table_close(thread->files, pair[0]);
		if (second >= 0)
			file_table_close(thread->files, pair[1]);
	}
	return result;
}

int64_t linux_ppoll(struct thread *thread, guest_address_t polled, uint32_t count, guest_address_t timeout,
	guest_address_t mask, uint64_t mask_size)
{
	uint64_t deadline;
	int64_t error = clock_timespec_deadline(thread, timeout, &deadline);

	if (!error)
		error = signals_block_for_wait(thread, mask, mask_size);
	return error ? error : poll_guest(thread, polled, count, deadline);
}

// The last argument is the address of two words: address and size of the set.
int64_t linux_pselect6(struct thread *thread, int32_t count, guest_address_t readable,
	guest_address_t writable, guest_address_t exceptional, guest_address_t timeout, guest_address_t mask)
{
	uint64_t deadline, set[2] = {0};
	int64_t error = clock_timespec_deadline(thread, timeout, &deadline);

	if (!error && mask != 0)
		error = copy_from_guest(thread, set, mask, sizeof(set));
	if (!error)
		error = signals_block_for_wait(thread, set[0], set[1]);
	return error ? error : select_guest(thread, count, readable, writable, exceptional, deadline);
}

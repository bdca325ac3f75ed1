// SPDX-License-Identifier: MIT
//
// Files of a native program: numbers from 3 on stand for file capabilities with an offset.

#include "posix.h"
#include <errno.h>
#include <fcntl.h>
#include <runtime/file.h>
#include <runtime/mutex.h>
#include <runtime/start.h>
#include <runtime/system_calls.h>
#include <sys/stat.h>
#include <sys/uio.h>

#define FILES 64

struct open_file {
	handle_t handle; // HANDLE_NONE: free
	uint64_t offset;
	bool append;
};

static struct mutex lock = MUTEX_INITIAL;
static struct open_file files[FILES];

static struct open_file *find(int file)
{
	int index = file - POSIX_STREAMS;
	if (index < 0 || index >= FILES || files[index].handle == HANDLE_NONE)
		return NULL;
	return &files[index];
}

// The directory that a path starts from.
static handle_t base(int directory)
{
	const struct open_file *file = find(directory);
	handle_t current = file != NULL ? file->handle : start_handle(START_DIRECTORY);
	return current != HANDLE_NONE ? current : start_handle(START_ROOT);
}

static int add(handle_t handle, bool append)
{
	int number = -EMFILE;
	mutex_lock(&lock);
	for (int i = 0; i < FILES && number < 0; i++) {
		if (files[i].handle == HANDLE_NONE) {
			files[i] = (struct open_file){.handle = handle, .append = append};
			number = i + POSIX_STREAMS;
		}
	}
	mutex_unlock(&lock);
	return number;
}

static unsigned open_flags(int flags)
{
	static const unsigned access[] = {
		[O_RDONLY] = FILE_OPEN_READ,
		[O_WRONLY] = FILE_OPEN_WRITE,
		[O_RDWR] = FILE_OPEN_READ | FILE_OPEN_WRITE,
		[3] = 0,
	};
	return access[flags & 3] | (flags & O_CREAT ? FILE_OPEN_CREATE : 0) |
		(flags & O_EXCL ? FILE_OPEN_EXCLUSIVE : 0) | (flags & O_TRUNC ? FILE_OPEN_TRUNCATE : 0) |
		(flags & O_DIRECTORY ? FILE_OPEN_DIRECTORY : 0) |
		(flags & O_NOFOLLOW ? FILE_OPEN_NO_FOLLOW : 0);
}

long posix_open(int directory, const char *path, int flags, unsigned mode)
{
	struct file_attributes attributes;
	handle_t handle;
	enum error error = file_open(base(directory), path, open_flags(flags), mode, &handle, &attributes);
	if (error != ERR_OK)
		return posix_error(error);
	int file = add(handle, flags & O_APPEND);
	if (file < 0)
		file_close(handle);
	return file;
}

long posix_close(int file)
{
	mutex_lock(&lock);
	struct open_file *open = find(file);
	handle_t handle = open != NULL ? open->handle : HANDLE_NONE;
	if (open != NULL)
		open->handle = HANDLE_NONE;
	mutex_unlock(&lock);
	if (handle == HANDLE_NONE)
		return file >= 0 && file < POSIX_STREAMS ? 0 : -EBADF;
	return posix_error(file_close(handle));
}

long posix_read(int file, void *buffer, size_t length)
{
	struct open_file *open = find(file);
	if (open == NULL)
		return posix_stream_read(file, buffer, length);
	enum error error = file_read(open->handle, open->offset, buffer, &length);
	open->offset += length;
	return error == ERR_OK ? (long)length : posix_error(error);
}

long posix_write(int file, const void *buffer, size_t length)
{
	struct open_file *open = find(file);
	if (file == 1 || file == 2)
		return posix_stream_write(file, buffer, length);
	if (open == NULL)
		return -EBADF;
	enum error error = file_write(
		open->handle, open->append ? FILE_OFFSET_END : open->offset, buffer, &length);
	open->offset += length;
	return error == ERR_OK ? (long)length : posix_error(error);
}

long posix_readv(int file, const struct iovec *vector, int count)
{
	long total = 0;
	for (int i = 0; i < count; i++) {
		long done = posix_read(file, vector[i].iov_base, vector[i].iov_len);
		if (done < 0)
			return total > 0 ? total : done;
		total += done;
		if ((size_t)done < vector[i].iov_len)
			break;
	}
	return total;
}

long posix_writev(int file, const struct iovec *vector, int count)
{
	long total = 0;
	for (int i = 0; i < count; i++) {
		if (vector[i].iov_len == 0)
			continue;
		long done = posix_write(file, vector[i].iov_base, vector[i].iov_len);
		if (done < 0)
			return total > 0 ? total : done;
		total += done;
		if ((size_t)done < vector[i].iov_len)
			break;
	}
	return total;
}

long posix_lseek(int file, off_t offset, int whence)
{
	struct open_file *open = find(file);
	struct file_attributes attributes = {0};
	if (open == NULL)
		return file >= 0 && file < POSIX_STREAMS ? -ESPIPE : -EBADF;
	if (whence == SEEK_END) {
		enum error error = file_get_attributes(open->handle, "", 0, &attributes);
		if (error != ERR_OK)
			return posix_error(error);
	}
	uint64_t start = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? open->offset : attributes.size;
	if (whence > SEEK_END || (offset < 0 && (uint64_t)-offset > start))
		return -EINVAL;
	open->offset = start + (uint64_t)offset;
	return (long)open->offset;
}

static struct timespec time_of(uint64_t nanoseconds)
{
	return (struct timespec){
		.tv_sec = (time_t)(nanoseconds / 1000000000),
		.tv_nsec = (long)(nanoseconds % 1000000000),
	};
}

long posix_stat(int directory, const char *path, struct stat *status, int flags)
{
	struct file_attributes attributes;
	enum error error = file_get_attributes(
		base(directory), path, flags & AT_SYMLINK_NOFOLLOW ? FILE_NO_FOLLOW : 0, &attributes);
	if (error != ERR_OK)
		return posix_error(error);
	*status = (struct stat){
		.st_dev = attributes.file_system,
		.st_ino = attributes.node,
		.st_nlink = (nlink_t)attributes.links,
		.st_mode = (mode_t)attributes.mode,
		.st_uid = (uid_t)attributes.user,
		.st_gid = (gid_t)attributes.group,
		.st_rdev = attributes.device,
		.st_size = (off_t)attributes.size,
		.st_blksize = PAGE_SIZE,
		.st_blocks = (blkcnt_t)(attributes.allocated / 512),
		.st_atim = time_of(attributes.access_time),
		.st_mtim = time_of(attributes.modify_time),
		.st_ctim = time_of(attributes.change_time),
	};
	return 0;
}

long posix_unlink(int directory, const char *path, int flags)
{
	return posix_error(
		file_remove(base(directory), path, flags & AT_REMOVEDIR ? FILE_REMOVE_DIRECTORY : 0));
}

long posix_mkdir(int directory, const char *path, unsigned mode)
{
	return posix_error(file_create(base(directory), path, FILE_TYPE_DIRECTORY | (mode & 07777)));
}

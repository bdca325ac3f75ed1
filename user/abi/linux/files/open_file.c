// SPDX-License-Identifier: MIT
//
// Open files: what is the same for all kinds.

#include <linux/files/open_file.h>

#include <linux/files/server.h>
#include <linux/interface/errors.h>
#include <linux/interface/files.h>

#include <stdatomic.h>
#include <stdlib.h>

void *open_file_create(size_t size, const struct file_operations *operations, uint32_t flags, handle_t node)
{
	struct open_file *file = calloc(1, size);

	if (!file) {
		if (node != HANDLE_NONE)
			server_close(node);
		return NULL;
	}
	file->references = 1;
	file->operations = operations;
	file->flags = flags;
	file->node = node;
	pthread_mutex_init(&file->lock, NULL);
	return file;
}

struct open_file *open_file_share(struct open_file *file)
{
	atomic_fetch_add(&file->references, 1);
	return file;
}

void open_file_release(struct open_file *file)
{
	if (atomic_fetch_sub(&file->references, 1) > 1)
		return;
	if (file->operations->release)
		file->operations->release(file);
	if (file->node != HANDLE_NONE)
		server_close(file->node);
	free(file->path);
	free(file);
}

bool open_file_readable(const struct open_file *file)
{
	return !(file->flags & LINUX_O_PATH) && (file->flags & LINUX_O_ACCMODE) != LINUX_O_WRONLY;
}

bool open_file_writable(const struct open_file *file)
{
	return !(file->flags & LINUX_O_PATH) && (file->flags & LINUX_O_ACCMODE) != LINUX_O_RDONLY;
}

bool open_file_nonblocking(const struct open_file *file)
{
	return file->flags & LINUX_O_NONBLOCK;
}

static int64_t check_read(const struct open_file *file)
{
	if (!open_file_readable(file))
		return -LINUX_EBADF;
	if (file->operations->read_directory)
		return -LINUX_EISDIR;
	return file->operations->read ? 0 : -LINUX_EINVAL;
}

static int64_t check_write(const struct open_file *file)
{
	if (!open_file_writable(file))
		return -LINUX_EBADF;
	return file->operations->write ? 0 : -LINUX_EINVAL;
}

int64_t open_file_read(struct thread *thread, struct open_file *file, struct span to)
{
	int64_t result = check_read(file);

	if (result)
		return result;
	if (!file->operations->seekable)
		return file->operations->read(thread, file, to, NULL);
	pthread_mutex_lock(&file->lock);
	result = file->operations->read(thread, file, to, &file->offset);
	if (result > 0)
		file->offset += (uint64_t)result;
	pthread_mutex_unlock(&file->lock);
	return result;
}

int64_t open_file_write(struct thread *thread, struct open_file *file, struct span from)
{
	int64_t result = check_write(file);

	if (result)
		return result;
	if (!file->operations->seekable)
		return file->operations->write(thread, file, from, NULL);
	pthread_mutex_lock(&file->lock);
	uint64_t offset = file->offset;
	result = file->operations->write(thread, file, from, &offset);
	if (result > 0)
		file->offset = offset;
	pthread_mutex_unlock(&file->lock);
	return result;
}

int64_t open_file_read_at(struct thread *thread, struct open_file *file, struct span to, uint64_t offset)
{
	int64_t error = check_read(file);

	if (error)
		return error;
	return file->operations->seekable ? file->operations->read(thread, file, to, &offset) : -LINUX_ESPIPE;
}

int64_t open_file_write_at(struct thread *thread, struct open_file *file, struct span from, uint64_t offset)
{
	int64_t error = check_write(file);

	if (error)
		return error;
	return file->operations->seekable ? file->operations->write(thread, file, from, &offset)
					  : -LINUX_ESPIPE;
}

int64_t open_file_attributes(struct open_file *file, struct file_attributes *attributes)
{
	if (file->operations->attributes)
		return file->operations->attributes(file, attributes);
	return server_get_attributes(
		&(struct server_path){.directory = file->node, .text = ""}, 0, attributes);
}

int64_t open_file_content(struct open_file *file, handle_t *memory, uint64_t *size)
{
	if (!open_file_readable(file))
		return -LINUX_EACCES;
	return file->operations->content ? file->operations->content(file, memory, size) : -LINUX_ENODEV;
}

uint32_t open_file_ready(struct open_file *file)
{
	if (file->operations->ready)
		return file->operations->ready(file);
	return LINUX_POLLIN | LINUX_POLLRDNORM | LINUX_POLLOUT | LINUX_POLLWRNORM;
}

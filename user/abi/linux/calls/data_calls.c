// SPDX-License-Identifier: MIT
//
// The calls that move a file's data: read and write in their forms, seeking, sizes, synchronisation.

#include <linux/calls/calls.h>
#include <linux/files/open.h>
#include <linux/files/open_file.h>
#include <linux/files/table.h>
#include <linux/interface/errors.h>
#include <linux/interface/files.h>
#include <linux/memory/guest_copy.h>
#include <linux/process/process.h>

#include <stdlib.h>

#define COPY_CHUNK ((size_t)64 * 1024)

// One of the four ways to move a span: `offset` only counts for those that take one.
typedef int64_t transfer(struct thread *thread, struct open_file *file, struct span span, uint64_t offset);

static int64_t read_next(struct thread *thread, struct open_file *file, struct span to, uint64_t offset)
{
	(void)offset;
	return open_file_read(thread, file, to);
}

static int64_t write_next(struct thread *thread, struct open_file *file, struct span from, uint64_t offset)
{
	(void)offset;
	return open_file_write(thread, file, from);
}

static int64_t transfer_buffer(struct thread *thread, int32_t descriptor, guest_address_t buffer,
	uint64_t length, int64_t offset, transfer *move)
{
	struct open_file *file = file_table_get(thread->files, descriptor);
	struct span span;

	if (!file)
		return -LINUX_EBADF;
	int64_t result = guest_span(thread, buffer, length, &span);
	if (!result)
		result = offset < 0 ? -LINUX_EINVAL : move(thread, file, span, (uint64_t)offset);
	open_file_release(file);
	return result;
}

int64_t linux_read(struct thread *thread, int32_t descriptor, guest_address_t buffer, uint64_t length)
{
	return transfer_buffer(thread, descriptor, buffer, length, 0, read_next);
}

int64_t linux_write(struct thread *thread, int32_t descriptor, guest_address_t buffer, uint64_t length)
{
	return transfer_buffer(thread, descriptor, buffer, length, 0, write_next);
}

int64_t linux_pread64(
	struct thread *thread, int32_t descriptor, guest_address_t buffer, uint64_t length, int64_t offset)
{
	return transfer_buffer(thread, descriptor, buffer, length, offset, open_file_read_at);
}

int64_t linux_pwrite64(
	struct thread *thread, int32_t descriptor, guest_address_t buffer, uint64_t length, int64_t offset)
{
	return transfer_buffer(thread, descriptor, buffer, length, offset, open_file_write_at);
}

// Whether to go on with the next span: a read that has got something does not wait for more.
static bool has_more(struct open_file *file, transfer *move)
{
	return move != read_next || (open_file_ready(file) & LINUX_POLLIN);
}

// Moves one span after the other until one is moved in part. How many bytes, or the error of the first.
static int64_t transfer_spans(struct thread *thread, struct open_file *file, const struct linux_iovec *vector,
	uint64_t count, uint64_t offset, transfer *move)
{
	uint64_t done = 0;

	for (uint64_t index = 0; index < count && (done == 0 || has_more(file, move)); index++) {
		struct span span;
		int64_t result = guest_span(thread, vector[index].base, vector[index].length, &span);

		if (!result)
			result = move(thread, file, span, offset + done);
		if (result < 0)
			return done > 0 ? (int64_t)done : result;
		done += (uint64_t)result;
		if ((uint64_t)result < vector[index].length)
			break;
	}
	return (int64_t)done;
}

// The vector, to be freed, if its lengths make sense.
static int64_t take_vector(
	struct thread *thread, guest_address_t address, uint64_t count, struct linux_iovec **vector)
{
	uint64_t total = 0;

	if (count > LINUX_IOV_MAX)
		return -LINUX_EINVAL;
	*vector = calloc(count + 1, sizeof(**vector));
	if (!*vector)
		return -LINUX_ENOMEM;
	int64_t error = copy_from_guest(thread, *vector, address, count * sizeof(**vector));
	for (uint64_t index = 0; index < count && !error; index++) {
		uint64_t length = (*vector)[index].length;

		if (length > INT64_MAX - total)
			error = -LINUX_EINVAL;
		total += length;
	}
	if (error)
		free(*vector);
	return error;
}

static int64_t transfer_vector(struct thread *thread, int32_t descriptor, guest_address_t address,
	uint64_t count, int64_t offset, transfer *move)
{
	struct open_file *file = file_table_get(thread->files, descriptor);
	struct linux_iovec *vector;

	if (!file)
		return -LINUX_EBADF;
	int64_t result = offset < 0 ? -LINUX_EINVAL : take_vector(thread, address, count, &vector);
	if (!result) {
		result = transfer_spans(thread, file, vector, count, (uint64_t)offset, move);
		free(vector);
	}
	open_file_release(file);
	return result;
}

int64_t linux_readv(struct thread *thread, int32_t descriptor, guest_address_t vector, uint64_t count)
{
	return transfer_vector(thread, descriptor, vector, count, 0, read_next);
}

int64_t linux_writev(struct thread *thread, int32_t descriptor, guest_address_t vector, uint64_t count)
{
	return transfer_vector(thread, descriptor, vector, count, 0, write_next);
}

int64_t linux_preadv(
	struct thread *thread, int32_t descriptor, guest_address_t vector, uint64_t count, int64_t offset)
{
	return transfer_vector(thread, descriptor, vector, count, offset, open_file_read_at);
}

int64_t linux_pwritev(
	struct thread *thread, int32_t descriptor, guest_address_t vector, uint64_t count, int64_t offset)
{
	return transfer_vector(thread, descriptor, vector, count, offset, open_file_write_at);
}

// Where sendfile reads from: the file's own position, or one that the guest keeps.
struct send_source {
	struct open_file *file;
	bool has_offset;
	uint64_t offset;
};

static int64_t read_source(struct thread *thread, struct send_source *source, struct span to)
{
	if (!source->has_offset)
		return open_file_read(thread, source->file, to);
	int64_t result = open_file_read_at(thread, source->file, to, source->offset);
	if (result > 0)
		source->offset += (uint64_t)result;
	return result;
}

// Writes all, however many writes it takes.
static int64_t write_all(struct thread *thread, struct open_file *file, struct span from)
{
	uint64_t done = 0;

	while (done < from.length) {
		int64_t result = open_file_write(thread, file, span_rest(from, done));

		if (result <= 0)
			return result < 0 ? result : -LINUX_EIO;
		done += (uint64_t)result;
	}
	return 0;
}

static int64_t send_all(
	struct thread *thread, struct open_file *to, struct send_source *source, uint64_t length)
{
	char *chunk = malloc(COPY_CHUNK);
	uint64_t done = 0;
	int64_t result = chunk ? 0 : -LINUX_ENOMEM;

	while (!result && done < length && !thread_ends(thread)) {
		size_t size = length - done < COPY_CHUNK ? length - done : COPY_CHUNK;
		int64_t got = read_source(thread, source, span_own(chunk, size));

		if (got <= 0) {
			result = got;
			break;
		}
		result = write_all(thread, to, span_own(chunk, (size_t)got));
		if (!result)
			done += (uint64_t)got;
	}
	free(chunk);
	return done > 0 ? (int64_t)done : result;
}

int64_t linux_sendfile(
	struct thread *thread, int32_t to, int32_t from, guest_address_t offset, uint64_t length)
{
	struct open_file *target = file_table_get(thread->files, to);
	struct send_source source = {.file = file_table_get(thread->files, from), .has_offset = offset != 0};
	int64_t result = target && source.file ? 0 : -LINUX_EBADF;

	if (length > LINUX_COUNT_MAX)
		length = LINUX_COUNT_MAX;
	if (!result && !source.file->operations->seekable)
		result = -LINUX_EINVAL;
	if (!result && source.has_offset)
		result = copy_from_guest(thread, &source.offset, offset, sizeof(source.offset));
	if (!result && source.offset > INT64_MAX)
		result = -LINUX_EINVAL;
	if (!result)
		result = send_all(thread, target, &source, length);
	if (result >= 0 && source.has_offset &&
		copy_to_guest(thread, offset, &source.offset, sizeof(source.offset)))
		result = -LINUX_EFAULT;
	if (target)
		open_file_release(target);
	if (source.file)
		open_file_release(source.file);
	return result;
}

// The position that a seek asks for. `end` is the size, where it matters.
static int64_t seek_position(struct open_file *file, int64_t offset, uint32_t origin)
{
	struct file_attributes attributes;
	int64_t base = 0;

	if (origin == LINUX_SEEK_CUR) {
		base = (int64_t)file->offset;
	} else if (origin == LINUX_SEEK_END) {
		int64_t error = open_file_attributes(file, &attributes);

		if (error)
			return error;
		base = (int64_t)attributes.size;
	} else if (origin != LINUX_SEEK_SET) {
		return -LINUX_EINVAL;
	}
	if (__builtin_add_overflow(base, offset, &base) || base < 0)
		return -LINUX_EINVAL;
	return base;
}

int64_t linux_lseek(struct thread *thread, int32_t descriptor, int64_t offset, uint32_t origin)
{
	struct open_file *file = file_table_get(thread->files, descriptor);
	int64_t result = -LINUX_ESPIPE;

	if (!file)
		return -LINUX_EBADF;
	if (file->operations->seekable || file->operations->read_directory) {
		pthread_mutex_lock(&file->lock);
		result = seek_position(file, offset, origin);
		if (result >= 0)
			file->offset = (uint64_t)result;
		pthread_mutex_unlock(&file->lock);
	}
	open_file_release(file);
	return result;
}

// Sets the size of a file of the file server.
static int64_t set_size(const struct server_path *path, int64_t length)
{
	struct file_attributes attributes = {.size = (uint64_t)length};

	return length < 0 ? -LINUX_EINVAL : server_set_attributes(path, 0, FILE_SET_SIZE, &attributes);
}

int64_t linux_truncate(struct thread *thread, guest_address_t address, int64_t length)
{
	struct path path;
	int64_t result = path_take(thread, LINUX_AT_FDCWD, address, 0, &path);

	if (result)
		return result;
	result = path_locate(thread, &path, true);
	if (!result) {
		struct server_path at_server = path_at_server(&path);

		result = path.is_proc ? -LINUX_EACCES : set_size(&at_server, length);
	}
	path_release(&path);
	return result;
}

int64_t linux_ftruncate(struct thread *thread, int32_t descriptor, int64_t length)
{
	struct open_file *file = file_table_get(thread->files, descriptor);
	int64_t result = -LINUX_EINVAL;

	if (!file)
		return -LINUX_EBADF;
	if (open_file_writable(file) && file->operations->content)
		result = set_size(&(struct server_path){.directory = file->node, .text = ""}, length);
	open_file_release(file);
	return result;
}

// Only what makes a file at least so long; storage cannot be reserved.
int64_t linux_fallocate(
	struct thread *thread, int32_t descriptor, uint32_t mode, int64_t offset, int64_t length)
{
	struct open_file *file = file_table_get(thread->files, descriptor);
	struct file_attributes attributes;
	int64_t end;

	if (!file)
		return -LINUX_EBADF;
	int64_t result = open_file_attributes(file, &attributes);
	if (!result && (offset < 0 || length <= 0))
		result = -LINUX_EINVAL;
	else if (!result && __builtin_add_overflow(offset, length, &end))
		result = -LINUX_EFBIG;
	else if (!result && (mode != 0 || !file->operations->content))
		result = -LINUX_EOPNOTSUPP;
	else if (!result && !open_file_writable(file))
		result = -LINUX_EBADF;
	else if (!result && (uint64_t)end > attributes.size)
		result = set_size(&(struct server_path){.directory = file->node, .text = ""}, end);
	open_file_release(file);
	return result;
}

// 0 for any open file: what the file server holds is as safe as it gets.
static int64_t check_descriptor(struct thread *thread, int32_t descriptor)
{
	struct open_file *file = file_table_get(thread->files, descriptor);

	if (!file)
		return -LINUX_EBADF;
	open_file_release(file);
	return 0;
}

int64_t linux_fadvise64(struct thread *thread, int32_t descriptor)
{
	return check_descriptor(thread, descriptor);
}

int64_t linux_sync(struct thread *thread)
{
	(void)thread;
	return 0;
}

int64_t linux_fsync(struct thread *thread, int32_t descriptor)
{
	return check_descriptor(thread, descriptor);
}

int64_t linux_fdatasync(struct thread *thread, int32_t descriptor)
{
	return check_descriptor(thread, descriptor);
}

int64_t linux_syncfs(struct thread *thread, int32_t descriptor)
{
	return check_descriptor(thread, descriptor);
}

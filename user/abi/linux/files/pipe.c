// SPDX-License-Identifier: MIT
//
// Pipes: a ring of bytes between a reading and a writing end. Writes of up to LINUX_PIPE_BUF bytes go in
// whole or wait until they can.

#include <linux/files/pipe.h>

#include <linux/files/attributes.h>
#include <linux/files/open_file.h>
#include <linux/interface/errors.h>
#include <linux/interface/files.h>
#include <linux/interface/signal.h>
#include <linux/memory/guest_copy.h>
#include <linux/process/process.h>
#include <linux/process/signal.h>

#include <stdatomic.h>
#include <stdlib.h>

#define PIPE_SIZE ((size_t)64 * 1024)

struct pipe {
	pthread_mutex_t lock; // guards all below
	struct wait_queue changed;
	size_t start, length; // of what is in the ring
	bool has_reader, has_writer;
	uint64_t node;
	char ring[PIPE_SIZE];
};

struct pipe_end {
	struct open_file file;
	struct pipe *pipe;
};

static struct pipe *pipe_of(struct open_file *file)
{
	return ((struct pipe_end *)file)->pipe;
}

// What of a span of `length` bytes can be copied in one go at a place of the ring.
static size_t contiguous(size_t place, size_t length)
{
	return length < PIPE_SIZE - place ? length : PIPE_SIZE - place;
}

// Moves out what is there. -LINUX_EAGAIN: nothing, yet; 0: nothing, for ever.
static int64_t pipe_take(struct pipe *pipe, struct span to)
{
	uint64_t done = 0;

	pthread_mutex_lock(&pipe->lock);
	int64_t result = pipe->length == 0 && pipe->has_writer ? -LINUX_EAGAIN : 0;
	while (pipe->length > 0 && done < to.length) {
		size_t wanted = to.length - done < pipe->length ? to.length - done : pipe->length;
		size_t chunk = contiguous(pipe->start, wanted);

		result = span_write(span_rest(to, done), pipe->ring + pipe->start, chunk);
		if (result)
			break;
		pipe->start = (pipe->start + chunk) % PIPE_SIZE;
		pipe->length -= chunk;
		done += chunk;
	}
	pthread_mutex_unlock(&pipe->lock);
	if (done == 0)
		return result;
	wait_wake(&pipe->changed);
	return (int64_t)done;
}

// Moves in what there is room for. -LINUX_EAGAIN: none yet; -LINUX_EPIPE: nobody will read it.
static int64_t pipe_put(struct pipe *pipe, struct span from)
{
	size_t needed = from.length <= LINUX_PIPE_BUF ? from.length : 1;
	uint64_t done = 0;
	int64_t result = -LINUX_EPIPE;

	pthread_mutex_lock(&pipe->lock);
	if (pipe->has_reader)
		result = PIPE_SIZE - pipe->length < needed ? -LINUX_EAGAIN : 0;
	while (result == 0 && pipe->length < PIPE_SIZE && done < from.length) {
		size_t room = PIPE_SIZE - pipe->length;
		size_t wanted = from.length - done < room ? from.length - done : room;
		size_t end = (pipe->start + pipe->length) % PIPE_SIZE;
		size_t chunk = contiguous(end, wanted);

		result = span_read(span_rest(from, done), pipe->ring + end, chunk);
		if (result)
			break;
		pipe->length += chunk;
		done += chunk;
	}
	pthread_mutex_unlock(&pipe->lock);
	if (done == 0)
		return result;
	wait_wake(&pipe->changed);
	return (int64_t)done;
}

static int64_t pipe_read(
	struct thread *thread, struct open_file *file, struct span to, const uint64_t *offset)
{
	struct pipe *pipe = pipe_of(file);
	struct wait_entry entry;
	int64_t result;

	(void)offset;
	if (to.length == 0)
		return 0;
	wait_join(&entry, thread, &pipe->changed);
	while ((result = pipe_take(pipe, to)) == -LINUX_EAGAIN && !open_file_nonblocking(file)) {
		result = wait_sleep(thread, DEADLINE_NEVER);
		if (result)
			break;
	}
	wait_leave(&entry);
	return result;
}

static void send_sigpipe(struct thread *thread)
{
	static const struct signal_cause cause = {.code = LINUX_SI_KERNEL};

	pthread_mutex_lock(&process_lock);
	signal_send_thread(thread, LINUX_SIGPIPE, &cause);
	pthread_mutex_unlock(&process_lock);
}

static int64_t pipe_write(struct thread *thread, struct open_file *file, struct span from, uint64_t *offset)
{
	struct pipe *pipe = pipe_of(file);
	struct wait_entry entry;
	uint64_t done = 0;
	int64_t result = 0;

	(void)offset;
	wait_join(&entry, thread, &pipe->changed);
	while (done < from.length) {
		result = pipe_put(pipe, span_rest(from, done));
		if (result > 0)
			done += (uint64_t)result;
		else if (result != -LINUX_EAGAIN || open_file_nonblocking(file))
			break;
		else if ((result = wait_sleep(thread, DEADLINE_NEVER)))
			break;
	}
	wait_leave(&entry);
	if (result == -LINUX_EPIPE)
		send_sigpipe(thread);
	return done > 0 ? (int64_t)done : result;
}

static int64_t pipe_control(
	struct thread *thread, struct open_file *file, uint32_t request, uint64_t argument)
{
	struct pipe *pipe = pipe_of(file);

	if (request != LINUX_FIONREAD)
		return -LINUX_ENOTTY;
	pthread_mutex_lock(&pipe->lock);
	int32_t length = (int32_t)pipe->length;
	pthread_mutex_unlock(&pipe->lock);
	return copy_to_guest(thread, argument, &length, sizeof(length));
}

static int64_t pipe_attributes(struct open_file *file, struct file_attributes *attributes)
{
	*attributes = attributes_make(FILE_SYSTEM_PIPES, pipe_of(file)->node, FILE_TYPE_PIPE | 0600);
	return 0;
}

static uint32_t pipe_ready(struct open_file *file)
{
	struct pipe *pipe = pipe_of(file);
	uint32_t ready = 0;

	pthread_mutex_lock(&pipe->lock);
	if (open_file_readable(file)) {
		if (pipe->length > 0)
			ready |= LINUX_POLLIN | LINUX_POLLRDNORM;
		if (!pipe->has_writer)
			ready |= LINUX_POLLHUP;
	} else {
		if (PIPE_SIZE - pipe->length >= LINUX_PIPE_BUF)
			ready |= LINUX_POLLOUT | LINUX_POLLWRNORM;
		if (!pipe->has_reader)
			ready |= LINUX_POLLERR;
	}
	pthread_mutex_unlock(&pipe->lock);
	return ready;
}

static struct wait_queue *pipe_changes(struct open_file *file)
{
	return &pipe_of(file)->changed;
}

static void pipe_release(struct open_file *file)
{
	struct pipe *pipe = pipe_of(file);

	pthread_mutex_lock(&pipe->lock);
	if (open_file_readable(file))
		pipe->has_reader = false;
	else
		pipe->has_writer = false;
	bool last = !pipe->has_reader && !pipe->has_writer;
	if (!last)
		wait_wake(&pipe->changed);
	pthread_mutex_unlock(&pipe->lock);
	if (last)
		free(pipe);
}

static const struct file_operations pipe_operations = {
	.read = pipe_read,
	.write = pipe_write,
	.control = pipe_control,
	.attributes = pipe_attributes,
	.ready = pipe_ready,
	.changes = pipe_changes,
	.release = pipe_release,
};

static struct open_file *create_end(struct pipe *pipe, uint32_t flags)
{
	struct pipe_end *end = open_file_create(sizeof(*end), &pipe_operations, flags, HANDLE_NONE);

	if (!end)
		return NULL;
	end->pipe = pipe;
	return &end->file;
}

int64_t pipe_create(uint32_t flags, struct open_file **reader, struct open_file **writer)
{
	static _Atomic uint64_t nodes;
	struct pipe *pipe = calloc(1, sizeof(*pipe));

	if (!pipe)
		return -LINUX_ENOMEM;
	pipe->has_reader = pipe->has_writer = true;
	pipe->node = atomic_fetch_add(&nodes, 1) + 1;
	pthread_mutex_init(&pipe->lock, NULL);
	wait_queue_init(&pipe->changed);
	*reader = create_end(pipe, LINUX_O_RDONLY | flags);
	if (!*reader) {
		free(pipe);
		return -LINUX_ENOMEM;
	}
	pipe->has_writer = (*writer = create_end(pipe, LINUX_O_WRONLY | flags));
	if (!*writer) {
		open_file_release(*reader);
		return -LINUX_ENOMEM;
	}
	return 0;
}

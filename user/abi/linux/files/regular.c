// SPDX-License-Identifier: MIT
//
// Regular files: the server copies straight from and to the guest's memory.

#include <linux/files/regular.h>

#include <linux/files/open_file.h>
#include <linux/files/server.h>
#include <linux/interface/errors.h>
#include <linux/interface/files.h>
#include <linux/process/process.h>

// Most bytes that one request moves, so that no guest keeps the server from the others for long.
#define PIECE_MAX ((uint64_t)1024 * 1024)

// The next piece of a span; empty at its end, or where the thread has to end.
static struct span next_piece(struct thread *thread, struct span span, uint64_t done)
{
	struct span rest = span_rest(span, done);

	if (thread_ends(thread))
		return span_start(rest, 0);
	return span_start(rest, rest.length < PIECE_MAX ? rest.length : PIECE_MAX);
}

static int64_t regular_read(
	struct thread *thread, struct open_file *file, struct span to, const uint64_t *offset)
{
	struct span piece;
	uint64_t done = 0;

	while ((piece = next_piece(thread, to, done)).length > 0) {
		int64_t result = server_read(file->node, piece, *offset + done);

		if (result < 0)
			return done > 0 ? (int64_t)done : result;
		done += (uint64_t)result;
		if ((uint64_t)result < piece.length)
			break;
	}
	return (int64_t)done;
}

static int64_t regular_write(
	struct thread *thread, struct open_file *file, struct span from, uint64_t *offset)
{
	struct span piece;
	uint64_t done = 0;

	while ((piece = next_piece(thread, from, done)).length > 0) {
		uint64_t at = file->flags & LINUX_O_APPEND ? FILE_OFFSET_END : *offset;
		int64_t result = server_write(file->node, piece, at, offset);

		if (result < 0)
			return done > 0 ? (int64_t)done : result;
		done += (uint64_t)result;
		if ((uint64_t)result < piece.length)
			break;
	}
	return (int64_t)done;
}

static int64_t regular_content(struct open_file *file, handle_t *memory, uint64_t *size)
{
	struct file_attributes attributes;
	int64_t error = open_file_attributes(file, &attributes);

	*memory = HANDLE_NONE;
	*size = 0;
	if (error || attributes.size == 0)
		return error;
	return server_get_memory(file->node, memory, size);
}

static const struct file_operations regular_operations = {
	.seekable = true,
	.read = regular_read,
	.write = regular_write,
	.content = regular_content,
};

struct open_file *regular_create(uint32_t flags, handle_t node)
{
	return open_file_create(sizeof(struct open_file), &regular_operations, flags, node);
}

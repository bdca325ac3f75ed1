// SPDX-License-Identifier: MIT
//
// The standard streams of a session without a terminal: bytes go to the console as they are, and there is no
// input.

#include <linux/files/attributes.h>
#include <linux/files/open_file.h>
#include <linux/interface/files.h>
#include <linux/terminal/console.h>
#include <linux/terminal/terminal_file.h>

struct stream {
	struct open_file file;
	enum console_stream stream;
};

static int64_t stream_write(struct thread *thread, struct open_file *file, struct span from, uint64_t *offset)
{
	(void)thread;
	(void)offset;
	return console_write_span(((struct stream *)file)->stream, from);
}

static int64_t stream_read(
	struct thread *thread, struct open_file *file, struct span to, const uint64_t *offset)
{
	(void)thread;
	(void)file;
	(void)to;
	(void)offset;
	return 0;
}

static int64_t stream_attributes(struct open_file *file, struct file_attributes *attributes)
{
	uint64_t node = 2 + (uint64_t)((struct stream *)file)->stream;

	*attributes = attributes_make(FILE_SYSTEM_CONSOLE, node, FILE_TYPE_PIPE | 0600);
	return 0;
}

static const struct file_operations stream_operations = {
	.read = stream_read,
	.write = stream_write,
	.attributes = stream_attributes,
};

struct open_file *stream_create_output(enum console_stream stream)
{
	struct stream *created = open_file_create(
		sizeof(*created), &stream_operations, LINUX_O_WRONLY, HANDLE_NONE);

	if (!created)
		return NULL;
	created->stream = stream;
	return &created->file;
}

struct open_file *stream_create_input(void)
{
	struct stream *created = open_file_create(
		sizeof(*created), &stream_operations, LINUX_O_RDONLY, HANDLE_NONE);

	return created ? &created->file : NULL;
}

// SPDX-License-Identifier: MIT
//
// Regular files: the server copies straight from and to the guest's memory.

#include <linux/files/regular.h>

#include <linux/files/open_file.h>
#include <linux/files/server.h>
#include <linux/interface/errors.h>
#include <linux/interface/files.h>

static int64_t regular_read(
	struct thread *thread, struct open_file *file, struct span to, const uint64_t *offset)
{
	(void)thread;
	return to.length == 0 ? 0 : server_read(file->node, to, *offset);
}

static int64_t regular_write(
	struct thread *thread, struct open_file *file, struct span from, uint64_t *offset)
{
	(void)thread;
	if (from.length == 0)
		return 0;
	return server_write(
		file->node, from, file->flags & LINUX_O_APPEND ? FILE_OFFSET_END : *offset, offset);
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

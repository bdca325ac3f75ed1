// SPDX-License-Identifier: MIT
//
// Directories of the file server. Positions: 0 is ".", 1 is "..", from 2 on they are the server's cursors
// plus 2.

#include <linux/files/directory.h>

#include <linux/files/open_file.h>
#include <linux/files/server.h>
#include <linux/interface/errors.h>

#include <stdlib.h>
#include <string.h>

#define POSITION_FIRST 2 // after "." and ".."
#define BUFFER_SIZE    8192

// Emits the directory itself or its parent.
static bool emit_dots(
	struct open_file *file, const char *name, uint64_t next, directory_emit *emit, void *context)
{
	struct server_path path = {.directory = file->node, .text = name, .length = strlen(name)};
	struct file_attributes attributes = {.node = 1};

	server_get_attributes(&path, 0, &attributes);
	return emit(context,
		&(struct directory_entry){
			.node = attributes.node,
			.next = next,
			.type = FILE_TYPE_DIRECTORY,
			.name = name,
			.name_length = strlen(name),
		});
}

// Emits the entries that a buffer has been filled with. False: there was no room, or the buffer makes no
// sense.
static bool emit_buffer(
	const char *buffer, size_t size, uint64_t *cursor, directory_emit *emit, void *context)
{
	for (size_t offset = 0; size - offset >= sizeof(struct file_entry);) {
		const struct file_entry *entry = (const struct file_entry *)(buffer + offset);

		if (entry->length > size - offset || sizeof(*entry) + entry->name_length > entry->length)
			return false;
		bool taken = emit(context,
			&(struct directory_entry){
				.node = entry->node,
				.next = entry->cursor + POSITION_FIRST,
				.type = entry->type,
				.name = entry->name,
				.name_length = entry->name_length,
			});
		if (!taken)
			return false;
		*cursor = entry->cursor;
		offset += entry->length;
	}
	return true;
}

static int64_t directory_read(struct open_file *file, uint64_t position, directory_emit *emit, void *context)
{
	if (position == 0 && !emit_dots(file, ".", 1, emit, context))
		return 0;
	if (position <= 1 && !emit_dots(file, "..", POSITION_FIRST, emit, context))
		return 0;
	char *buffer = malloc(BUFFER_SIZE);
	if (!buffer)
		return -LINUX_ENOMEM;
	uint64_t cursor = position > POSITION_FIRST ? position - POSITION_FIRST : 0;
	int64_t size;
	do
		size = server_read_directory(file->node, buffer, BUFFER_SIZE, cursor);
	while (size > 0 && emit_buffer(buffer, (size_t)size, &cursor, emit, context));
	free(buffer);
	return size < 0 ? size : 0;
}

static const struct file_operations directory_operations = {
	.read_directory = directory_read,
};

struct open_file *directory_create(uint32_t flags, handle_t node)
{
	return open_file_create(sizeof(struct open_file), &directory_operations, flags, node);
}

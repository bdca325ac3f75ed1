// SPDX-License-Identifier: MIT
//
// Opening: the type of what the file server has under a path decides what kind of open file it becomes.

#include "files/open.h"

#include "files/device.h"
#include "files/directory.h"
#include "files/open_file.h"
#include "files/regular.h"
#include "interface/errors.h"
#include "proc/proc.h"

// What is kept in an open file's flags: the others only matter while it is opened.
#define FLAGS_KEPT (LINUX_O_ACCMODE | LINUX_O_APPEND | LINUX_O_NONBLOCK | LINUX_O_PATH)

static uint64_t flags_for_server(uint32_t flags)
{
	uint64_t result = 0;

	if (!(flags & LINUX_O_PATH)) {
		if ((flags & LINUX_O_ACCMODE) != LINUX_O_WRONLY)
			result |= FILE_OPEN_READ;
		if ((flags & LINUX_O_ACCMODE) != LINUX_O_RDONLY)
			result |= FILE_OPEN_WRITE;
		if (flags & LINUX_O_CREAT)
			result |= FILE_OPEN_CREATE;
		if (flags & LINUX_O_EXCL)
			result |= FILE_OPEN_EXCLUSIVE;
		if ((flags & LINUX_O_TRUNC) && (result & FILE_OPEN_WRITE))
			result |= FILE_OPEN_TRUNCATE;
	}
	if (flags & LINUX_O_DIRECTORY)
		result |= FILE_OPEN_DIRECTORY;
	if (flags & LINUX_O_NOFOLLOW)
		result |= FILE_OPEN_NO_FOLLOW;
	return result;
}

// Makes an open file of a file capability, which it takes over.
static int64_t open_by_type(struct thread *thread, const struct path *path, uint32_t flags, handle_t node,
	const struct file_attributes *attributes, struct open_file **file)
{
	uint32_t kept = flags & FLAGS_KEPT;
	uint64_t type = attributes->mode & FILE_TYPE_MASK;

	if (type == FILE_TYPE_DIRECTORY) {
		*file = directory_create(path, kept, node);
		return *file ? 0 : -LINUX_ENOMEM;
	}
	if (type == FILE_TYPE_REGULAR || (flags & LINUX_O_PATH)) {
		*file = regular_create(kept, node);
		return *file ? 0 : -LINUX_ENOMEM;
	}
	if (type == FILE_TYPE_CHARACTER)
		return device_open(thread, attributes->device, kept, node, file);
	server_close(node);
	return type == FILE_TYPE_LINK ? -LINUX_ELOOP : -LINUX_ENXIO;
}

int64_t file_open_path(
	struct thread *thread, struct path *path, uint32_t flags, uint32_t mode, struct open_file **file)
{
	struct server_path at_server;
	struct file_attributes attributes;
	bool follow = !(flags & LINUX_O_NOFOLLOW) &&
		(flags & (LINUX_O_CREAT | LINUX_O_EXCL)) != (LINUX_O_CREAT | LINUX_O_EXCL);
	handle_t node;
	int64_t error = path_locate(thread, path, follow);

	if (error)
		return error;
	if (path->is_proc)
		return proc_open(thread, path->text, flags & (FLAGS_KEPT | LINUX_O_DIRECTORY), file);
	at_server = path_at_server(path);
	error = server_open(&at_server, flags_for_server(flags), mode, &node, &attributes);
	if (error == -LINUX_ENOENT && path_crosses(thread, path, follow))
		return proc_open(thread, path->text, flags & (FLAGS_KEPT | LINUX_O_DIRECTORY), file);
	return error ? error : open_by_type(thread, path, flags, node, &attributes, file);
}

int64_t file_path_attributes(
	struct thread *thread, struct path *path, bool follow, struct file_attributes *attributes)
{
	struct server_path at_server;

	if (path->length == 0)
		return open_file_attributes(path->base, attributes);
	int64_t error = path_locate(thread, path, follow);
	if (error)
		return error;
	if (path->is_proc)
		return proc_attributes(thread, path->text, follow, attributes);
	at_server = path_at_server(path);
	error = server_get_attributes(&at_server, follow ? 0 : FILE_NO_FOLLOW, attributes);
	if (error == -LINUX_ENOENT && path_crosses(thread, path, follow))
		return proc_attributes(thread, path->text, follow, attributes);
	return error;
}

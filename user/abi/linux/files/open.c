// SPDX-License-Identifier: MIT
//
// Opening: the type of what the file server has under a path decides what kind of open file it becomes.

#include <linux/files/open.h>

#include <linux/files/device.h>
#include <linux/files/directory.h>
#include <linux/files/open_file.h>
#include <linux/files/regular.h>
#include <linux/interface/errors.h>
#include <linux/proc/proc.h>

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
static int64_t create_by_type(struct thread *thread, uint32_t flags, handle_t node,
	const struct file_attributes *attributes, struct open_file **file)
{
	uint32_t kept = flags & FLAGS_KEPT;
	uint64_t type = attributes->mode & FILE_TYPE_MASK;

	if (type == FILE_TYPE_DIRECTORY) {
		*file = directory_create(kept, node);
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

// The same, with the path that it was opened by.
static int64_t open_by_type(struct thread *thread, const struct path *path, uint32_t flags, handle_t node,
	const struct file_attributes *attributes, struct open_file **file)
{
	int64_t error = create_by_type(thread, flags, node, attributes, file);

	if (error)
		return error;
	(*file)->path = path_text(path);
	if ((*file)->path)
		return 0;
	open_file_release(*file);
	return -LINUX_ENOMEM;
}

// Opens what a path names as far as it is resolved.
static int64_t open_located(
	struct thread *thread, struct path *path, uint32_t flags, uint32_t mode, struct open_file **file)
{
	struct server_path at_server = path_at_server(path);
	struct file_attributes attributes;
	handle_t node;

	if (path->is_proc)
		return proc_open(thread, path->text, flags & (FLAGS_KEPT | LINUX_O_DIRECTORY), file);
	int64_t error = server_open(&at_server, flags_for_server(flags), mode, &node, &attributes);
	return error ? error : open_by_type(thread, path, flags, node, &attributes, file);
}

int64_t file_open_path(
	struct thread *thread, struct path *path, uint32_t flags, uint32_t mode, struct open_file **file)
{
	bool makes_new = (flags & LINUX_O_CREAT) && (flags & LINUX_O_EXCL);
	bool follow = !(flags & LINUX_O_NOFOLLOW) && !makes_new;
	int64_t error = path_locate(thread, path, follow);

	if (!error)
		error = open_located(thread, path, flags, mode, file);
	if (error == -LINUX_ENOENT && path_crosses(thread, path, follow))
		error = open_located(thread, path, flags, mode, file);
	return error;
}

static int64_t located_attributes(
	struct thread *thread, struct path *path, bool follow, struct file_attributes *attributes)
{
	struct server_path at_server = path_at_server(path);

	if (path->is_proc)
		return proc_attributes(thread, path->text, follow, attributes);
	return server_get_attributes(&at_server, follow ? 0 : FILE_NO_FOLLOW, attributes);
}

int64_t file_path_attributes(
	struct thread *thread, struct path *path, bool follow, struct file_attributes *attributes)
{
	if (path->length == 0)
		return open_file_attributes(path->base, attributes);
	int64_t error = path_locate(thread, path, follow);
	if (!error)
		error = located_attributes(thread, path, follow, attributes);
	if (error == -LINUX_ENOENT && path_crosses(thread, path, follow))
		error = located_attributes(thread, path, follow, attributes);
	return error;
}

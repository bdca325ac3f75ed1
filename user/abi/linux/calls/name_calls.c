// SPDX-License-Identifier: MIT
//
// The calls that make, remove and rename names, and move about among them.

#include <linux/calls/calls.h>
#include <linux/files/open.h>
#include <linux/files/open_file.h>
#include <linux/files/table.h>
#include <linux/files/view.h>
#include <linux/interface/errors.h>
#include <linux/memory/guest_copy.h>
#include <linux/proc/proc.h>
#include <linux/process/process.h>

#include <stdlib.h>
#include <string.h>

// Takes a path whose last component is to be made, removed or renamed at the file server: in /proc that
// cannot be.
static int64_t take_changeable(
	struct thread *thread, int32_t directory, guest_address_t address, struct path *path)
{
	int64_t error = path_take(thread, directory, address, 0, path);

	if (error)
		return error;
	error = path_locate(thread, path, false);
	if (!error && path->is_proc)
		error = -LINUX_EPERM;
	if (error)
		path_release(path);
	return error;
}

int64_t linux_mkdirat(struct thread *thread, int32_t directory, guest_address_t address, uint32_t mode)
{
	struct path path;
	int64_t error = take_changeable(thread, directory, address, &path);

	if (error)
		return error;
	struct server_path at_server = path_at_server(&path);
	mode = (mode & 01777) & ~file_view_mask(thread->view);
	error = server_create(&at_server, FILE_TYPE_DIRECTORY | mode, 0);
	path_release(&path);
	return error;
}

// A regular file is made by opening it.
static int64_t make_regular(const struct server_path *path, uint32_t mode)
{
	struct file_attributes attributes;
	handle_t node;
	int64_t error = server_open(path, FILE_OPEN_CREATE | FILE_OPEN_EXCLUSIVE, mode, &node, &attributes);

	if (!error)
		server_close(node);
	return error;
}

int64_t linux_mknodat(
	struct thread *thread, int32_t directory, guest_address_t address, uint32_t mode, uint64_t device)
{
	uint32_t type = mode & FILE_TYPE_MASK;
	struct path path;

	if (type == FILE_TYPE_DIRECTORY || type == FILE_TYPE_LINK)
		return type == FILE_TYPE_DIRECTORY ? -LINUX_EPERM : -LINUX_EINVAL;
	int64_t error = take_changeable(thread, directory, address, &path);
	if (error)
		return error;
	struct server_path at_server = path_at_server(&path);
	mode = (mode & 07777) & ~file_view_mask(thread->view);
	if (type == 0 || type == FILE_TYPE_REGULAR)
		error = make_regular(&at_server, mode);
	else
		error = server_create(&at_server, type | mode, device);
	path_release(&path);
	return error;
}

int64_t linux_unlinkat(struct thread *thread, int32_t directory, guest_address_t address, uint32_t flags)
{
	struct path path;

	if (flags & ~(uint32_t)LINUX_AT_REMOVEDIR)
		return -LINUX_EINVAL;
	int64_t error = take_changeable(thread, directory, address, &path);
	if (error)
		return error;
	struct server_path at_server = path_at_server(&path);
	error = server_remove(&at_server, flags & LINUX_AT_REMOVEDIR ? FILE_REMOVE_DIRECTORY : 0);
	path_release(&path);
	return error;
}

int64_t linux_symlinkat(
	struct thread *thread, guest_address_t target, int32_t directory, guest_address_t address)
{
	char text[LINUX_PATH_MAX];
	int64_t length = copy_string_from_guest(thread, text, sizeof(text), target);
	struct path path;

	if (length <= 0)
		return length < 0 ? length : -LINUX_ENOENT;
	int64_t error = take_changeable(thread, directory, address, &path);
	if (error)
		return error;
	struct server_path at_server = path_at_server(&path);
	error = server_create_link(&at_server, text, (size_t)length);
	path_release(&path);
	return error;
}

// The two paths of link and rename.
struct path_pair {
	struct path old, new;
};

static int64_t take_pair(struct thread *thread, int32_t old_directory, guest_address_t old_path,
	int32_t new_directory, guest_address_t new_path, struct path_pair **result)
{
	struct path_pair *pair = malloc(sizeof(*pair));

	if (!pair)
		return -LINUX_ENOMEM;
	int64_t error = take_changeable(thread, old_directory, old_path, &pair->old);
	if (!error) {
		error = take_changeable(thread, new_directory, new_path, &pair->new);
		if (error)
			path_release(&pair->old);
	}
	if (error)
		free(pair);
	*result = pair;
	return error;
}

static void free_pair(struct path_pair *pair)
{
	path_release(&pair->old);
	path_release(&pair->new);
	free(pair);
}

// The server never follows a link in the last component: where it is to be, it is resolved here.
static int64_t follow_old(struct thread *thread, struct path *path)
{
	char *canonical = malloc(LINUX_PATH_MAX);
	int64_t error = canonical ? path_canonical(thread, path, true, canonical) : -LINUX_ENOMEM;

	if (!error) {
		path_release(path);
		error = path_set(thread, canonical, path);
	}
	free(canonical);
	return error;
}

int64_t linux_linkat(struct thread *thread, int32_t old_directory, guest_address_t old_path,
	int32_t new_directory, guest_address_t new_path, uint32_t flags)
{
	struct path_pair *pair;

	if (flags & ~(uint32_t)LINUX_AT_SYMLINK_FOLLOW)
		return -LINUX_EINVAL;
	int64_t error = take_pair(thread, old_directory, old_path, new_directory, new_path, &pair);
	if (error)
		return error;
	if (flags & LINUX_AT_SYMLINK_FOLLOW)
		error = follow_old(thread, &pair->old);
	if (!error) {
		struct server_path old = path_at_server(&pair->old), new = path_at_server(&pair->new);

		error = server_add_name(&old, &new);
		if (error == -LINUX_EISDIR)
			error = -LINUX_EPERM;
	}
	free_pair(pair);
	return error;
}

int64_t linux_renameat2(struct thread *thread, int32_t old_directory, guest_address_t old_path,
	int32_t new_directory, guest_address_t new_path, uint32_t flags)
{
	struct path_pair *pair;

	if (flags & ~(uint32_t)LINUX_RENAME_NOREPLACE)
		return -LINUX_EINVAL;
	int64_t error = take_pair(thread, old_directory, old_path, new_directory, new_path, &pair);
	if (error)
		return error;
	struct server_path old = path_at_server(&pair->old), new = path_at_server(&pair->new);
	error = server_rename(&old, &new, flags & LINUX_RENAME_NOREPLACE ? FILE_RENAME_NO_REPLACE : 0);
	free_pair(pair);
	return error;
}

int64_t linux_renameat(struct thread *thread, int32_t old_directory, guest_address_t old_path,
	int32_t new_directory, guest_address_t new_path)
{
	return linux_renameat2(thread, old_directory, old_path, new_directory, new_path, 0);
}

static int64_t read_located_link(struct thread *thread, const struct path *path, char target[LINUX_PATH_MAX])
{
	struct server_path at_server = path_at_server(path);

	return path->is_proc ? proc_read_link(thread, path->text, target)
			     : server_read_link(&at_server, target, LINUX_PATH_MAX);
}

static int64_t read_link(struct thread *thread, struct path *path, char target[LINUX_PATH_MAX])
{
	int64_t result = path_locate(thread, path, false);

	if (!result)
		result = read_located_link(thread, path, target);
	if (result == -LINUX_ENOENT && path_crosses(thread, path, false))
		result = read_located_link(thread, path, target);
	return result;
}

int64_t linux_readlinkat(struct thread *thread, int32_t directory, guest_address_t address,
	guest_address_t buffer, uint64_t length)
{
	char target[LINUX_PATH_MAX];
	struct path path;
	int64_t result = path_take(thread, directory, address, LINUX_AT_EMPTY_PATH, &path);

	if (result)
		return result;
	result = (int32_t)length <= 0 ? -LINUX_EINVAL : read_link(thread, &path, target);
	path_release(&path);
	if (result < 0)
		return result;
	uint64_t size = (uint64_t)result < length ? (uint64_t)result : length;
	if (size > sizeof(target))
		size = sizeof(target);
	return copy_to_guest(thread, buffer, target, size) ? -LINUX_EFAULT : (int64_t)size;
}

// Opens the directory of a path, by its name without links, so that getcwd can tell it.
static int64_t open_directory(struct thread *thread, const struct path *from, struct open_file **directory)
{
	struct path *path = malloc(sizeof(*path));
	char *canonical = malloc(LINUX_PATH_MAX);
	int64_t error = path && canonical ? path_canonical(thread, from, true, canonical) : -LINUX_ENOMEM;

	if (!error && !(error = path_set(thread, canonical, path))) {
		error = file_open_path(
			thread, path, LINUX_O_RDONLY | LINUX_O_PATH | LINUX_O_DIRECTORY, 0, directory);
		path_release(path);
	}
	free(canonical);
	free(path);
	return error;
}

int64_t linux_chdir(struct thread *thread, guest_address_t address)
{
	struct open_file *directory;
	struct path path;
	int64_t error = path_take(thread, LINUX_AT_FDCWD, address, 0, &path);

	if (error)
		return error;
	error = open_directory(thread, &path, &directory);
	path_release(&path);
	if (!error)
		file_view_set_directory(thread->view, directory);
	return error;
}

int64_t linux_fchdir(struct thread *thread, int32_t descriptor)
{
	struct open_file *file = file_table_get(thread->files, descriptor);
	struct open_file *directory;
	struct path path;

	if (!file)
		return -LINUX_EBADF;
	int64_t error = file->operations->read_directory ? path_set(thread, file->path, &path)
							 : -LINUX_ENOTDIR;
	open_file_release(file);
	if (error)
		return error;
	error = open_directory(thread, &path, &directory);
	path_release(&path);
	if (!error)
		file_view_set_directory(thread->view, directory);
	return error;
}

int64_t linux_getcwd(struct thread *thread, guest_address_t buffer, uint64_t length)
{
	struct open_file *directory = file_view_directory(thread->view);
	size_t size = strlen(directory->path) + 1;
	int64_t result = -LINUX_ERANGE;

	if (size <= length)
		result = copy_to_guest(thread, buffer, directory->path, size) ? -LINUX_EFAULT : (int64_t)size;
	open_file_release(directory);
	return result;
}

int64_t linux_umask(struct thread *thread, uint32_t mask)
{
	return file_view_set_mask(thread->view, mask);
}

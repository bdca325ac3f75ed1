// SPDX-License-Identifier: MIT
//
// Paths: taken from guests, and resolved as far as that is the personality's business.

#include <linux/files/path.h>

#include <linux/files/open_file.h>
#include <linux/files/root.h>
#include <linux/files/table.h>
#include <linux/files/view.h>
#include <linux/interface/errors.h>
#include <linux/memory/guest_copy.h>
#include <linux/proc/proc.h>
#include <linux/process/process.h>

#include <stdlib.h>
#include <string.h>

// Sets what the path starts from; NULL where it fails. An absolute one starts from the root, wherever it is
// sent.
static int64_t path_set_base(struct thread *thread, int32_t directory, struct path *path)
{
	if (path->text[0] == '/')
		path->base = open_file_share(root_directory());
	else if (directory == LINUX_AT_FDCWD)
		path->base = file_view_directory(thread->view);
	else
		path->base = file_table_get(thread->files, directory);
	if (!path->base)
		return -LINUX_EBADF;
	if (path->length > 0 && !path->base->operations->read_directory) {
		open_file_release(path->base);
		path->base = NULL;
		return -LINUX_ENOTDIR;
	}
	return 0;
}

int64_t path_take(
	struct thread *thread, int32_t directory, guest_address_t address, uint32_t flags, struct path *path)
{
	int64_t length = copy_string_from_guest(thread, path->text, sizeof(path->text), address);

	path->base = NULL;
	if (length < 0)
		return length;
	if (length == 0 && !(flags & LINUX_AT_EMPTY_PATH))
		return -LINUX_ENOENT;
	path->length = (size_t)length;
	path->is_proc = path->is_resolved = false;
	return path_set_base(thread, directory, path);
}

int64_t path_set(struct thread *thread, const char *text, struct path *path)
{
	path->base = NULL;
	path->length = strlen(text);
	if (path->length >= sizeof(path->text))
		return -LINUX_ENAMETOOLONG;
	memcpy(path->text, text, path->length + 1);
	path->is_proc = path->is_resolved = false;
	return path_set_base(thread, LINUX_AT_FDCWD, path);
}

void path_release(struct path *path)
{
	if (path->base)
		open_file_release(path->base);
}

struct server_path path_at_server(const struct path *path)
{
	return (struct server_path){
		.directory = path->base->node, .text = path->text, .length = path->length};
}

int64_t path_absolute(const struct path *path, char result[LINUX_PATH_MAX])
{
	size_t length = 0;

	if (path->text[0] != '/') {
		length = strlen(path->base->path);
		if (length + 1 + path->length >= LINUX_PATH_MAX)
			return -LINUX_ENAMETOOLONG;
		memcpy(result, path->base->path, length);
		result[length++] = '/';
	}
	memcpy(result + length, path->text, path->length + 1);
	return 0;
}

char *path_text(const struct path *path)
{
	size_t size = path->length + (path->text[0] == '/' ? 0 : strlen(path->base->path) + 1) + 1;
	char *text = size <= LINUX_PATH_MAX ? malloc(size) : NULL;

	if (text)
		path_absolute(path, text);
	return text;
}

// A path being resolved: what is done, and what is left to do.
struct walk {
	char *done;                // absolute, free of links; empty: the root
	size_t length;             // of done
	char left[LINUX_PATH_MAX]; // from `next` on
	char *next;
	unsigned links;
	bool through_proc; // something of /proc was on the way
};

static void walk_up(struct walk *walk)
{
	while (walk->length > 0 && walk->done[--walk->length] != '/')
		;
	walk->done[walk->length] = 0;
}

// Puts the target of a link in place of the component that was just done.
static int64_t walk_follow(struct walk *walk, const char *target, size_t length)
{
	size_t rest = strlen(walk->next);

	if (++walk->links > FILE_LINKS_MAX)
		return -LINUX_ELOOP;
	if (length + 1 + rest >= sizeof(walk->left))
		return -LINUX_ENAMETOOLONG;
	memmove(walk->left + length + 1, walk->next, rest + 1);
	memcpy(walk->left, target, length);
	walk->left[length] = '/';
	walk->next = walk->left;
	walk_up(walk);
	if (target[0] == '/') {
		walk->length = 0;
		walk->done[0] = 0;
	}
	return 0;
}

// The length of the target of the link that was just walked to, or -LINUX_EINVAL: no link.
static int64_t walk_read_link(struct thread *thread, const struct walk *walk, char target[LINUX_PATH_MAX])
{
	struct server_path path = {
		.directory = root_directory()->node, .text = walk->done, .length = walk->length};

	if (proc_contains(walk->done))
		return proc_follow_link(thread, walk->done, target);
	return server_read_link(&path, target, LINUX_PATH_MAX);
}

// Goes one component on.
static int64_t walk_component(
	struct thread *thread, struct walk *walk, const char *name, size_t length, bool follow)
{
	char target[LINUX_PATH_MAX];

	if (length > LINUX_NAME_MAX || walk->length + 1 + length >= LINUX_PATH_MAX)
		return -LINUX_ENAMETOOLONG;
	walk->done[walk->length++] = '/';
	memcpy(walk->done + walk->length, name, length);
	walk->length += length;
	walk->done[walk->length] = 0;
	walk->through_proc |= proc_contains(walk->done);

	bool last = walk->next[strspn(walk->next, "/")] == 0;
	if (last && !follow)
		return 0;
	int64_t result = walk_read_link(thread, walk, target);
	if (result >= 0)
		return walk_follow(walk, target, (size_t)result);
	// No link; or nothing there, which only the last one may be.
	return result == -LINUX_EINVAL || (last && result == -LINUX_ENOENT) ? 0 : result;
}

// path_canonical; `*through_proc`: something of /proc was on the way.
static int64_t canonicalise(struct thread *thread, const struct path *path, bool follow,
	char result[LINUX_PATH_MAX], bool *through_proc)
{
	struct walk walk = {.done = result, .next = walk.left};
	int64_t error = path_absolute(path, walk.left);

	result[0] = 0;
	while (!error && *(walk.next += strspn(walk.next, "/"))) {
		const char *name = walk.next;
		size_t length = strcspn(name, "/");

		walk.next += length;
		if (length == 2 && name[0] == '.' && name[1] == '.')
			walk_up(&walk);
		else if (length != 1 || name[0] != '.')
			error = walk_component(thread, &walk, name, length, follow);
	}
	if (!error && walk.length == 0)
		memcpy(result, "/", sizeof("/"));
	*through_proc = walk.through_proc;
	return error;
}

// Whether a path could be one of /proc, were there no links.
static bool looks_like_proc(const char *absolute)
{
	char plain[LINUX_PATH_MAX];
	size_t length = 0;

	while (*(absolute += strspn(absolute, "/"))) {
		size_t name = strcspn(absolute, "/");

		if (name == 2 && absolute[0] == '.' && absolute[1] == '.') {
			while (length > 0 && plain[--length] != '/')
				;
		} else if (name != 1 || absolute[0] != '.') {
			plain[length++] = '/';
			memcpy(plain + length, absolute, name);
			length += name;
		}
		absolute += name;
	}
	plain[length] = 0;
	return proc_contains(plain);
}

// Makes a path absolute and free of links. `*through_proc`: something of /proc was on the way.
static int64_t resolve(struct thread *thread, struct path *path, bool follow, bool *through_proc)
{
	char *canonical = malloc(LINUX_PATH_MAX);
	int64_t error = canonical ? canonicalise(thread, path, follow, canonical, through_proc)
				  : -LINUX_ENOMEM;

	if (!error) {
		open_file_release(path->base);
		path->base = open_file_share(root_directory());
		path->length = strlen(canonical);
		memcpy(path->text, canonical, path->length + 1);
		path->is_proc = proc_contains(canonical);
		path->is_resolved = true;
	}
	free(canonical);
	return error;
}

// What starts from a directory of /proc is nothing that the file server could resolve, wherever it leads.
int64_t path_locate(struct thread *thread, struct path *path, bool follow)
{
	char absolute[LINUX_PATH_MAX];
	bool through_proc;

	if (path->length == 0 || path->is_resolved)
		return 0;
	int64_t error = path_absolute(path, absolute);
	if (error || (path->base->node != HANDLE_NONE && !looks_like_proc(absolute)))
		return error;
	return resolve(thread, path, follow, &through_proc);
}

bool path_crosses(struct thread *thread, struct path *path, bool follow)
{
	bool through_proc = false;

	if (path->length == 0 || path->is_resolved)
		return false;
	return resolve(thread, path, follow, &through_proc) == 0 && through_proc;
}

int64_t path_canonical(
	struct thread *thread, const struct path *path, bool follow, char result[LINUX_PATH_MAX])
{
	bool through_proc;

	return canonicalise(thread, path, follow, result, &through_proc);
}

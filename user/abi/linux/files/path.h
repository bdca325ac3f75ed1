// SPDX-License-Identifier: MIT
//
// Paths of guests. The file server resolves them, links included, in one request; only /proc, which is the
// personality's own, needs more: a path that may lead there is resolved here, link by link.

#ifndef FILES_PATH_H
#define FILES_PATH_H

#include <linux/arch/guest.h>
#include <linux/files/server.h>
#include <linux/interface/files.h>

#include <stdbool.h>

struct open_file;
struct thread;

struct path {
	char text[LINUX_PATH_MAX];
	size_t length;
	struct open_file *base; // what a relative path starts from; referenced
	bool is_resolved;       // `text` is absolute and free of links
	bool is_proc;           // and names something in /proc
};

// Takes a path of the guest that is relative to a descriptor or LINUX_AT_FDCWD. An empty one is
// -LINUX_ENOENT, unless LINUX_AT_EMPTY_PATH is in `flags`: then it is the descriptor's file itself.
int64_t path_take(
	struct thread *thread, int32_t directory, guest_address_t address, uint32_t flags, struct path *path);

// The same for a path of the personality. Both may fail, and a path that one of them has failed to set can be
// released.
int64_t path_set(struct thread *thread, const char *text, struct path *path);

void path_release(struct path *path);

// Finds out whether a path leads into /proc. `follow`: a link at its end is followed.
int64_t path_locate(struct thread *thread, struct path *path, bool follow);

// After the file server knew no such path: whether it leads through a link into /proc. It is then resolved,
// and what was tried can be tried again.
bool path_crosses(struct thread *thread, struct path *path, bool follow);

// What to tell the file server.
struct server_path path_at_server(const struct path *path);

// Writes the absolute path, free of links, "." and "..". All but the last component must exist.
int64_t path_canonical(
	struct thread *thread, const struct path *path, bool follow, char result[LINUX_PATH_MAX]);

// Writes an absolute path, not yet resolved, of something named from a directory. -LINUX_ENAMETOOLONG.
int64_t path_absolute(const struct path *path, char result[LINUX_PATH_MAX]);

// The same in memory to be freed; NULL: no memory, or it is too long.
char *path_text(const struct path *path);

#endif

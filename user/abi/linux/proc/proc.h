// SPDX-License-Identifier: MIT
//
// /proc: what the personality knows about its processes and the system, as files. Paths here are absolute,
// free of links, and begin with /proc.

#ifndef PROC_PROC_H
#define PROC_PROC_H

#include <linux/interface/files.h>

#include <protocol/file.h>
#include <stdbool.h>

struct open_file;
struct thread;

// Whether a path is /proc or in it.
bool proc_contains(const char *path);

// Writes the target of a link that paths lead through. Its length; -LINUX_EINVAL: it is no such link;
// -LINUX_ENOENT.
int64_t proc_follow_link(struct thread *thread, const char *path, char target[LINUX_PATH_MAX]);

// The same for all that are shown as links, those of open files included.
int64_t proc_read_link(struct thread *thread, const char *path, char target[LINUX_PATH_MAX]);

// Attributes; of an open file's link those of the file where `follow`.
int64_t proc_attributes(
	struct thread *thread, const char *path, bool follow, struct file_attributes *attributes);

// Opens. An open file's link gives that file itself.
int64_t proc_open(struct thread *thread, const char *path, uint32_t flags, struct open_file **file);

#endif

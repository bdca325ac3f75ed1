// SPDX-License-Identifier: MIT
//
// From paths to open files and attributes.

#ifndef FILES_OPEN_H
#define FILES_OPEN_H

#include <linux/files/path.h>

#include <protocol/file.h>

// Opens with LINUX_O_* flags; `mode` is that of a file that is made, the mask already applied. A referenced
// file, or a negated error.
int64_t file_open_path(
	struct thread *thread, struct path *path, uint32_t flags, uint32_t mode, struct open_file **file);

// The attributes of what a path names, or of path->base where it is empty.
int64_t file_path_attributes(
	struct thread *thread, struct path *path, bool follow, struct file_attributes *attributes);

#endif

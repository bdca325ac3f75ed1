// SPDX-License-Identifier: MIT
//
// Resolving paths within a view.

#ifndef VFS_PATH_H
#define VFS_PATH_H

#include "open.h"

// Where a path leads.
struct place {
	struct node
		*directory; // that holds the last component; NULL: the path ends in no name ("/", "..", "")
	const char *name;   // the last component, good until the next resolution
	size_t name_length;
	struct entry *entry;  // of that name, if it is there
	struct node *node;    // what is there, or NULL
	bool needs_directory; // the path ends in "/"
};

// Resolves a path from a directory. A last component that does not exist is no error: `node` is NULL then.
// `follow`: a symbolic link in the last component is followed (it always is before a "/"). Errors: those of
// protocol/file.h.
enum error path_resolve(const struct view *view, struct node *start, const char *path, size_t length,
	bool follow, struct place *place);

#endif

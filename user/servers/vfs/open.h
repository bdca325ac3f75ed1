// SPDX-License-Identifier: MIT
//
// Views and the open files that were opened through them. The badge of a file capability names an open file.

#ifndef VFS_OPEN_H
#define VFS_OPEN_H

#include "node.h"

struct view {
	struct view *parent; // it was made in; NULL: made for a client of init
	struct node *root;
	bool in_use;
	bool read_only;
	uint32_t open_count;
	uint32_t open_limit;
};

struct open_file {
	struct node *node; // NULL: free
	struct view *view;
	struct view *made; // the view that it is the root of, or NULL
	uint32_t flags;    // FILE_OPEN_READ and FILE_OPEN_WRITE
	uint32_t generation;
};

// The view in which paths from an open file are resolved.
static inline struct view *open_view(const struct open_file *open)
{
	return open->made != NULL ? open->made : open->view;
}

// Sets the tree that views of init's clients show.
void open_init(struct node *root);

// Finds the open file of a badge; of a view's badge of init's making it makes the view. NULL: it is closed.
struct open_file *open_find(uint64_t badge);

// Opens a node in a view. Open files found before are good no more. Errors: NO_SLOTS.
enum error open_add(struct view *view, struct node *node, uint32_t flags, uint64_t *badge);

// Makes a view with a directory as its root, and opens that. Errors: as open_add.
enum error open_add_view(
	struct view *parent, struct node *root, bool read_only, uint64_t limit, uint64_t *badge);

// Closes it, and all that was opened through the view that it is the root of.
void open_close(struct open_file *open);

#endif

// SPDX-License-Identifier: MIT
//
// The tree: nodes (files, directories, links ...) and the directory entries that name them. A node lives as
// long as it has a name or is open.

#ifndef VFS_NODE_H
#define VFS_NODE_H

#include "content.h"
#include <protocol/file.h>
#include <stdbool.h>

struct entry {
	struct entry *hash_next;
	struct entry *previous, *next; // in the directory, by cursor
	struct node *directory;
	struct node *node;
	uint64_t cursor; // never used twice in a directory
	uint32_t hash;
	uint32_t name_length;
	char name[];
};

struct directory {
	struct node *parent; // of the root: itself; NULL once the directory was removed
	struct entry *first, *last;
	uint64_t last_cursor;
	uint32_t directories; // entries that are directories
};

struct node {
	uint64_t number;
	uint32_t mode; // type and permissions
	uint32_t user;
	uint32_t group;
	uint32_t names;
	uint32_t opens;
	uint64_t device;
	uint64_t access_time; // nanoseconds since 1970
	uint64_t modify_time;
	uint64_t change_time;
	union {
		struct directory directory;
		struct content content;
		struct {
			char *text;
			size_t length;
		} target;
	};
};

static inline uint32_t node_type(const struct node *node)
{
	return node->mode & FILE_TYPE_MASK;
}

static inline bool node_is_directory(const struct node *node)
{
	return node_type(node) == FILE_TYPE_DIRECTORY;
}

// The root of everything. NULL: no memory.
struct node *tree_create(void);

// Makes a node without a name; it goes with node_release_if_unused unless it gets one. NULL: no memory.
struct node *node_create(uint32_t mode);
void node_release_if_unused(struct node *node);

// Sets what a symbolic link points to. Errors: NO_SPACE.
enum error node_set_target(struct node *node, const char *text, size_t length);

void node_get_attributes(const struct node *node, struct file_attributes *attributes);

// Now, in nanoseconds since 1970.
uint64_t time_now(void);

// Directories. NULL: there is no such name.
struct entry *directory_find(const struct node *directory, const char *name, size_t length);
// Gives a node a name that is not there yet. Errors: NO_SPACE.
enum error directory_add(struct node *directory, const char *name, size_t length, struct node *node);
// Takes a name away, and the node with it if nothing holds it.
void directory_remove(struct entry *entry);
// The first entry after a cursor; NULL: the end.
struct entry *directory_after(const struct node *directory, uint64_t cursor);
// Whether `ancestor` is the node or lies above it.
bool directory_is_below(const struct node *node, const struct node *ancestor);

#endif

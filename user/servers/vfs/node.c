// SPDX-License-Identifier: MIT
//
// The tree: nodes and directory entries. All entries are in one hash table by directory and name.

#include "node.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HASH_SIZE_FIRST 1024

static struct entry **table;
static size_t table_size; // a power of two
static size_t entry_count;
static uint64_t last_number;

uint64_t time_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

// --- Nodes

struct node *node_create(uint32_t mode)
{
	struct node *node = calloc(1, sizeof(*node));
	if (node != NULL) {
		node->number = ++last_number;
		node->mode = mode;
		node->access_time = time_now();
		node->modify_time = node->access_time;
		node->change_time = node->access_time;
	}
	return node;
}

void node_release_if_unused(struct node *node)
{
	if (node->names > 0 || node->opens > 0)
		return;
	if (node_type(node) == FILE_TYPE_REGULAR)
		content_free(&node->content);
	else if (node_type(node) == FILE_TYPE_LINK)
		free(node->target.text);
	free(node);
}

enum error node_set_target(struct node *node, const char *text, size_t length)
{
	node->target.text = malloc(length);
	if (node->target.text == NULL)
		return ERR_NO_SPACE;
	memcpy(node->target.text, text, length);
	node->target.length = length;
	return ERR_OK;
}

static uint64_t node_size(const struct node *node)
{
	switch (node_type(node)) {
	case FILE_TYPE_REGULAR:
		return node->content.size;
	case FILE_TYPE_LINK:
		return node->target.length;
	case FILE_TYPE_DIRECTORY:
		return PAGE_SIZE;
	default:
		return 0;
	}
}

void node_get_attributes(const struct node *node, struct file_attributes *attributes)
{
	bool archived = node_type(node) == FILE_TYPE_REGULAR && node->content.archive != NULL;
	uint64_t pages = node_type(node) == FILE_TYPE_REGULAR ? node->content.page_count : 0;
	*attributes = (struct file_attributes){
		.node = node->number,
		.file_system = 1,
		.mode = node->mode,
		.links = node_is_directory(node) ? 2 + node->directory.directories : node->names,
		.user = node->user,
		.group = node->group,
		.size = node_size(node),
		.allocated = archived ? node->content.size : pages * PAGE_SIZE,
		.device = node->device,
		.access_time = node->access_time,
		.modify_time = node->modify_time,
		.change_time = node->change_time,
	};
}

// --- The hash table

static uint32_t hash_of(const struct node *directory, const char *name, size_t length)
{
	uint32_t hash = 2166136261u ^ (uint32_t)directory->number;
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (uint8_t)name[i]) * 16777619u;
	return hash ^ hash >> 15;
}

// Doubles the table when it is full; without memory it stays as it is and gets slower.
static void grow_table(void)
{
	struct entry **larger = entry_count < table_size ? NULL : calloc(table_size * 2, sizeof(*larger));
	if (larger == NULL)
		return;
	for (size_t i = 0; i < table_size; i++) {
		while (table[i] != NULL) {
			struct entry *entry = table[i];
			struct entry **chain = &larger[entry->hash & (table_size * 2 - 1)];
			table[i] = entry->hash_next;
			entry->hash_next = *chain;
			*chain = entry;
		}
	}
	free(table);
	table = larger;
	table_size *= 2;
}

static struct entry **find_link(const struct entry *entry)
{
	struct entry **link = &table[entry->hash & (table_size - 1)];
	while (*link != entry)
		link = &(*link)->hash_next;
	return link;
}

// --- Directories

struct node *tree_create(void)
{
	struct node *root = node_create(FILE_TYPE_DIRECTORY | 0755);
	table = calloc(HASH_SIZE_FIRST, sizeof(*table));
	if (root == NULL || table == NULL)
		return NULL;
	table_size = HASH_SIZE_FIRST;
	root->directory.parent = root;
	root->names = 1;
	return root;
}

struct entry *directory_find(const struct node *directory, const char *name, size_t length)
{
	uint32_t hash = hash_of(directory, name, length);
	struct entry *entry = table[hash & (table_size - 1)];
	while (entry != NULL &&
		!(entry->hash == hash && entry->directory == directory && entry->name_length == length &&
			memcmp(entry->name, name, length) == 0))
		entry = entry->hash_next;
	return entry;
}

static void touch(struct node *directory)
{
	directory->modify_time = time_now();
	directory->change_time = directory->modify_time;
}

enum error directory_add(struct node *directory, const char *name, size_t length, struct node *node)
{
	struct entry *entry = malloc(sizeof(*entry) + length);
	if (entry == NULL)
		return ERR_NO_SPACE;
	grow_table();
	uint32_t hash = hash_of(directory, name, length);
	struct entry **chain = &table[hash & (table_size - 1)];
	*entry = (struct entry){
		.hash_next = *chain,
		.previous = directory->directory.last,
		.directory = directory,
		.node = node,
		.cursor = ++directory->directory.last_cursor,
		.hash = hash,
		.name_length = (uint32_t)length,
	};
	memcpy(entry->name, name, length);
	*chain = entry;
	entry_count++;
	if (entry->previous != NULL)
		entry->previous->next = entry;
	else
		directory->directory.first = entry;
	directory->directory.last = entry;
	node->names++;
	if (node_is_directory(node)) {
		node->directory.parent = directory;
		directory->directory.directories++;
	}
	touch(directory);
	return ERR_OK;
}

void directory_remove(struct entry *entry)
{
	struct node *directory = entry->directory, *node = entry->node;
	*find_link(entry) = entry->hash_next;
	entry_count--;
	if (entry->previous != NULL)
		entry->previous->next = entry->next;
	else
		directory->directory.first = entry->next;
	if (entry->next != NULL)
		entry->next->previous = entry->previous;
	else
		directory->directory.last = entry->previous;
	free(entry);
	node->names--;
	node->change_time = time_now();
	if (node_is_directory(node)) {
		directory->directory.directories--;
		if (node->names == 0)
			node->directory.parent = NULL;
	}
	touch(directory);
	node_release_if_unused(node);
}

struct entry *directory_after(const struct node *directory, uint64_t cursor)
{
	struct entry *entry = directory->directory.first;
	while (entry != NULL && entry->cursor <= cursor)
		entry = entry->next;
	return entry;
}

bool directory_is_below(const struct node *node, const struct node *ancestor)
{
	while (node != ancestor) {
		const struct node *parent = node->directory.parent;
		if (parent == NULL || parent == node)
			return false;
		node = parent;
	}
	return true;
}

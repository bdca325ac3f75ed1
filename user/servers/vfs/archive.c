// SPDX-License-Identifier: MIT
//
// The boot archive as the first content of the tree.

#include "archive.h"
#include "path.h"
#include <runtime/cpio.h>
#include <runtime/start.h>
#include <runtime/system_calls.h>
#include <string.h>

#define PERMISSIONS 07777u

static enum error map_archive(struct cpio_reader *reader)
{
	handle_t archive = start_handle(START_ARCHIVE);
	struct memory_info info;
	uint64_t address;
	if (archive == HANDLE_NONE)
		return ERR_NOT_FOUND;
	enum error error = memory_info(archive, &info);
	if (error == ERR_OK) {
		struct map_request map = {.memory = archive, .length = info.size, .flags = MAPPING_READ};
		error = address_space_map(HANDLE_SELF, &map, &address);
	}
	if (error == ERR_OK)
		*reader = (struct cpio_reader){.archive = (const char *)address, .length = info.size};
	return error;
}

// The directory that an entry goes into, made where the archive does not have it. A path through anything
// else is no place.
static enum error make_parents(const struct view *view, const char *name, size_t length, struct node **parent)
{
	struct place place;
	enum error error = path_resolve(view, view->root, name, length, true, &place);
	if (error == ERR_NOT_FOUND) {
		const char *slash = memrchr(name, '/', length);
		error = make_parents(view, name, slash != NULL ? (size_t)(slash - name) : 0, parent);
		if (error == ERR_OK)
			error = path_resolve(view, view->root, name, length, true, &place);
	}
	if (error == ERR_OK && place.node == NULL) {
		place.node = node_create(FILE_TYPE_DIRECTORY | 0755);
		error = place.node == NULL
			? ERR_NO_SPACE
			: directory_add(place.directory, place.name, place.name_length, place.node);
	}
	*parent = place.node;
	return error == ERR_OK && !node_is_directory(place.node) ? ERR_NOT_DIRECTORY : error;
}

static struct node *make_node(const struct cpio_entry *entry)
{
	struct node *node = node_create(entry->mode & (FILE_TYPE_MASK | PERMISSIONS));
	if (node == NULL)
		return NULL;
	node->user = entry->user;
	node->group = entry->group;
	node->modify_time = (uint64_t)entry->modify_time * 1000000000;
	node->access_time = node->modify_time;
	node->change_time = node->modify_time;
	node->device = (uint64_t)entry->device_major << 8 | entry->device_minor;
	if (node_type(node) == FILE_TYPE_REGULAR) {
		node->content = content_of_archive((const uint8_t *)entry->data, entry->size);
	} else if (node_type(node) == FILE_TYPE_LINK &&
		node_set_target(node, entry->data, entry->size) != ERR_OK) {
		node_release_if_unused(node);
		return NULL;
	}
	return node;
}

// A later entry replaces an earlier one of its name; a directory only gets its attributes.
static enum error add_entry(const struct view *view, const struct cpio_entry *entry)
{
	const char *slash = strrchr(entry->name, '/');
	const char *name = slash != NULL ? slash + 1 : entry->name;
	struct node *parent;
	if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return ERR_OK;
	enum error error = make_parents(
		view, entry->name, slash != NULL ? (size_t)(slash - entry->name) : 0, &parent);
	if (error != ERR_OK)
		return error;
	struct entry *present = directory_find(parent, name, strlen(name));
	if (present != NULL && node_is_directory(present->node)) {
		if ((entry->mode & FILE_TYPE_MASK) == FILE_TYPE_DIRECTORY)
			present->node->mode = entry->mode & (FILE_TYPE_MASK | PERMISSIONS);
		return ERR_OK;
	}
	struct node *node = make_node(entry);
	if (node == NULL)
		return ERR_NO_SPACE;
	if (present != NULL)
		directory_remove(present);
	error = directory_add(parent, name, strlen(name), node);
	if (error == ERR_OK && node_is_directory(node))
		node->modify_time = (uint64_t)entry->modify_time * 1000000000;
	return error;
}

static bool is_acceptable(const struct cpio_entry *entry)
{
	uint32_t type = entry->mode & FILE_TYPE_MASK;
	return strlen(entry->name) <= FILE_PATH_MAX &&
		(type != FILE_TYPE_LINK || (entry->size > 0 && entry->size < FILE_PATH_MAX)) &&
		entry->size <= CONTENT_SIZE_MAX;
}

enum error archive_load(struct node *root)
{
	struct view view = {.root = root, .in_use = true};
	struct cpio_reader reader;
	struct cpio_entry entry;
	bool damaged = false;
	enum error error = map_archive(&reader);
	while (error == ERR_OK && cpio_next(&reader, &entry, &damaged))
		if (is_acceptable(&entry))
			error = add_entry(&view, &entry);
	return error == ERR_OK && damaged ? ERR_INVALID_ARGUMENT : error;
}

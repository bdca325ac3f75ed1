// SPDX-License-Identifier: MIT
//
// Making, moving and removing names.

#include "requests.h"
#include <runtime/start.h>
#include <runtime/system_calls.h>
#include <string.h>

#define PERMISSIONS      07777u
#define PERMISSIONS_LINK 0777u

// Whether a name can be made where a path leads, where nothing is.
static enum error check_free(const struct place *place, bool for_directory)
{
	if (place->node != NULL)
		return ERR_EXISTS;
	if (place->directory->directory.parent == NULL || (place->needs_directory && !for_directory))
		return ERR_NOT_FOUND;
	return ERR_OK;
}

// Gives a new node its name, or lets go of it.
static enum error add_new(const struct place *place, struct node *node)
{
	enum error error = directory_add(place->directory, place->name, place->name_length, node);
	if (error != ERR_OK)
		node_release_if_unused(node);
	return error;
}

// Types that FILE_CREATE makes.
static bool is_creatable(uint64_t type)
{
	return type == FILE_TYPE_DIRECTORY || type == FILE_TYPE_PIPE || type == FILE_TYPE_SOCKET ||
		type == FILE_TYPE_CHARACTER || type == FILE_TYPE_BLOCK;
}

enum error request_create(struct request *request, const struct open_file *open)
{
	uint64_t mode = request->words[0], device = request->words[2];
	struct place place;
	if (request->length < 3 || !is_creatable(mode & FILE_TYPE_MASK))
		return ERR_INVALID_ARGUMENT;
	enum error error = take_path(0, request->words[1], open, false, &place);
	if (error == ERR_OK)
		error = check_free(&place, (mode & FILE_TYPE_MASK) == FILE_TYPE_DIRECTORY);
	if (error == ERR_OK && open_view(open)->read_only)
		error = ERR_READ_ONLY;
	if (error != ERR_OK)
		return error;
	struct node *node = node_create((uint32_t)mode & (FILE_TYPE_MASK | PERMISSIONS));
	if (node == NULL)
		return ERR_NO_SPACE;
	node->device = device;
	error = add_new(&place, node);
	if (error == ERR_OK)
		answer_with_attributes(request, node);
	return error;
}

enum error request_create_link(struct request *request, const struct open_file *open)
{
	static char target[FILE_PATH_MAX];
	uint64_t length = request->words[1];
	struct place place;
	if (request->length < 2 || length == 0)
		return ERR_INVALID_ARGUMENT;
	if (length >= FILE_PATH_MAX)
		return ERR_NAME_TOO_LONG;
	enum error error = take_path(0, request->words[0], open, false, &place);
	if (error == ERR_OK)
		error = request_read(1, 0, target, length);
	if (error == ERR_OK) {
		error = memchr(target, '\0', length) != NULL ? ERR_INVALID_ARGUMENT
							     : check_free(&place, false);
	}
	if (error == ERR_OK && open_view(open)->read_only)
		error = ERR_READ_ONLY;
	if (error != ERR_OK)
		return error;
	struct node *node = node_create(FILE_TYPE_LINK | PERMISSIONS_LINK);
	if (node == NULL)
		return ERR_NO_SPACE;
	error = node_set_target(node, target, length);
	if (error != ERR_OK) {
		node_release_if_unused(node);
		return error;
	}
	return add_new(&place, node);
}

// --- Requests with two paths

// The open file from which the second path is resolved: the capability sent along, or the same as the first.
static enum error second_base(
	const struct request *request, const struct open_file *open, const struct open_file **base)
{
	struct handle_info sent, own;
	*base = open;
	if (request->capability_count == 0)
		return ERR_OK;
	if (handle_info(request->capabilities[0], &sent) != ERR_OK ||
		handle_info(start_handle(START_SERVE), &own) != ERR_OK || sent.object_id != own.object_id)
		return ERR_CROSS_DEVICE;
	*base = open_find(sent.badge);
	return *base != NULL ? ERR_OK : ERR_BAD_HANDLE;
}

// Takes both paths, neither followed at its end.
static enum error take_two(const struct request *request, const struct open_file *open, uint64_t old_length,
	uint64_t new_length, struct place *old, struct place *new)
{
	const struct open_file *base;
	enum error error = second_base(request, open, &base);
	if (error == ERR_OK && (open_view(open)->read_only || open_view(base)->read_only))
		error = ERR_READ_ONLY;
	if (error == ERR_OK)
		error = take_path(0, old_length, open, false, old);
	if (error == ERR_OK)
		error = take_path(1, new_length, base, false, new);
	return error == ERR_OK && old->node == NULL ? ERR_NOT_FOUND : error;
}

enum error request_add_name(struct request *request, const struct open_file *open)
{
	struct place old, new;
	if (request->length < 2)
		return ERR_INVALID_ARGUMENT;
	enum error error = take_two(request, open, request->words[0], request->words[1], &old, &new);
	if (error == ERR_OK && node_is_directory(old.node))
		error = ERR_IS_DIRECTORY;
	if (error == ERR_OK)
		error = check_free(&new, false);
	if (error == ERR_OK)
		error = directory_add(new.directory, new.name, new.name_length, old.node);
	if (error == ERR_OK)
		old.node->change_time = time_now();
	return error;
}

enum error request_remove(struct request *request, const struct open_file *open)
{
	bool directory = request->words[0] & FILE_REMOVE_DIRECTORY;
	struct place place;
	if (request->length < 2 || request->words[0] & ~(uint64_t)FILE_REMOVE_DIRECTORY)
		return ERR_INVALID_ARGUMENT;
	enum error error = take_path(0, request->words[1], open, false, &place);
	if (error != ERR_OK)
		return error;
	if (place.node == NULL)
		return ERR_NOT_FOUND;
	if (directory != node_is_directory(place.node))
		return directory ? ERR_NOT_DIRECTORY : ERR_IS_DIRECTORY;
	if (place.entry == NULL)
		return ERR_BUSY;
	if (directory && place.node->directory.first != NULL)
		return ERR_NOT_EMPTY;
	if (open_view(open)->read_only)
		return ERR_READ_ONLY;
	directory_remove(place.entry);
	return ERR_OK;
}

// Whether what has the new name may be replaced.
static enum error check_replace(const struct node *old, const struct place *new, uint64_t flags)
{
	if (flags & FILE_RENAME_NO_REPLACE)
		return ERR_EXISTS;
	if (new->entry == NULL)
		return ERR_BUSY;
	if (node_is_directory(old) != node_is_directory(new->node))
		return node_is_directory(old) ? ERR_NOT_DIRECTORY : ERR_IS_DIRECTORY;
	return node_is_directory(new->node) && new->node->directory.first != NULL ? ERR_NOT_EMPTY : ERR_OK;
}

static enum error check_rename(const struct place *old, const struct place *new, uint64_t flags)
{
	if (old->entry == NULL)
		return ERR_BUSY;
	if (new->node != NULL) {
		enum error error = check_replace(old->node, new, flags);
		if (error != ERR_OK)
			return error;
	} else {
		enum error error = check_free(new, node_is_directory(old->node));
		if (error != ERR_OK)
			return error;
	}
	return node_is_directory(old->node) && directory_is_below(new->directory, old->node)
		? ERR_INVALID_ARGUMENT
		: ERR_OK;
}

// Makes the new name before the old one goes, so that running out of memory changes nothing.
static enum error rename_checked(struct place *old, struct place *new)
{
	struct node *node = old->node;
	struct entry *replaced = new->entry;
	enum error error = directory_add(new->directory, new->name, new->name_length, node);
	if (error != ERR_OK)
		return error;
	if (replaced != NULL)
		directory_remove(replaced);
	directory_remove(old->entry);
	if (node_is_directory(node))
		node->directory.parent = new->directory;
	return ERR_OK;
}

enum error request_rename(struct request *request, const struct open_file *open)
{
	uint64_t flags = request->words[0];
	struct place old, new;
	if (request->length < 3 || flags & ~(uint64_t)FILE_RENAME_NO_REPLACE)
		return ERR_INVALID_ARGUMENT;
	enum error error = take_two(request, open, request->words[1], request->words[2], &old, &new);
	if (error == ERR_OK && new.node == old.node && !(flags & FILE_RENAME_NO_REPLACE))
		return ERR_OK;
	if (error == ERR_OK)
		error = check_rename(&old, &new, flags);
	return error == ERR_OK ? rename_checked(&old, &new) : error;
}

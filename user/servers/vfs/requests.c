// SPDX-License-Identifier: MIT
//
// Opening, attributes, views.

#include "requests.h"
#include <runtime/start.h>
#include <runtime/system_calls.h>
#include <string.h>

#define OPEN_FLAGS                                                                                        \
	(FILE_OPEN_READ | FILE_OPEN_WRITE | FILE_OPEN_CREATE | FILE_OPEN_EXCLUSIVE | FILE_OPEN_TRUNCATE | \
		FILE_OPEN_DIRECTORY | FILE_OPEN_NO_FOLLOW)
#define SET_MASK                                                                                 \
	(FILE_SET_MODE | FILE_SET_USER | FILE_SET_GROUP | FILE_SET_SIZE | FILE_SET_ACCESS_TIME | \
		FILE_SET_MODIFY_TIME)
#define SET_WORDS        9
#define PERMISSIONS      07777u
#define RIGHTS_OPEN_FILE (RIGHT_SEND | RIGHT_DUPLICATE | RIGHT_TRANSFER)

enum error answer_with_file(struct request *request, uint64_t badge)
{
	enum error error = handle_mint(
		start_handle(START_SERVE), RIGHTS_OPEN_FILE, badge, &request->answer_capability);
	if (error != ERR_OK)
		open_close(open_find(badge));
	return error;
}

void answer_with_attributes(struct request *request, const struct node *node)
{
	struct file_attributes attributes;
	node_get_attributes(node, &attributes);
	memcpy(request->words, &attributes, sizeof(request->words));
	memcpy(message_buffer()->words + MESSAGE_WIDE_WORDS,
		(const uint64_t *)&attributes + MESSAGE_WIDE_WORDS,
		sizeof(attributes) - sizeof(request->words));
	request->answer_length = FILE_ATTRIBUTES_WORDS;
}

enum error take_path(
	unsigned index, uint64_t length, const struct open_file *from, bool follow, struct place *place)
{
	static char path[FILE_PATH_MAX];
	if (length > FILE_PATH_MAX)
		return ERR_NAME_TOO_LONG;
	enum error error = request_read(index, 0, path, length);
	if (error != ERR_OK)
		return error;
	if (memchr(path, '\0', length) != NULL)
		return ERR_INVALID_ARGUMENT;
	return path_resolve(open_view(from), from->node, path, length, follow, place);
}

// --- Opening

static enum error create_file(const struct view *view, struct place *place, uint32_t permissions)
{
	if (view->read_only)
		return ERR_READ_ONLY;
	if (place->needs_directory)
		return ERR_IS_DIRECTORY;
	if (place->directory->directory.parent == NULL)
		return ERR_NOT_FOUND;
	place->node = node_create(FILE_TYPE_REGULAR | (permissions & PERMISSIONS));
	if (place->node == NULL)
		return ERR_NO_SPACE;
	enum error error = directory_add(place->directory, place->name, place->name_length, place->node);
	if (error != ERR_OK)
		node_release_if_unused(place->node);
	return error;
}

static enum error check_existing(const struct view *view, const struct node *node, uint64_t flags)
{
	if (flags & FILE_OPEN_CREATE && flags & FILE_OPEN_EXCLUSIVE)
		return ERR_EXISTS;
	if (flags & FILE_OPEN_DIRECTORY && !node_is_directory(node))
		return ERR_NOT_DIRECTORY;
	if (node_is_directory(node) && flags & (FILE_OPEN_WRITE | FILE_OPEN_CREATE))
		return ERR_IS_DIRECTORY;
	return flags & FILE_OPEN_WRITE && view->read_only ? ERR_READ_ONLY : ERR_OK;
}

static enum error truncate(struct node *node)
{
	enum error error = content_set_size(&node->content, 0);
	node->modify_time = time_now();
	node->change_time = node->modify_time;
	return error;
}

enum error request_open(struct request *request, const struct open_file *open)
{
	uint64_t flags = request->words[0], badge;
	uint32_t permissions = (uint32_t)request->words[1];
	bool exclusive = flags & FILE_OPEN_CREATE && flags & FILE_OPEN_EXCLUSIVE;
	struct view *view = open_view(open);
	struct place place;
	if (request->length < 3 || flags & ~(uint64_t)OPEN_FLAGS)
		return ERR_INVALID_ARGUMENT;
	enum error error = take_path(
		0, request->words[2], open, !(flags & FILE_OPEN_NO_FOLLOW) && !exclusive, &place);
	if (error == ERR_OK && place.node != NULL)
		error = check_existing(view, place.node, flags);
	else if (error == ERR_OK)
		error = flags & FILE_OPEN_CREATE ? create_file(view, &place, permissions) : ERR_NOT_FOUND;
	if (error == ERR_OK && flags & FILE_OPEN_TRUNCATE && flags & FILE_OPEN_WRITE &&
		node_type(place.node) == FILE_TYPE_REGULAR)
		error = truncate(place.node);
	if (error == ERR_OK)
		error = open_add(view, place.node, flags & (FILE_OPEN_READ | FILE_OPEN_WRITE), &badge);
	if (error == ERR_OK)
		error = answer_with_file(request, badge);
	if (error == ERR_OK)
		answer_with_attributes(request, place.node);
	return error;
}

// --- Attributes

// The node that a request with an optional path means.
static enum error take_node(
	const struct open_file *open, uint64_t flags, uint64_t path_length, struct node **node)
{
	struct place place = {.node = open->node};
	enum error error = ERR_OK;
	if (flags & ~(uint64_t)FILE_NO_FOLLOW)
		return ERR_INVALID_ARGUMENT;
	if (path_length > 0)
		error = take_path(0, path_length, open, !(flags & FILE_NO_FOLLOW), &place);
	*node = place.node;
	return error == ERR_OK && place.node == NULL ? ERR_NOT_FOUND : error;
}

enum error request_get_attributes(struct request *request, const struct open_file *open)
{
	struct node *node;
	enum error error = take_node(open, request->words[0], request->words[1], &node);
	if (error == ERR_OK)
		answer_with_attributes(request, node);
	return error;
}

static enum error set_size(struct node *node, uint64_t size)
{
	if (node_is_directory(node))
		return ERR_IS_DIRECTORY;
	if (node_type(node) != FILE_TYPE_REGULAR)
		return ERR_INVALID_ARGUMENT;
	enum error error = content_set_size(&node->content, size);
	if (error == ERR_OK)
		node->modify_time = time_now();
	return error;
}

// `words`: mode, user, group, size, access time, modify time.
static enum error set_attributes(struct node *node, uint64_t mask, const uint64_t *words)
{
	if (mask & FILE_SET_SIZE) {
		enum error error = set_size(node, words[3]);
		if (error != ERR_OK)
			return error;
	}
	if (mask & FILE_SET_MODE)
		node->mode = node_type(node) | ((uint32_t)words[0] & PERMISSIONS);
	if (mask & FILE_SET_USER)
		node->user = (uint32_t)words[1];
	if (mask & FILE_SET_GROUP)
		node->group = (uint32_t)words[2];
	if (mask & FILE_SET_ACCESS_TIME)
		node->access_time = words[4];
	if (mask & FILE_SET_MODIFY_TIME)
		node->modify_time = words[5];
	node->change_time = time_now();
	return ERR_OK;
}

enum error request_set_attributes(struct request *request, const struct open_file *open)
{
	uint64_t mask = request->words[2], path_length = request->words[1];
	uint64_t words[SET_WORDS] = {0};
	struct node *node;
	memcpy(words, request->words, sizeof(request->words));
	if (request->length < SET_WORDS || mask & ~(uint64_t)SET_MASK)
		return ERR_INVALID_ARGUMENT;
	words[MESSAGE_WIDE_WORDS] = message_buffer()->words[MESSAGE_WIDE_WORDS];
	if (open_view(open)->read_only)
		return ERR_READ_ONLY;
	if (path_length == 0 && mask & FILE_SET_SIZE && !(open->flags & FILE_OPEN_WRITE))
		return ERR_NO_RIGHTS;
	enum error error = take_node(open, request->words[0], path_length, &node);
	if (error == ERR_OK)
		error = set_attributes(node, mask, words + 3);
	if (error == ERR_OK)
		answer_with_attributes(request, node);
	return error;
}

// --- Views

enum error request_make_view(struct request *request, const struct open_file *open)
{
	uint64_t badge;
	if (request->length < 2 || request->words[0] & ~(uint64_t)FILE_VIEW_READ_ONLY)
		return ERR_INVALID_ARGUMENT;
	if (!node_is_directory(open->node))
		return ERR_NOT_DIRECTORY;
	enum error error = open_add_view(open_view(open), open->node, request->words[0] & FILE_VIEW_READ_ONLY,
		request->words[1], &badge);
	return error == ERR_OK ? answer_with_file(request, badge) : error;
}

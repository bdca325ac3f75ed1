// SPDX-License-Identifier: MIT
//
// Resolving paths, component by component. The target of a symbolic link takes the place of the link in the
// text that is still to be resolved.

#include "path.h"
#include <string.h>

#define TEXT_SIZE (2 * FILE_PATH_MAX)

struct walk {
	const struct view *view;
	struct node *node;
	char *text; // still to be resolved from position on
	size_t position;
	size_t length;
	unsigned links;
};

static void skip_slashes(struct walk *walk)
{
	while (walk->position < walk->length && walk->text[walk->position] == '/')
		walk->position++;
}

// Takes the next component. `*length` is 0 at the end.
static const char *take_component(struct walk *walk, size_t *length)
{
	skip_slashes(walk);
	const char *name = walk->text + walk->position;
	const char *slash = memchr(name, '/', walk->length - walk->position);
	*length = slash != NULL ? (size_t)(slash - name) : walk->length - walk->position;
	walk->position += *length;
	return name;
}

static bool is_last(const struct walk *walk)
{
	for (size_t i = walk->position; i < walk->length; i++)
		if (walk->text[i] != '/')
			return false;
	return true;
}

// Puts the target of a link before the rest of the text.
static enum error follow_link(struct walk *walk, const struct node *link)
{
	size_t rest = walk->length - walk->position, target = link->target.length;
	if (++walk->links > FILE_LINKS_MAX)
		return ERR_LOOP;
	if (target + rest > TEXT_SIZE)
		return ERR_NAME_TOO_LONG;
	memmove(walk->text + target, walk->text + walk->position, rest);
	memcpy(walk->text, link->target.text, target);
	walk->position = 0;
	walk->length = target + rest;
	if (target > 0 && walk->text[0] == '/')
		walk->node = walk->view->root;
	return ERR_OK;
}

// "..", which stays in the view even where a directory was moved out of it.
static enum error go_up(struct walk *walk)
{
	if (walk->node == walk->view->root)
		return ERR_OK;
	if (!directory_is_below(walk->node, walk->view->root))
		return ERR_NOT_FOUND;
	walk->node = walk->node->directory.parent;
	return ERR_OK;
}

// Looks at a component that is a name, in the directory where the walk is.
static enum error look_up(
	struct walk *walk, const char *name, size_t length, bool follow, struct place *place)
{
	bool last = is_last(walk), slash = walk->position < walk->length;
	struct entry *entry = directory_find(walk->node, name, length);
	if (entry == NULL && !last)
		return ERR_NOT_FOUND;
	if (entry != NULL && node_type(entry->node) == FILE_TYPE_LINK && (!last || slash || follow)) {
		enum error error = follow_link(walk, entry->node);
		*place = (struct place){.node = walk->node};
		return error;
	}
	*place = (struct place){
		.directory = walk->node,
		.name = name,
		.name_length = length,
		.entry = entry,
		.node = entry != NULL ? entry->node : NULL,
		.needs_directory = slash,
	};
	walk->node = place->node;
	return ERR_OK;
}

static enum error step(struct walk *walk, const char *name, size_t length, bool follow, struct place *place)
{
	if (length > FILE_NAME_MAX)
		return ERR_NAME_TOO_LONG;
	if (length == 1 && name[0] == '.') {
		*place = (struct place){.node = walk->node};
		return ERR_OK;
	}
	if (length == 2 && name[0] == '.' && name[1] == '.') {
		enum error error = go_up(walk);
		*place = (struct place){.node = walk->node};
		return error;
	}
	return look_up(walk, name, length, follow, place);
}

enum error path_resolve(const struct view *view, struct node *start, const char *path, size_t length,
	bool follow, struct place *place)
{
	static char buffers[2][TEXT_SIZE]; // two, so that the places of both paths of a request are good
	static unsigned next_buffer;
	struct walk walk = {.view = view, .node = start, .text = buffers[next_buffer], .length = length};
	next_buffer = 1 - next_buffer;
	memcpy(walk.text, path, length);
	if (length > 0 && path[0] == '/')
		walk.node = view->root;
	*place = (struct place){.node = walk.node};
	for (;;) {
		size_t name_length;
		const char *name = take_component(&walk, &name_length);
		if (name_length == 0)
			break;
		if (walk.node == NULL || !node_is_directory(walk.node))
			return ERR_NOT_DIRECTORY;
		enum error error = step(&walk, name, name_length, follow, place);
		if (error != ERR_OK)
			return error;
	}
	if (place->needs_directory && place->node != NULL && !node_is_directory(place->node))
		return ERR_NOT_DIRECTORY;
	return ERR_OK;
}

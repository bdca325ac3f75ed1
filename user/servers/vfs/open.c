// SPDX-License-Identifier: MIT
//
// Views and open files. A badge is the index of the open file and its generation, so that one of a closed
// file names no other.

#include "open.h"
#include <stdlib.h>
#include <string.h>

#define VIEWS_MAX          256
#define VIEW_LIMIT_DEFAULT 16384
#define OPENS_MAX          65536
#define OPENS_FIRST        256
#define GENERATION_MAX     0x7fffffff // badges of views of init's making have the bit above

static struct node *tree_root;
static struct view views[VIEWS_MAX];                     // the first are those of init's clients
static struct open_file view_roots[FILE_BADGE_VIEW_MAX]; // of these
static struct open_file *opens;
static size_t open_slots;
static size_t next_slot; // where to look for a free one

void open_init(struct node *root)
{
	tree_root = root;
}

static struct open_file *find_view_root(uint64_t number)
{
	if (number >= FILE_BADGE_VIEW_MAX)
		return NULL;
	if (!views[number].in_use) {
		views[number] = (struct view){
			.root = tree_root, .in_use = true, .open_limit = VIEW_LIMIT_DEFAULT};
		view_roots[number] = (struct open_file){
			.node = tree_root,
			.view = &views[number],
			.made = &views[number],
		};
		tree_root->opens++;
	}
	return &view_roots[number];
}

struct open_file *open_find(uint64_t badge)
{
	size_t index = (uint32_t)badge;
	if (badge & FILE_BADGE_VIEW)
		return find_view_root(badge & ~FILE_BADGE_VIEW);
	if (index >= open_slots || opens[index].node == NULL || opens[index].generation != badge >> 32)
		return NULL;
	return &opens[index];
}

static bool grow(void)
{
	size_t slots = open_slots > 0 ? open_slots * 2 : OPENS_FIRST;
	struct open_file *larger = slots <= OPENS_MAX ? realloc(opens, slots * sizeof(*opens)) : NULL;
	if (larger == NULL)
		return false;
	memset(larger + open_slots, 0, (slots - open_slots) * sizeof(*opens));
	next_slot = open_slots;
	opens = larger;
	open_slots = slots;
	return true;
}

// Finds a free slot. False: there is none, and no memory for more.
static bool find_slot(size_t *index)
{
	for (size_t i = 0; i < open_slots; i++) {
		*index = (next_slot + i) % open_slots;
		if (opens[*index].node == NULL) {
			next_slot = *index + 1;
			return true;
		}
	}
	*index = open_slots;
	return grow();
}

enum error open_add(struct view *view, struct node *node, uint32_t flags, uint64_t *badge)
{
	size_t index;
	if (view->open_count >= view->open_limit || !find_slot(&index))
		return ERR_NO_SLOTS;
	struct open_file *open = &opens[index];
	uint32_t generation = open->generation % GENERATION_MAX + 1;
	*open = (struct open_file){.node = node, .view = view, .flags = flags, .generation = generation};
	node->opens++;
	view->open_count++;
	*badge = (uint64_t)generation << 32 | index;
	return ERR_OK;
}

static struct view *find_free_view(void)
{
	for (size_t i = FILE_BADGE_VIEW_MAX; i < VIEWS_MAX; i++)
		if (!views[i].in_use)
			return &views[i];
	return NULL;
}

enum error open_add_view(
	struct view *parent, struct node *root, bool read_only, uint64_t limit, uint64_t *badge)
{
	struct view *view = find_free_view();
	if (view == NULL)
		return ERR_NO_SLOTS;
	enum error error = open_add(parent, root, 0, badge);
	if (error != ERR_OK)
		return error;
	*view = (struct view){
		.parent = parent,
		.root = root,
		.in_use = true,
		.read_only = read_only || parent->read_only,
		.open_limit = limit > 0 && limit < VIEW_LIMIT_DEFAULT ? (uint32_t)limit : VIEW_LIMIT_DEFAULT,
	};
	opens[(uint32_t)*badge].made = view;
	return ERR_OK;
}

static void end_view(struct view *view)
{
	view->in_use = false;
	for (size_t i = 0; i < open_slots; i++)
		if (opens[i].node != NULL && opens[i].view == view)
			open_close(&opens[i]);
}

void open_close(struct open_file *open)
{
	struct node *node = open->node;
	bool counted = open->view != open->made;
	open->node = NULL;
	if (counted)
		open->view->open_count--;
	if (open->made != NULL)
		end_view(open->made);
	node->opens--;
	node_release_if_unused(node);
}

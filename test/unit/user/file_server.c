// SPDX-License-Identifier: MIT
//
// The file server under a storm of random requests, some of them senseless, with copies that fail: no access leaves its
// memory (the sanitizers watch), and the tree stays a tree.

#include "../../../user/servers/vfs/requests.h"
#include "kernel.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS      300000
#define BADGES      64
#define BUFFER      9000
#define DEPTH_MAX   4000
#define CHECK_EVERY 1000

static uint64_t badges[BADGES] = {FILE_BADGE_VIEW | 1}; // the root of everything first
static struct node *root;
static int failures;

static void check(bool held, const char *what)
{
	if (!held) {
		printf("%s\n", what);
		failures++;
	}
}

// --- Requests

static uint64_t random_word(void)
{
	switch (rand() % 6) {
	case 0:
		return (uint64_t)rand() << 32 | (uint64_t)rand();
	case 1:
		return UINT64_MAX - (uint64_t)(rand() % 10);
	case 2:
		return (uint64_t)rand() % 20000;
	default:
		return (uint64_t)rand() % 128;
	}
}

// A path of few different names, so that they meet.
static size_t random_path(char *path)
{
	static const char *const parts[] = {"a", "b", "c", "dd", "..", ".", "", "/", "link"};
	size_t length = 0;
	for (int i = rand() % 5; i >= 0; i--) {
		const char *part = parts[(size_t)rand() % (sizeof(parts) / sizeof(parts[0]))];
		length += (size_t)sprintf(path + length, "%s%s", part, rand() % 4 ? "/" : "");
	}
	while (length > 0 && path[length - 1] == '/' && rand() % 8)
		length--;
	return length;
}

static const struct {
	enum error (*handle)(struct request *request, const struct open_file *open);
	uint64_t words[3]; // a typical flag or size; 1: length of path 0, 2: length of path 1, 3: anything
} kinds[] = {
	{request_open, {FILE_OPEN_READ | FILE_OPEN_WRITE | FILE_OPEN_CREATE, 0644, 1}},
	{request_open, {FILE_OPEN_READ, 0, 1}},
	{request_open, {FILE_OPEN_READ | FILE_OPEN_WRITE | FILE_OPEN_CREATE | FILE_OPEN_TRUNCATE, 0600, 1}},
	{request_get_attributes, {0, 1, 0}},
	{request_set_attributes, {0, 1, FILE_SET_SIZE}},
	{request_make_view, {0, 50, 0}},
	{request_read_file, {3, 3, 0}},
	{request_write_file, {3, 3, 0}},
	{request_write_file, {FILE_OFFSET_END, 3, 0}},
	{request_read_directory, {0, 3, 0}},
	{request_read_link, {1, 100, 0}},
	{request_get_memory, {0, 0, 0}},
	{request_create, {FILE_TYPE_DIRECTORY | 0755, 1, 0}},
	{request_create, {FILE_TYPE_DIRECTORY | 0755, 1, 0}},
	{request_create_link, {1, 2, 0}},
	{request_add_name, {1, 2, 0}},
	{request_remove, {0, 1, 0}},
	{request_remove, {FILE_REMOVE_DIRECTORY, 1, 0}},
	{request_rename, {0, 1, 2}},
};

static void fill_words(struct request *request, const uint64_t *words, size_t first, size_t second)
{
	for (size_t i = 0; i < MESSAGE_WIDE_WORDS; i++) {
		uint64_t word = i < 3 ? words[i] : random_word();
		request->words[i] = word == 1 ? first : word == 2 ? second : word == 3 ? random_word() : word;
		if (rand() % 200 == 0)
			request->words[i] = random_word();
	}
	request->length = rand() % 100 ? 9 : (size_t)rand() % 9;
}

static void remember(const struct request *request)
{
	if (request->answer_capability != HANDLE_NONE) {
		handle_close(request->answer_capability);
		badges[1 + (size_t)rand() % (BADGES - 1)] = minted_badge;
	}
}

static void send_one(void)
{
	static char buffers[2][BUFFER];
	size_t kind = (size_t)rand() % (sizeof(kinds) / sizeof(kinds[0]));
	struct open_file *open = open_find(badges[rand() % 2 ? 0 : (size_t)rand() % BADGES]);
	struct request request = {0};
	size_t first = random_path(buffers[0]), second = random_path(buffers[1]);
	if (open == NULL)
		return;
	if (rand() % (open->view == open->made ? 2000 : 16) == 0) {
		open_close(open);
		return;
	}
	for (unsigned i = 0; i < 2; i++)
		offered[i] = (struct offered){buffers[i], rand() % 50 ? BUFFER : (size_t)rand() % 100};
	fill_words(&request, kinds[kind].words, first, second);
	if (rand() % 3 == 0) {
		request.capability_count = 1;
		request.capabilities[0] = badges[(size_t)rand() % BADGES];
	}
	if (kinds[kind].handle(&request, open) != ERR_OK && request.answer_capability != HANDLE_NONE) {
		handle_close(request.answer_capability);
		request.answer_capability = HANDLE_NONE;
	}
	remember(&request);
}

// --- The tree

static void check_directory(const struct node *directory, unsigned depth)
{
	uint32_t directories = 0;
	uint64_t cursor = 0;
	check(depth < DEPTH_MAX, "a cycle");
	for (const struct entry *entry = directory->directory.first; entry != NULL; entry = entry->next) {
		check(entry->directory == directory && entry->cursor > cursor, "an entry in disorder");
		check(directory_find(directory, entry->name, entry->name_length) == entry,
			"an entry not found");
		check(entry->node->names > 0, "a name not counted");
		cursor = entry->cursor;
		if (node_is_directory(entry->node)) {
			directories++;
			check(entry->node->directory.parent == directory, "a wrong parent");
			check(entry->node->names == 1, "a directory with two names");
			check_directory(entry->node, depth + 1);
		}
	}
	check(directories == directory->directory.directories, "directories miscounted");
}

// Every open directory hangs below the root, or was removed.
static void check_open(void)
{
	for (unsigned i = 1; i < BADGES; i++) {
		const struct open_file *open = open_find(badges[i]);
		const struct node *node = open != NULL && node_is_directory(open->node) ? open->node : root;
		unsigned depth = 0;
		while (node != NULL && node != root && depth++ < DEPTH_MAX)
			node = node->directory.parent;
		check(depth < DEPTH_MAX, "a directory within itself");
	}
}

int main(void)
{
	srand(1);
	root = tree_create();
	open_init(root);
	for (unsigned round = 0; round < ROUNDS && failures == 0; round++) {
		copy_failures = round % 3 == 0 ? 5 : 0;
		send_one();
		if (round % CHECK_EVERY == 0)
			check_directory(root, 0);
		check_open();
	}
	check_directory(root, 0);
	return failures > 0;
}

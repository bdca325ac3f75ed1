// SPDX-License-Identifier: MIT
//
// What is in files, directories and symbolic links.

#include "requests.h"
#include <runtime/system_calls.h>
#include <string.h>

#define ENTRIES_SIZE  ((size_t)32 * 1024) // of a directory, in one answer
#define RIGHTS_MEMORY (RIGHT_READ | RIGHT_EXECUTE | RIGHT_MAP | RIGHT_DUPLICATE | RIGHT_TRANSFER)

// Whether an open file can be read or written.
static enum error check_regular(const struct open_file *open, uint32_t access)
{
	if (node_is_directory(open->node))
		return ERR_IS_DIRECTORY;
	if (node_type(open->node) != FILE_TYPE_REGULAR)
		return ERR_INVALID_ARGUMENT;
	return open->flags & access ? ERR_OK : ERR_NO_RIGHTS;
}

enum error request_read_file(struct request *request, const struct open_file *open)
{
	const struct content *content = &open->node->content;
	uint64_t offset = request->words[0], length = request->words[1], done = 0;
	enum error error = check_regular(open, FILE_OPEN_READ);
	if (request->length < 2)
		return ERR_INVALID_ARGUMENT;
	while (error == ERR_OK && done < length && offset < content->size && done < content->size - offset) {
		size_t run_length = length - done;
		const uint8_t *run = content_run(content, offset + done, &run_length);
		uint64_t copied = 0;
		error = reply_write(HANDLE_NONE, 0, done, run, run_length, &copied);
		done += copied;
		if (copied < run_length)
			break;
	}
	request->words[0] = done;
	request->answer_length = 1;
	return done > 0 ? ERR_OK : error;
}

enum error request_write_file(struct request *request, const struct open_file *open)
{
	struct node *node = open->node;
	uint64_t length = request->words[1], done = 0;
	enum error error = check_regular(open, FILE_OPEN_WRITE);
	if (error != ERR_OK || request->length < 2)
		return error != ERR_OK ? error : ERR_INVALID_ARGUMENT;
	uint64_t offset = request->words[0] == FILE_OFFSET_END ? node->content.size : request->words[0];
	while (error == ERR_OK && done < length) {
		size_t run_length = length - done;
		uint64_t copied = 0;
		uint8_t *run;
		error = content_prepare(&node->content, offset + done, &run_length, &run);
		if (error == ERR_OK)
			error = reply_read(HANDLE_NONE, 0, done, run, run_length, &copied);
		done += copied;
		if (copied < run_length)
			break;
	}
	if (length > 0)
		content_written(&node->content, done > 0 ? offset + done : 0);
	if (done > 0) {
		node->modify_time = time_now();
		node->change_time = node->modify_time;
	}
	request->words[0] = done;
	request->words[1] = offset + done;
	request->answer_length = 2;
	return done > 0 ? ERR_OK : error;
}

// Appends an entry to the records. False: it does not fit.
static bool put_entry(const struct entry *entry, uint8_t *records, size_t room, size_t *used)
{
	size_t size = (sizeof(struct file_entry) + entry->name_length + 1 + 7) & ~(size_t)7;
	struct file_entry *record = (struct file_entry *)(records + *used);
	if (size > room - *used)
		return false;
	memset(record, 0, size);
	*record = (struct file_entry){
		.node = entry->node->number,
		.cursor = entry->cursor,
		.length = (uint16_t)size,
		.name_length = (uint16_t)entry->name_length,
		.type = node_type(entry->node),
	};
	memcpy(record->name, entry->name, entry->name_length);
	*used += size;
	return true;
}

enum error request_read_directory(struct request *request, const struct open_file *open)
{
	static uint8_t records[ENTRIES_SIZE] __attribute__((aligned(8)));
	size_t room = request->words[1] < ENTRIES_SIZE ? request->words[1] : ENTRIES_SIZE, used = 0;
	if (request->length < 2)
		return ERR_INVALID_ARGUMENT;
	if (!node_is_directory(open->node))
		return ERR_NOT_DIRECTORY;
	if (!(open->flags & FILE_OPEN_READ))
		return ERR_NO_RIGHTS;
	const struct entry *entry = directory_after(open->node, request->words[0]);
	bool any = entry != NULL;
	while (entry != NULL && put_entry(entry, records, room, &used))
		entry = entry->next;
	if (any && used == 0)
		return ERR_TOO_LONG;
	request->words[0] = used;
	request->answer_length = 1;
	return request_write(0, 0, records, used);
}

enum error request_read_link(struct request *request, const struct open_file *open)
{
	uint64_t room = request->words[1];
	struct place place;
	enum error error = take_path(0, request->words[0], open, false, &place);
	if (error != ERR_OK)
		return error;
	if (place.node == NULL)
		return ERR_NOT_FOUND;
	if (request->length < 2 || node_type(place.node) != FILE_TYPE_LINK)
		return ERR_INVALID_ARGUMENT;
	request->words[0] = place.node->target.length;
	request->answer_length = 1;
	return request_write(1, 0, place.node->target.text,
		place.node->target.length < room ? place.node->target.length : room);
}

enum error request_get_memory(struct request *request, const struct open_file *open)
{
	handle_t memory;
	enum error error = check_regular(open, FILE_OPEN_READ);
	if (error == ERR_OK)
		error = content_memory(&open->node->content, &memory);
	if (error == ERR_OK)
		error = handle_duplicate(memory, RIGHTS_MEMORY, &request->answer_capability);
	request->words[0] = error == ERR_OK ? open->node->content.size : 0;
	request->answer_length = 1;
	return error;
}

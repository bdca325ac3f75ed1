// SPDX-License-Identifier: MIT
//
// The bytes of a regular file.

#include "content.h"
#include "pages.h"
#include <runtime/system_calls.h>
#include <stdlib.h>
#include <string.h>

// Contents that have a memory object at a time: an object is a second copy of the bytes.
#define MEMORIES_MAX 64

// Bytes for which pages are made at a time.
#define RUN_MAX ((uint64_t)256 * 1024)

static struct content *memory_owners[MEMORIES_MAX];
static size_t next_memory_owner;

static size_t page_number(uint64_t offset)
{
	return offset >> PAGE_SHIFT;
}

static size_t pages_for(uint64_t size)
{
	return (size + PAGE_SIZE - 1) >> PAGE_SHIFT;
}

static uint8_t *page_at(const struct content *content, size_t number)
{
	return number < content->page_end ? content->pages[number] : NULL;
}

struct content content_of_archive(const uint8_t *bytes, uint64_t size)
{
	return (struct content){.size = size, .archive = bytes};
}

static void drop_memory(struct content *content)
{
	if (content->memory == HANDLE_NONE)
		return;
	handle_close(content->memory);
	content->memory = HANDLE_NONE;
	for (size_t i = 0; i < MEMORIES_MAX; i++)
		if (memory_owners[i] == content)
			memory_owners[i] = NULL;
}

// Frees all pages from number `first` on.
static void free_pages_from(struct content *content, size_t first)
{
	for (size_t i = first; i < content->page_end; i++) {
		if (content->pages[i] != NULL) {
			page_free(content->pages[i]);
			content->pages[i] = NULL;
			content->page_count--;
		}
	}
	if (first < content->page_end)
		content->page_end = first;
}

void content_free(struct content *content)
{
	drop_memory(content);
	free_pages_from(content, 0);
	free(content->pages);
	*content = (struct content){0};
}

// Makes room for `count` pages in the array.
static enum error reserve_slots(struct content *content, size_t count)
{
	size_t slots = content->page_slots > 0 ? content->page_slots : 8;
	if (count <= content->page_slots)
		return ERR_OK;
	while (slots < count)
		slots *= 2;
	uint8_t **pages = realloc(content->pages, slots * sizeof(*pages));
	if (pages == NULL)
		return ERR_NO_SPACE;
	memset(pages + content->page_slots, 0, (slots - content->page_slots) * sizeof(*pages));
	content->pages = pages;
	content->page_slots = slots;
	return ERR_OK;
}

static enum error make_page(struct content *content, size_t number)
{
	enum error error = reserve_slots(content, number + 1);
	if (error == ERR_OK && content->pages[number] == NULL) {
		content->pages[number] = page_allocate();
		if (content->pages[number] == NULL)
			return ERR_NO_SPACE;
		content->page_count++;
		if (number >= content->page_end)
			content->page_end = number + 1;
	}
	return error;
}

// Copies the first bytes, which are still in the archive, to pages.
static enum error leave_archive(struct content *content, uint64_t size)
{
	const uint8_t *bytes = content->archive;
	enum error error = ERR_OK;
	if (bytes == NULL)
		return ERR_OK;
	for (uint64_t done = 0; done < size && error == ERR_OK; done += PAGE_SIZE) {
		size_t piece = size - done < PAGE_SIZE ? size - done : PAGE_SIZE;
		error = make_page(content, page_number(done));
		if (error == ERR_OK)
			memcpy(content->pages[page_number(done)], bytes + done, piece);
	}
	if (error != ERR_OK) {
		free_pages_from(content, 0);
		return error;
	}
	content->archive = NULL;
	return ERR_OK;
}

// Keeps to the rule that bytes beyond the size are zero.
static void zero_beyond_size(struct content *content)
{
	size_t last = page_number(content->size), used = content->size % PAGE_SIZE;
	free_pages_from(content, pages_for(content->size));
	uint8_t *page = page_at(content, last);
	if (used > 0 && page != NULL)
		memset(page + used, 0, PAGE_SIZE - used);
}

enum error content_set_size(struct content *content, uint64_t size)
{
	if (size > CONTENT_SIZE_MAX)
		return ERR_FILE_TOO_LARGE;
	enum error error = leave_archive(content, size < content->size ? size : content->size);
	if (error != ERR_OK)
		return error;
	drop_memory(content);
	content->size = size;
	zero_beyond_size(content);
	return ERR_OK;
}

// How far pages from number `first` on lie next to each other, at most `length` bytes from an offset in the
// first.
static size_t adjacent(const struct content *content, uint64_t offset, size_t length)
{
	size_t number = page_number(offset), run = PAGE_SIZE - offset % PAGE_SIZE;
	while (run < length && page_at(content, number) != NULL &&
		page_at(content, number + 1) == page_at(content, number) + PAGE_SIZE) {
		run += PAGE_SIZE;
		number++;
	}
	return run < length ? run : length;
}

const uint8_t *content_run(const struct content *content, uint64_t offset, size_t *length)
{
	static const uint8_t zeros[PAGE_SIZE];
	uint64_t left = content->size - offset;
	*length = *length < left ? *length : left;
	if (content->archive != NULL)
		return content->archive + offset;
	const uint8_t *page = page_at(content, page_number(offset));
	*length = adjacent(content, offset, *length);
	return page != NULL ? page + offset % PAGE_SIZE : zeros;
}

enum error content_prepare(struct content *content, uint64_t offset, size_t *length, uint8_t **run)
{
	if (offset >= CONTENT_SIZE_MAX)
		return ERR_FILE_TOO_LARGE;
	enum error error = leave_archive(content, content->size);
	if (error == ERR_OK)
		error = make_page(content, page_number(offset));
	if (error != ERR_OK)
		return error;
	// Further pages at once, so that they are next to each other and filled by one copy; not many, since
	// nobody knows yet whether there are so many bytes.
	uint64_t most = CONTENT_SIZE_MAX - offset < RUN_MAX ? CONTENT_SIZE_MAX - offset : RUN_MAX;
	uint64_t end = offset + (*length < most ? *length : most);
	uint64_t next = (offset | (PAGE_SIZE - 1)) + 1;
	while (next < end && make_page(content, page_number(next)) == ERR_OK)
		next += PAGE_SIZE;
	drop_memory(content);
	*length = adjacent(content, offset, end - offset);
	*run = content->pages[page_number(offset)] + offset % PAGE_SIZE;
	return ERR_OK;
}

void content_written(struct content *content, uint64_t end)
{
	if (end > content->size)
		content->size = end;
	zero_beyond_size(content);
}

// Fills a memory object, which is zero, with the bytes: holes stay holes.
static enum error fill_memory(const struct content *content, handle_t memory)
{
	enum error error = ERR_OK;
	if (content->archive != NULL)
		return memory_write(memory, 0, content->archive, content->size);
	for (size_t i = 0; i < content->page_end && error == ERR_OK; i++)
		if (content->pages[i] != NULL)
			error = memory_write(memory, (uint64_t)i << PAGE_SHIFT, content->pages[i], PAGE_SIZE);
	return error;
}

enum error content_memory(struct content *content, handle_t *memory)
{
	if (content->size == 0)
		return ERR_INVALID_ARGUMENT;
	if (content->memory == HANDLE_NONE) {
		handle_t made;
		enum error error = memory_create((uint64_t)pages_for(content->size) << PAGE_SHIFT, 0, &made);
		if (error != ERR_OK)
			return error;
		error = fill_memory(content, made);
		if (error != ERR_OK) {
			handle_close(made);
			return error;
		}
		if (memory_owners[next_memory_owner] != NULL)
			drop_memory(memory_owners[next_memory_owner]);
		memory_owners[next_memory_owner] = content;
		next_memory_owner = (next_memory_owner + 1) % MEMORIES_MAX;
		content->memory = made;
	}
	*memory = content->memory;
	return ERR_OK;
}

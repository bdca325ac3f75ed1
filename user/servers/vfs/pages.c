// SPDX-License-Identifier: MIT
//
// Pages of file content, cut in order from chunks that the kernel fills when they are touched; freed ones are
// used again first.

#include "pages.h"
#include <runtime/system_calls.h>
#include <string.h>

#define CHUNK_SIZE ((size_t)1 << 20)

struct free_page {
	struct free_page *next;
};

static struct free_page *free_pages;
static uint8_t *chunk;
static size_t chunk_left;

uint8_t *page_allocate(void)
{
	if (free_pages != NULL) {
		uint8_t *page = (uint8_t *)free_pages;
		free_pages = free_pages->next;
		memset(page, 0, PAGE_SIZE);
		return page;
	}
	if (chunk_left == 0) {
		struct map_request map = {.length = CHUNK_SIZE, .flags = MAPPING_READ | MAPPING_WRITE};
		uint64_t address;
		if (address_space_map(HANDLE_SELF, &map, &address) != ERR_OK)
			return NULL;
		chunk = (uint8_t *)address;
		chunk_left = CHUNK_SIZE;
	}
	uint8_t *page = chunk;
	chunk += PAGE_SIZE;
	chunk_left -= PAGE_SIZE;
	return page;
}

void page_free(uint8_t *page)
{
	struct free_page *free_page = (struct free_page *)page;
	free_page->next = free_pages;
	free_pages = free_page;
}

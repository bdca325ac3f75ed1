// SPDX-License-Identifier: MIT
//
// The bytes of a regular file: in the boot archive until the file is first written, then in pages. Bytes of a
// page beyond the size are always zero.

#ifndef VFS_CONTENT_H
#define VFS_CONTENT_H

#include <protocol/error.h>
#include <tern/types.h>

#define CONTENT_SIZE_MAX ((uint64_t)4 << 30)

struct content {
	uint64_t size;
	const uint8_t *archive; // NULL: in pages
	uint8_t **pages;        // by page number; NULL: a hole
	size_t page_slots;      // length of that array
	size_t page_end;        // from this number on there are only holes
	size_t page_count;      // pages that are not holes
	handle_t memory;        // made by content_memory from the present bytes, or HANDLE_NONE
};

// A content of bytes that stay where they are.
struct content content_of_archive(const uint8_t *bytes, uint64_t size);

void content_free(struct content *content);

// Cuts off, or grows by a hole. Errors: FILE_TOO_LARGE, NO_SPACE.
enum error content_set_size(struct content *content, uint64_t size);

// The contiguous bytes from an offset below the size, at most `*length` of them.
const uint8_t *content_run(const struct content *content, uint64_t offset, size_t *length);

// The same for writing, whatever the size is: makes the page. Errors: FILE_TOO_LARGE, NO_SPACE.
enum error content_prepare(struct content *content, uint64_t offset, size_t *length, uint8_t **run);

// Tells that writing has come up to an offset, and zeroes what was made beyond the size.
void content_written(struct content *content, uint64_t end);

// A memory object with the present bytes; it stays the content's. Errors: INVALID_ARGUMENT (empty),
// NO_MEMORY.
enum error content_memory(struct content *content, handle_t *memory);

#endif

// SPDX-License-Identifier: MIT
//
// Calls to the other servers: their protocols as functions, with Linux's errors.

#ifndef FILES_SERVER_H
#define FILES_SERVER_H

#include <linux/memory/span.h>

#include <protocol/file.h>
#include <stddef.h>
#include <stdint.h>
#include <tern/types.h>

// The negated Linux error for an error of the kernel or of a protocol; 0 for ERR_OK.
int64_t error_to_linux(unsigned error);

// A path in the file server: text that is resolved from a directory there.
struct server_path {
	handle_t directory; // file capability
	const char *text;
	size_t length;
};

// FILE_OPEN and FILE_CLOSE. `flags` are FILE_OPEN_*.
int64_t server_open(const struct server_path *path, uint64_t flags, uint32_t mode, handle_t *file,
	struct file_attributes *attributes);
void server_close(handle_t file);

// The other requests of protocol/file.h, in its order; flags and masks are the protocol's.
int64_t server_get_attributes(
	const struct server_path *path, uint64_t flags, struct file_attributes *attributes);
int64_t server_set_attributes(const struct server_path *path, uint64_t flags, uint64_t mask,
	const struct file_attributes *attributes);
// The number of bytes, or a negated error.
int64_t server_read(handle_t file, struct span to, uint64_t offset);
// The number of bytes; `end` is the offset after the last.
int64_t server_write(handle_t file, struct span from, uint64_t offset, uint64_t *end);
int64_t server_read_directory(handle_t directory, void *buffer, size_t size, uint64_t cursor);
int64_t server_create(const struct server_path *path, uint32_t mode, uint64_t device);
int64_t server_create_link(const struct server_path *path, const char *target, size_t length);
// The length of the target; the buffer gets at most `size` bytes and no NUL.
int64_t server_read_link(const struct server_path *path, char *buffer, size_t size);
int64_t server_add_name(const struct server_path *old, const struct server_path *new);
int64_t server_remove(const struct server_path *path, uint64_t flags);
int64_t server_rename(const struct server_path *old, const struct server_path *new, uint64_t flags);
int64_t server_get_memory(handle_t file, handle_t *memory, uint64_t *size);

#endif

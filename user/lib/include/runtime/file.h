// SPDX-License-Identifier: MIT
//
// The client side of files: protocol/file.h, which says what each does and which errors it has. Paths are
// NUL-terminated and resolved from `directory`; start_handle(START_ROOT) is the root.

#ifndef RUNTIME_FILE_H
#define RUNTIME_FILE_H

#include <protocol/error.h>
#include <protocol/file.h>
#include <stddef.h>
#include <tern/types.h>

enum error file_open(handle_t directory, const char *path, unsigned flags, unsigned mode, handle_t *file,
	struct file_attributes *attributes);
enum error file_close(handle_t file);

// `*length` is the room or the number of bytes to write, then the number that was read or written.
enum error file_read(handle_t file, uint64_t offset, void *buffer, size_t *length);
enum error file_write(handle_t file, uint64_t offset, const void *buffer, size_t *length);

enum error file_get_attributes(
	handle_t directory, const char *path, unsigned flags, struct file_attributes *attributes);
enum error file_create(handle_t directory, const char *path, unsigned mode);
enum error file_remove(handle_t directory, const char *path, unsigned flags);
enum error file_get_memory(handle_t file, handle_t *memory, uint64_t *size);
enum error file_make_view(handle_t directory, unsigned flags, uint64_t open_limit, handle_t *root);

#endif

// SPDX-License-Identifier: MIT
//
// Descriptor tables: small numbers to open files. Shared by threads and, where clone says so, by processes.

#ifndef FILES_TABLE_H
#define FILES_TABLE_H

#include <stdbool.h>
#include <stdint.h>

struct open_file;
struct file_table;

#define FILE_TABLE_MAX 65536 // descriptors, whatever the limits say

// An empty one; NULL: no memory.
struct file_table *file_table_create(void);
// Another one with the same files; NULL: no memory.
struct file_table *file_table_copy(struct file_table *table);
struct file_table *file_table_share(struct file_table *table);
void file_table_release(struct file_table *table);

// The file behind a descriptor, with a reference for the caller; NULL: none.
struct open_file *file_table_get(struct file_table *table, int32_t descriptor);

// Gives a file the lowest free descriptor from `lowest` on and below `limit`. Takes over the reference, in
// any case. The descriptor, -LINUX_EMFILE or -LINUX_ENOMEM.
int64_t file_table_add(struct file_table *table, struct open_file *file, uint32_t lowest, uint64_t limit,
	bool close_on_execute);

// The same at this very descriptor (below FILE_TABLE_MAX), in place of what is there.
int64_t file_table_put(
	struct file_table *table, struct open_file *file, uint32_t descriptor, bool close_on_execute);

// 0 or -LINUX_EBADF.
int64_t file_table_close(struct file_table *table, int32_t descriptor);
int64_t file_table_get_close_on_execute(struct file_table *table, int32_t descriptor); // 0, 1 or the error
int64_t file_table_set_close_on_execute(struct file_table *table, int32_t descriptor, bool value);

// Closes, or only marks to be closed by execve, all descriptors of a range.
void file_table_close_range(struct file_table *table, uint32_t first, uint32_t last);
void file_table_mark_range(struct file_table *table, uint32_t first, uint32_t last);

// What execve closes.
void file_table_close_marked(struct file_table *table);

// The lowest descriptor in use that is not below `from`; -1: none.
int32_t file_table_next(struct file_table *table, int32_t from);

#endif

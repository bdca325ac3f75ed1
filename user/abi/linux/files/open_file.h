// SPDX-License-Identifier: MIT
//
// Open files: what descriptors of any number of processes refer to. A kind of file is a table of operations
// and a structure that begins with struct open_file.

#ifndef FILES_OPEN_FILE_H
#define FILES_OPEN_FILE_H

#include <linux/memory/span.h>
#include <linux/process/wait.h>

#include <protocol/file.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct open_file;
struct thread;

// An entry of a directory. `next` is the position after it.
struct directory_entry {
	uint64_t node;
	uint64_t next;
	uint32_t type; // FILE_TYPE_*
	const char *name;
	size_t name_length;
};

// Takes an entry; false: there is no room for it.
typedef bool directory_emit(void *context, const struct directory_entry *entry);

// The kinds of files by what they do. All may wait, on behalf of `thread`; results are counts or negated
// errors. An operation that a kind lacks fails with the error that stands behind it.
struct file_operations {
	// Whether the kind has positions: the offset is then given, else NULL, and read and write do not move
	// it.
	bool seekable;
	int64_t (*read)(struct thread *thread, struct open_file *file, struct span to,
		const uint64_t *offset); // EINVAL
	// `*offset` becomes that after the last byte.
	int64_t (*write)(
		struct thread *thread, struct open_file *file, struct span from, uint64_t *offset); // EINVAL
	// Emits entries from a position on (0: the first) until there is no room or no more. 0 or a negated
	// error.
	int64_t (*read_directory)(
		struct open_file *file, uint64_t position, directory_emit *emit, void *context); // ENOTDIR
	int64_t (*control)(
		struct thread *thread, struct open_file *file, uint32_t request, uint64_t argument); // ENOTTY
	int64_t (*attributes)(struct open_file *file, struct file_attributes *attributes); // those of `node`
	// A copy on write of what the file has, as memory. HANDLE_NONE and size 0: it is empty.
	int64_t (*content)(struct open_file *file, handle_t *memory, uint64_t *size); // ENODEV
	// LINUX_POLL* bits that are so now, and the queue that is woken when they change.
	uint32_t (*ready)(struct open_file *file);             // readable and writable
	struct wait_queue *(*changes)(struct open_file *file); // it never changes
	void (*release)(struct open_file *file);               // nothing but the memory to give back
};

struct open_file {
	_Atomic uint32_t references;
	const struct file_operations *operations;
	_Atomic uint32_t flags; // LINUX_O_*: access mode, and what F_SETFL changes
	pthread_mutex_t lock;   // guards the offset while it is used and moved
	uint64_t offset;
	handle_t node; // file capability in the file server, or HANDLE_NONE
	char *path;    // that it was opened by: absolute, perhaps through symbolic links; NULL: none
};

// Makes a file with one reference of a kind whose structure has `size` bytes, all zero beyond struct
// open_file. NULL: no memory; the node is closed then.
void *open_file_create(size_t size, const struct file_operations *operations, uint32_t flags, handle_t node);

struct open_file *open_file_share(struct open_file *file);
void open_file_release(struct open_file *file);

bool open_file_readable(const struct open_file *file);
bool open_file_writable(const struct open_file *file);
bool open_file_nonblocking(const struct open_file *file);

// Reads and writes at the file's position, or at a given offset (-LINUX_ESPIPE where there are none), after
// checking access.
int64_t open_file_read(struct thread *thread, struct open_file *file, struct span to);
int64_t open_file_write(struct thread *thread, struct open_file *file, struct span from);
int64_t open_file_read_at(struct thread *thread, struct open_file *file, struct span to, uint64_t offset);
int64_t open_file_write_at(struct thread *thread, struct open_file *file, struct span from, uint64_t offset);

// As file_operations has them, with the error of a lacking one.
int64_t open_file_attributes(struct open_file *file, struct file_attributes *attributes);
int64_t open_file_content(struct open_file *file, handle_t *memory, uint64_t *size);
uint32_t open_file_ready(struct open_file *file);

#endif

// SPDX-License-Identifier: MIT
//
// Reads boot archives: one or more cpio archives of the "newc" format (no checksums) one behind the other, as
// Linux takes them. Of entries with one name the last counts.

#ifndef RUNTIME_CPIO_H
#define RUNTIME_CPIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cpio_entry {
	const char *name; // NUL-terminated, without leading "/" and "./"
	const char *data; // in the archive
	uint64_t size;
	uint32_t mode;
	uint32_t user;
	uint32_t group;
	uint32_t modify_time; // seconds since 1970
	uint32_t device_major;
	uint32_t device_minor;
};

struct cpio_reader {
	const char *archive;
	size_t length;
	size_t position; // 0 to begin with
};

// Reads the next entry. False: the end, or what follows is no archive; `damaged` tells which.
bool cpio_next(struct cpio_reader *reader, struct cpio_entry *entry, bool *damaged);

// Finds the file that a path means, without following links.
bool cpio_find(const void *archive, size_t length, const char *path, struct cpio_entry *found);

#endif

// SPDX-License-Identifier: MIT
//
// Attributes of files, as stat and its relatives tell them.

#ifndef FILES_ATTRIBUTES_H
#define FILES_ATTRIBUTES_H

#include <linux/time/clock.h>

#include <protocol/file.h>

#define ATTRIBUTES_BLOCK_SIZE 4096 // good size for reads and writes

// The numbers of the file systems that are the personality's own; the file server's are smaller.
#define FILE_SYSTEM_PIPES   0xfd
#define FILE_SYSTEM_PROC    0xfe
#define FILE_SYSTEM_CONSOLE 0xff

// Storage in use, in the 512-byte units of stat.
static inline uint64_t attributes_sectors(const struct file_attributes *attributes)
{
	return (attributes->allocated + 511) / 512;
}

// Attributes of something that is in no file system, owned by root, made now.
static inline struct file_attributes attributes_make(uint64_t file_system, uint64_t node, uint32_t mode)
{
	uint64_t now = clock_wall();

	return (struct file_attributes){
		.node = node,
		.file_system = file_system,
		.mode = mode,
		.links = 1,
		.access_time = now,
		.modify_time = now,
		.change_time = now,
	};
}

#endif

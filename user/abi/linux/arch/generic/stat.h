// SPDX-License-Identifier: MIT
//
// struct stat as AArch64 and RISC-V share it.

#ifndef ARCH_GENERIC_STAT_H
#define ARCH_GENERIC_STAT_H

#include <stdint.h>

struct linux_stat {
	uint64_t file_system;
	uint64_t node;
	uint32_t mode;
	uint32_t links;
	uint32_t user;
	uint32_t group;
	uint64_t device;
	uint64_t padding;
	int64_t size;
	int32_t block_size;
	int32_t padding_block;
	int64_t blocks;
	int64_t access_seconds, access_nanoseconds;
	int64_t modify_seconds, modify_nanoseconds;
	int64_t change_seconds, change_nanoseconds;
	uint32_t reserved[2];
};
_Static_assert(sizeof(struct linux_stat) == 128, "stat is 128 bytes");

#endif

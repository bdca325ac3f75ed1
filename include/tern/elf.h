// SPDX-License-Identifier: MIT
//
// The parts of the ELF-64 object file format (System V ABI, chapters 4 and 5) that loaders need.

#ifndef TERN_ELF_H
#define TERN_ELF_H

#include <stdint.h>

#define ELF_MAGIC        "\177ELF"
#define ELF_MAGIC_LENGTH 4

struct elf_header {
	uint8_t identification[16];
	uint16_t type;
	uint16_t machine;
	uint32_t version;
	uint64_t entry;
	uint64_t segment_offset;
	uint64_t section_offset;
	uint32_t flags;
	uint16_t header_size;
	uint16_t segment_size;
	uint16_t segment_count;
	uint16_t section_size;
	uint16_t section_count;
	uint16_t section_names;
};

#define ELF_TYPE_ANYWHERE 3 // of a program that runs at any address (ET_DYN)

enum elf_segment_type {
	ELF_SEGMENT_LOAD = 1,
	ELF_SEGMENT_INTERPRETER = 3,
	ELF_SEGMENT_NOTE = 4,
	ELF_SEGMENT_HEADERS = 6,
	ELF_SEGMENT_TLS = 7,
};

#define ELF_SEGMENT_EXECUTE 1
#define ELF_SEGMENT_WRITE   2
#define ELF_SEGMENT_READ    4

struct elf_segment {
	uint32_t type;
	uint32_t flags;
	uint64_t offset;
	uint64_t address;
	uint64_t physical;
	uint64_t file_size;
	uint64_t memory_size;
	uint64_t alignment;
};

#endif

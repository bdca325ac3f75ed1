// SPDX-License-Identifier: MIT
//
// ELF programs: the layout of their files, and loading them into a memory.

#ifndef LOADER_ELF_H
#define LOADER_ELF_H

#include <linux/arch/guest.h>

#include <stdbool.h>

struct guest_memory;
struct open_file;
struct thread;

// What the start of a loaded program needs to know.
struct elf_image {
	guest_address_t entry;
	guest_address_t headers; // where the program headers are in memory; 0: nowhere
	uint64_t header_count;
	guest_address_t end; // first address after all segments
};

struct elf_header {
	uint8_t magic[4];
	uint8_t word_class; // 2: 64 bits
	uint8_t byte_order; // 1: little endian
	uint8_t version;
	uint8_t system;
	uint8_t padding[8];
	uint16_t type;
	uint16_t machine;
	uint32_t file_version;
	uint64_t entry;
	uint64_t headers_offset;
	uint64_t sections_offset;
	uint32_t flags;
	uint16_t header_size;
	uint16_t program_header_size;
	uint16_t program_header_count;
	uint16_t section_header_size;
	uint16_t section_header_count;
	uint16_t names_section;
};

struct elf_program_header {
	uint32_t type;
	uint32_t flags;
	uint64_t offset;
	uint64_t address;
	uint64_t physical_address;
	uint64_t file_size;
	uint64_t memory_size;
	uint64_t alignment;
};

_Static_assert(sizeof(struct elf_header) == 64, "an ELF header has 64 bytes");
_Static_assert(sizeof(struct elf_program_header) == 56, "a program header has 56 bytes");

// Whether the start of a file is that of an ELF file.
bool elf_recognise(const void *start, size_t length);

// Loads a program into an empty memory. 0; -LINUX_ENOEXEC: it is damaged, or for another machine;
// -LINUX_ELIBACC: it needs a dynamic linker; or another negated error.
int64_t elf_load(struct thread *thread, struct open_file *file, const struct elf_header *header,
	struct guest_memory *memory, struct elf_image *image);

#endif

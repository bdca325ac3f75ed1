// SPDX-License-Identifier: MIT
//
// Checks native ELF files. Their bytes may come from anybody.

#ifndef RUNTIME_ELF_H
#define RUNTIME_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <tern/types.h>

#define ELF_SEGMENTS_MAX 16

// A segment to be loaded; everything about it is checked.
struct elf_segment {
	uint64_t address;     // as linked, not necessarily whole pages
	uint64_t memory_size; // bytes; from file_size on they are zero
	uint64_t file_offset;
	uint64_t file_size;
	uint64_t access; // MAPPING_READ, MAPPING_WRITE, MAPPING_EXECUTE
};

struct elf_program {
	bool anywhere; // it can be moved, from address 0 on: elf_move_program
	uint64_t entry;
	uint64_t headers; // address of the program headers in memory; 0: not loaded
	size_t header_count;
	size_t segment_count;
	struct elf_segment segments[ELF_SEGMENTS_MAX]; // in ascending order, no two in one page
};

// Checks a static executable of this ISA and tells what to load. Errors: NOT_EXECUTABLE (protocol/error.h).
enum error elf_read_program(const void *image, size_t length, struct elf_program *program);

// Adds `base`, a multiple of the page size, to all addresses.
void elf_move_program(struct elf_program *program, uint64_t base);

// Whether a file is a native program: a valid ELF file with a note of owner "Tern".
bool elf_is_native(const void *image, size_t length);

#endif

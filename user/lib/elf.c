// SPDX-License-Identifier: MIT
//
// Checks native ELF files: ranges inside the file, no overflow, no overlap, write xor execute.

#include <elf.h>
#include <protocol/error.h>
#include <runtime/arch.h>
#include <runtime/elf.h>
#include <string.h>
#include <tern/info.h>

// So that the end of a segment can be rounded up to a whole page.
#define ADDRESS_MAX (UINT64_MAX - PAGE_SIZE)

static bool in_file(uint64_t offset, uint64_t size, size_t length)
{
	return offset <= length && size <= length - offset;
}

// Copies the file header and tells whether it is one of a static executable of this ISA.
static bool read_header(const void *image, size_t length, Elf64_Ehdr *header)
{
	if (length < sizeof(*header))
		return false;
	memcpy(header, image, sizeof(*header));
	return memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 && header->e_ident[EI_CLASS] == ELFCLASS64 &&
		header->e_ident[EI_DATA] == ELFDATA2LSB &&
		(header->e_type == ET_EXEC || header->e_type == ET_DYN) &&
		header->e_machine == ARCH_ELF_MACHINE && header->e_phentsize == sizeof(Elf64_Phdr) &&
		in_file(header->e_phoff, (uint64_t)header->e_phnum * sizeof(Elf64_Phdr), length);
}

static Elf64_Phdr program_header(const void *image, const Elf64_Ehdr *header, size_t index)
{
	Elf64_Phdr result;
	memcpy(&result, (const char *)image + header->e_phoff + index * sizeof(result), sizeof(result));
	return result;
}

// Checks a loadable segment that must lie above `lowest`.
static bool read_segment(
	const Elf64_Phdr *header, size_t length, uint64_t lowest, struct elf_segment *segment)
{
	uint64_t access = (header->p_flags & PF_R ? MAPPING_READ : 0) |
		(header->p_flags & PF_W ? MAPPING_READ | MAPPING_WRITE : 0) |
		(header->p_flags & PF_X ? MAPPING_READ | MAPPING_EXECUTE : 0);
	*segment = (struct elf_segment){
		.address = header->p_vaddr,
		.memory_size = header->p_memsz,
		.file_offset = header->p_offset,
		.file_size = header->p_filesz,
		.access = access,
	};
	return header->p_memsz > 0 && header->p_filesz <= header->p_memsz &&
		in_file(header->p_offset, header->p_filesz, length) && header->p_vaddr >= lowest &&
		header->p_vaddr <= ADDRESS_MAX && header->p_memsz <= ADDRESS_MAX - header->p_vaddr &&
		(access & (MAPPING_WRITE | MAPPING_EXECUTE)) != (MAPPING_WRITE | MAPPING_EXECUTE);
}

static bool in_segment(const struct elf_segment *segment, uint64_t address)
{
	return address >= segment->address && address - segment->address < segment->memory_size;
}

enum error elf_read_program(const void *image, size_t length, struct elf_program *program)
{
	Elf64_Ehdr header;
	if (!read_header(image, length, &header))
		return ERR_NOT_EXECUTABLE;
	*program = (struct elf_program){
		.anywhere = header.e_type == ET_DYN,
		.entry = header.e_entry,
		.header_count = header.e_phnum,
	};
	uint64_t lowest = program->anywhere ? 0 : PAGE_SIZE;
	bool entry_found = false;
	for (size_t i = 0; i < header.e_phnum; i++) {
		Elf64_Phdr found = program_header(image, &header, i);
		struct elf_segment *segment = &program->segments[program->segment_count];
		if (found.p_type != PT_LOAD)
			continue;
		if (program->segment_count == ELF_SEGMENTS_MAX ||
			!read_segment(&found, length, lowest, segment))
			return ERR_NOT_EXECUTABLE;
		program->segment_count++;
		lowest = (segment->address + segment->memory_size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
		entry_found = entry_found ||
			(segment->access & MAPPING_EXECUTE && in_segment(segment, header.e_entry));
		if (header.e_phoff >= found.p_offset && header.e_phoff - found.p_offset < found.p_filesz)
			program->headers = found.p_vaddr + (header.e_phoff - found.p_offset);
	}
	return entry_found ? ERR_OK : ERR_NOT_EXECUTABLE;
}

void elf_move_program(struct elf_program *program, uint64_t base)
{
	program->entry += base;
	program->headers += program->headers != 0 ? base : 0;
	for (size_t i = 0; i < program->segment_count; i++)
		program->segments[i].address += base;
}

static bool has_native_note(const char *notes, size_t length)
{
	Elf64_Nhdr note;
	while (length >= sizeof(note)) {
		memcpy(&note, notes, sizeof(note));
		uint64_t name_size = ((uint64_t)note.n_namesz + 3) & ~(uint64_t)3;
		uint64_t size = sizeof(note) + name_size + (((uint64_t)note.n_descsz + 3) & ~(uint64_t)3);
		if (size > length)
			return false;
		if (note.n_namesz == sizeof("Tern") &&
			memcmp(notes + sizeof(note), "Tern", sizeof("Tern")) == 0)
			return true;
		notes += size;
		length -= size;
	}
	return false;
}

bool elf_is_native(const void *image, size_t length)
{
	Elf64_Ehdr header;
	if (!read_header(image, length, &header))
		return false;
	for (size_t i = 0; i < header.e_phnum; i++) {
		Elf64_Phdr found = program_header(image, &header, i);
		if (found.p_type == PT_NOTE && in_file(found.p_offset, found.p_filesz, length) &&
			has_native_note((const char *)image + found.p_offset, found.p_filesz))
			return true;
	}
	return false;
}

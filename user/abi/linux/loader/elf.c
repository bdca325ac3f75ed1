// SPDX-License-Identifier: MIT
//
// Loading ELF programs: their segments are mapped copy-on-write from the content of the file. Every number in
// the file may be a lie.

#include <linux/loader/elf.h>

#include <linux/files/open_file.h>
#include <linux/files/server.h>
#include <linux/interface/errors.h>
#include <linux/memory/memory.h>

#include <runtime/system_calls.h>
#include <string.h>

#define TYPE_EXECUTABLE 2
#define TYPE_DYNAMIC    3 // position-independent

#define SEGMENT_LOAD        1
#define SEGMENT_INTERPRETER 3
#define SEGMENT_HEADERS     6

#define SEGMENT_EXECUTABLE 1
#define SEGMENT_WRITABLE   2

#define HEADERS_MAX 64

#define ALIGNMENT_MAX ((uint64_t)1 << 30)

// From here on go programs that run anywhere: a quarter up, clear of the heap's way and of other mappings.
#define LOWEST_BASE page_floor(GUEST_ADDRESS_END / 4)

bool elf_recognise(const void *start, size_t length)
{
	return length >= sizeof(struct elf_header) && memcmp(start, "\177ELF", 4) == 0;
}

static bool header_valid(const struct elf_header *header)
{
	return header->word_class == 2 && header->byte_order == 1 && header->version == 1 &&
		(header->type == TYPE_EXECUTABLE || header->type == TYPE_DYNAMIC) &&
		header->machine == GUEST_ELF_MACHINE &&
		header->program_header_size == sizeof(struct elf_program_header) &&
		header->program_header_count > 0 && header->program_header_count <= HEADERS_MAX &&
		header->headers_offset <= INT64_MAX;
}

// A program being loaded.
struct loading {
	struct guest_memory *memory;
	handle_t content; // of the file
	uint64_t size;    // of the file
	uint64_t base;    // added to all addresses
	struct elf_image *image;
};

static uint64_t access_of(const struct elf_program_header *segment)
{
	return MAPPING_READ | (segment->flags & SEGMENT_WRITABLE ? MAPPING_WRITE : 0) |
		(segment->flags & SEGMENT_EXECUTABLE ? MAPPING_EXECUTE : 0);
}

static bool segment_valid(const struct loading *loading, const struct elf_program_header *segment)
{
	uint64_t access = access_of(segment);
	uint64_t end;

	return segment->file_size <= segment->memory_size && segment->offset <= loading->size &&
		segment->file_size <= loading->size - segment->offset &&
		(segment->offset - segment->address) % PAGE_SIZE == 0 &&
		!__builtin_add_overflow(segment->address, loading->base, &end) &&
		guest_range_valid(end, segment->memory_size) &&
		guest_range_valid(end, page_ceiling(segment->memory_size)) &&
		(access & (MAPPING_WRITE | MAPPING_EXECUTE)) != (MAPPING_WRITE | MAPPING_EXECUTE);
}

// Zeroes from an address to the end of its page.
static int64_t clear_tail(const struct loading *loading, guest_address_t address)
{
	static const char zeros[PAGE_SIZE];
	size_t length = page_ceiling(address) - address;
	struct span tail = {.space = loading->memory->space, .address = address, .length = length};

	return span_write(tail, zeros, length);
}

// The pages that have bytes of the file are mapped from it, those behind them are zero.
static int64_t load_segment(const struct loading *loading, const struct elf_program_header *segment)
{
	if (!segment_valid(loading, segment))
		return -LINUX_ENOEXEC;
	guest_address_t start = segment->address + loading->base;
	guest_address_t first = page_floor(start);
	guest_address_t file_end = segment->file_size > 0 ? page_ceiling(start + segment->file_size) : first;
	guest_address_t end = page_ceiling(start + segment->memory_size);
	uint64_t access = access_of(segment);
	struct map_request pages = {
		.memory = loading->content,
		.offset = page_floor(segment->offset),
		.address = first,
		.length = file_end - first,
		.flags = access | MAPPING_FIXED,
	};
	int64_t error = 0;

	if (pages.length > 0)
		error = guest_memory_map_content(loading->memory, &pages);
	if (error >= 0 && (access & MAPPING_WRITE) && segment->file_size > 0 &&
		segment->file_size < segment->memory_size)
		error = clear_tail(loading, start + segment->file_size);
	if (error >= 0 && end > file_end)
		error = guest_memory_map(loading->memory, file_end, end - file_end, access);
	if (end > loading->image->end)
		loading->image->end = end;
	return error < 0 ? error : 0;
}

// Where the program headers are in memory, if a segment has them.
static void find_headers(const struct loading *loading, const struct elf_header *header,
	const struct elf_program_header *segment)
{
	if (segment->type == SEGMENT_HEADERS)
		loading->image->headers = segment->address + loading->base;
	else if (segment->type == SEGMENT_LOAD && loading->image->headers == 0 &&
		header->headers_offset >= segment->offset &&
		header->headers_offset - segment->offset < segment->file_size)
		loading->image->headers = header->headers_offset - segment->offset + segment->address +
			loading->base;
}

// Chooses where a program goes that runs anywhere, aligned as its segments ask.
static int64_t choose_base(
	struct loading *loading, const struct elf_header *header, const struct elf_program_header *segments)
{
	uint64_t end = 0, alignment = PAGE_SIZE;

	for (unsigned index = 0; index < header->program_header_count; index++) {
		const struct elf_program_header *segment = &segments[index];

		if (segment->type != SEGMENT_LOAD || segment->memory_size == 0)
			continue;
		if (!segment_valid(loading, segment) || segment->alignment > ALIGNMENT_MAX ||
			(segment->alignment & (segment->alignment - 1)) != 0)
			return -LINUX_ENOEXEC;
		if (segment->address + segment->memory_size > end)
			end = segment->address + segment->memory_size;
		if (segment->alignment > alignment)
			alignment = segment->alignment;
	}
	int64_t chosen = guest_memory_choose(loading->memory, LOWEST_BASE, page_ceiling(end) + alignment);
	loading->base = ((uint64_t)chosen + alignment - 1) & ~(alignment - 1);
	return chosen < 0 ? chosen : 0;
}

static int64_t load_segments(const struct loading *loading, const struct elf_header *header,
	const struct elf_program_header *segments)
{
	for (unsigned index = 0; index < header->program_header_count; index++) {
		const struct elf_program_header *segment = &segments[index];

		if (segment->type == SEGMENT_INTERPRETER)
			return -LINUX_ELIBACC;
		if (segment->type == SEGMENT_LOAD && segment->memory_size > 0) {
			int64_t error = load_segment(loading, segment);

			if (error)
				return error == -LINUX_EEXIST ? -LINUX_ENOEXEC : error;
		}
		find_headers(loading, header, segment);
	}
	return loading->image->end > 0 ? 0 : -LINUX_ENOEXEC;
}

int64_t elf_load(struct thread *thread, struct open_file *file, const struct elf_header *header,
	struct guest_memory *memory, struct elf_image *image)
{
	struct elf_program_header segments[HEADERS_MAX];
	struct loading loading = {.memory = memory, .image = image};

	if (!header_valid(header))
		return -LINUX_ENOEXEC;
	size_t size = header->program_header_count * sizeof(segments[0]);
	int64_t result = open_file_read_at(thread, file, span_own(segments, size), header->headers_offset);
	if (result < 0)
		return result;
	if ((size_t)result != size)
		return -LINUX_ENOEXEC;
	result = open_file_content(file, &loading.content, &loading.size);
	if (result)
		return result;
	if (header->type == TYPE_DYNAMIC)
		result = choose_base(&loading, header, segments);
	*image = (struct elf_image){
		.entry = header->entry + loading.base, .header_count = header->program_header_count};
	if (!result)
		result = load_segments(&loading, header, segments);
	if (loading.content != HANDLE_NONE)
		handle_close(loading.content);
	return result;
}

// SPDX-License-Identifier: MIT
//
// Starts native programs: loads the segments into memory of the new process's own, builds its start block.

#include <elf.h>
#include <protocol/error.h>
#include <runtime/elf.h>
#include <runtime/spawn.h>
#include <runtime/start.h>
#include <runtime/system_calls.h>
#include <runtime/thread.h>
#include <stdlib.h>
#include <string.h>

#define RANDOM_BYTES    16
#define AUXILIARY_WORDS 14

static uint64_t page_down(uint64_t value)
{
	return value & ~(PAGE_SIZE - 1);
}

static uint64_t page_up(uint64_t value)
{
	return page_down(value + PAGE_SIZE - 1);
}

static enum error write_all(handle_t space, uint64_t address, const void *bytes, size_t length)
{
	const char *next = bytes;
	while (length > 0) {
		uint64_t copied;
		enum error error = address_space_write(space, address, next, length, &copied);
		if (error != ERR_OK)
			return error;
		address += copied;
		next += copied;
		length -= copied;
	}
	return ERR_OK;
}

static enum error load_segment(handle_t space, const char *image, const struct elf_segment *segment)
{
	uint64_t start = page_down(segment->address);
	struct map_request map = {
		.address = start,
		.length = page_up(segment->address + segment->memory_size) - start,
		.flags = MAPPING_READ | MAPPING_WRITE | MAPPING_FIXED,
	};
	uint64_t address;
	enum error error = address_space_map(space, &map, &address);
	if (error == ERR_OK)
		error = write_all(space, segment->address, image + segment->file_offset, segment->file_size);
	if (error == ERR_OK && segment->access != (MAPPING_READ | MAPPING_WRITE))
		error = address_space_protect(space, start, map.length, segment->access);
	if (error == ERR_OK && (segment->access & MAPPING_EXECUTE))
		error = address_space_sync_code(space, start, map.length);
	return error;
}

// Moves a program to random free addresses.
static enum error choose_base(handle_t space, struct elf_program *program)
{
	const struct elf_segment *last = &program->segments[program->segment_count - 1];
	struct map_request map = {
		.address = PROGRAM_BASE,
		.length = page_up(last->address + last->memory_size),
		.flags = MAPPING_GUARD | MAPPING_RANDOM,
	};
	uint64_t base;
	enum error error = address_space_map(space, &map, &base);
	if (error == ERR_OK)
		error = address_space_unmap(space, base, map.length);
	if (error == ERR_OK)
		elf_move_program(program, base);
	return error;
}

static enum error load_program(
	handle_t space, const struct spawn_request *request, struct elf_program *program)
{
	enum error error = elf_read_program(request->image, request->image_length, program);
	if (error == ERR_OK && program->anywhere)
		error = choose_base(space, program);
	for (size_t i = 0; i < program->segment_count && error == ERR_OK; i++)
		error = load_segment(space, request->image, &program->segments[i]);
	return error;
}

// The start block while it is built here, for an address in the new process: header, vector, strings.
struct builder {
	struct start_block *block;
	uint64_t address; // where it will be
	uint64_t *word;   // next of the vector
	char *string;     // next free byte
};

static size_t count_strings(const char *const *strings, size_t *bytes)
{
	size_t count = 0;
	for (; strings != NULL && strings[count] != NULL; count++)
		*bytes += strlen(strings[count]) + 1;
	return count;
}

static uint64_t target_address(const struct builder *builder, const void *pointer)
{
	return builder->address + (uint64_t)((const char *)pointer - (const char *)builder->block);
}

static void add_strings(struct builder *builder, const char *const *strings)
{
	for (; strings != NULL && *strings != NULL; strings++) {
		size_t size = strlen(*strings) + 1;
		memcpy(builder->string, *strings, size);
		*builder->word++ = target_address(builder, builder->string);
		builder->string += size;
	}
	*builder->word++ = 0;
}

static void add_auxiliary_vector(struct builder *builder, const struct elf_program *program)
{
	const uint64_t words[AUXILIARY_WORDS] = {
		AT_PAGESZ,
		PAGE_SIZE,
		AT_PHDR,
		program->headers,
		AT_PHENT,
		sizeof(Elf64_Phdr),
		AT_PHNUM,
		program->headers != 0 ? program->header_count : 0,
		AT_ENTRY,
		program->entry,
		AT_RANDOM,
		target_address(builder, builder->string),
		AT_NULL,
		0,
	};
	random_get(builder->string, RANDOM_BYTES);
	builder->string += RANDOM_BYTES;
	memcpy(builder->word, words, sizeof(words));
}

static enum error grant_handles(
	handle_t process, const struct spawn_request *request, struct start_block *block)
{
	block->handle_count = request->handle_count;
	for (size_t i = 0; i < request->handle_count; i++) {
		const struct spawn_handle *given = &request->handles[i];
		struct start_handle *entry = &block->handles[i];
		strncpy(entry->name, given->name, NAME_LENGTH - 1);
		if (given->handle == HANDLE_NONE)
			continue;
		enum error error = handle_grant(process, given->handle, given->rights, &entry->handle);
		if (error != ERR_OK)
			return error;
	}
	return ERR_OK;
}

// Maps the block's pages, fills them here and copies them.
static enum error make_start_block(handle_t process, handle_t space, const struct spawn_request *request,
	const struct elf_program *program, uint64_t *address)
{
	size_t string_bytes = RANDOM_BYTES;
	size_t arguments = count_strings(request->arguments, &string_bytes);
	size_t environment = count_strings(request->environment, &string_bytes);
	size_t vector_size = (arguments + 1 + environment + 1 + AUXILIARY_WORDS) * sizeof(uint64_t);
	size_t size = page_up(sizeof(struct start_block) + vector_size + string_bytes);

	struct map_request map = {.length = size, .flags = MAPPING_READ | MAPPING_WRITE};
	struct start_block *block = calloc(1, size);
	if (block == NULL)
		return ERR_NO_MEMORY;
	enum error error = address_space_map(space, &map, address);
	if (error == ERR_OK) {
		struct builder builder = {
			.block = block,
			.address = *address,
			.word = (uint64_t *)(block + 1),
			.string = (char *)(block + 1) + vector_size,
		};
		block->magic = START_MAGIC;
		block->message_buffer = MESSAGE_BUFFERS_START;
		block->argument_count = arguments;
		block->vector = target_address(&builder, builder.word);
		add_strings(&builder, request->arguments);
		add_strings(&builder, request->environment);
		add_auxiliary_vector(&builder, program);
		error = grant_handles(process, request, block);
	}
	if (error == ERR_OK)
		error = write_all(space, *address, block, size);
	free(block);
	return error;
}

static enum error start_thread(
	handle_t process, const char *name, const struct elf_program *program, uint64_t block)
{
	struct thread_attributes attributes = {
		.entry = program->entry,
		.argument = block,
		.message_buffer = MESSAGE_BUFFERS_START,
	};
	handle_t thread;
	strncpy(attributes.name, name, NAME_LENGTH - 1);
	enum error error = thread_create(process, &attributes, &thread);
	if (error == ERR_OK)
		handle_close(thread);
	return error;
}

enum error process_spawn(const struct spawn_request *request, handle_t *process)
{
	struct elf_program program = {0};
	handle_t space;
	uint64_t block;
	if (request->handle_count > START_HANDLES)
		return ERR_TOO_LONG;
	enum error error = process_create(request->account, request->name, process);
	if (error != ERR_OK)
		return error;
	error = process_address_space(*process, &space);
	if (error == ERR_OK) {
		error = load_program(space, request, &program);
		if (error == ERR_OK)
			error = make_start_block(*process, space, request, &program, &block);
		handle_close(space);
	}
	if (error == ERR_OK)
		error = start_thread(*process, request->name, &program, block);
	if (error != ERR_OK) {
		process_kill(*process, 0);
		handle_close(*process);
	}
	return error;
}

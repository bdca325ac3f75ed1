// SPDX-License-Identifier: MIT
//
// The initial stack, from its end downwards: the strings; 16 random bytes, the platform's name and the
// program's path; the vectors of pointers; the argument count.

#include <linux/loader/stack.h>

#include <linux/files/server.h>
#include <linux/interface/errors.h>
#include <linux/interface/time.h>
#include <linux/memory/memory.h>
#include <linux/process/process.h>

#include <runtime/system_calls.h>
#include <stdlib.h>
#include <string.h>

#define STACK_GUARD     (16 * PAGE_SIZE)
#define STACK_ALIGNMENT 16
#define RANDOM_BYTES    16

// Above where mappings without a wish go.
#define LOWEST_STACK page_floor(GUEST_ADDRESS_END / 4 * 3)

// Keys of the auxiliary vector.
enum auxiliary_key {
	AUXILIARY_END = 0,
	AUXILIARY_HEADERS = 3,
	AUXILIARY_HEADER_SIZE = 4,
	AUXILIARY_HEADER_COUNT = 5,
	AUXILIARY_PAGE_SIZE = 6,
	AUXILIARY_BASE = 7,
	AUXILIARY_FLAGS = 8,
	AUXILIARY_ENTRY = 9,
	AUXILIARY_USER = 11,
	AUXILIARY_EFFECTIVE_USER = 12,
	AUXILIARY_GROUP = 13,
	AUXILIARY_EFFECTIVE_GROUP = 14,
	AUXILIARY_PLATFORM = 15,
	AUXILIARY_CAPABILITIES = 16,
	AUXILIARY_CLOCK_TICKS = 17,
	AUXILIARY_SECURE = 23,
	AUXILIARY_RANDOM = 25,
	AUXILIARY_PROGRAM = 31,
};
#define AUXILIARY_ENTRIES 18

// The part of the stack that is filled, put together before it is copied to its place.
struct builder {
	char *bytes;
	guest_address_t start; // where bytes[0] goes
	size_t size;
	size_t next; // where the next is put: index into bytes
};

static guest_address_t address_of(const struct builder *builder, size_t index)
{
	return builder->start + index;
}

static guest_address_t put(struct builder *builder, const void *bytes, size_t length)
{
	guest_address_t address = address_of(builder, builder->next);

	memcpy(builder->bytes + builder->next, bytes, length);
	builder->next += length;
	return address;
}

static void put_word(struct builder *builder, uint64_t word)
{
	put(builder, &word, sizeof(word));
}

static void put_pair(struct builder *builder, enum auxiliary_key key, uint64_t value)
{
	put_word(builder, key);
	put_word(builder, value);
}

// Pointers to strings that are packed from an address on, and a last 0.
static void put_pointers(struct builder *builder, const struct strings *strings, guest_address_t address)
{
	const char *text = strings->bytes;

	for (size_t index = 0; index < strings->count; index++) {
		put_word(builder, address + (guest_address_t)(text - strings->bytes));
		text += strlen(text) + 1;
	}
	put_word(builder, 0);
}

// Where the parts are that pointers point to.
struct places {
	guest_address_t arguments, environment, random, platform, program;
};

static struct places put_strings(
	struct builder *builder, const struct guest_memory *memory, const struct arguments *arguments)
{
	const char *platform = GUEST_PLATFORM;
	char random[RANDOM_BYTES];
	struct places places = {0};

	random_get(random, sizeof(random));
	places.random = put(builder, random, sizeof(random));
	if (platform)
		places.platform = put(builder, platform, strlen(platform) + 1);
	places.program = put(builder, memory->program, strlen(memory->program) + 1);
	places.arguments = put(builder, arguments->arguments.bytes, arguments->arguments.length);
	places.environment = put(builder, arguments->environment.bytes, arguments->environment.length);
	return places;
}

static void put_vectors(struct builder *builder, const struct places *places, const struct elf_image *image,
	const struct arguments *arguments, const struct credentials *credentials)
{
	put_word(builder, arguments->arguments.count);
	put_pointers(builder, &arguments->arguments, places->arguments);
	put_pointers(builder, &arguments->environment, places->environment);
	put_pair(builder, AUXILIARY_HEADERS, image->headers);
	put_pair(builder, AUXILIARY_HEADER_SIZE, sizeof(struct elf_program_header));
	put_pair(builder, AUXILIARY_HEADER_COUNT, image->header_count);
	put_pair(builder, AUXILIARY_PAGE_SIZE, PAGE_SIZE);
	put_pair(builder, AUXILIARY_BASE, 0);
	put_pair(builder, AUXILIARY_FLAGS, 0);
	put_pair(builder, AUXILIARY_ENTRY, image->entry);
	put_pair(builder, AUXILIARY_USER, credentials->real_user);
	put_pair(builder, AUXILIARY_EFFECTIVE_USER, credentials->effective_user);
	put_pair(builder, AUXILIARY_GROUP, credentials->real_group);
	put_pair(builder, AUXILIARY_EFFECTIVE_GROUP, credentials->effective_group);
	if (places->platform != 0)
		put_pair(builder, AUXILIARY_PLATFORM, places->platform);
	put_pair(builder, AUXILIARY_CAPABILITIES, guest_capabilities());
	put_pair(builder, AUXILIARY_CLOCK_TICKS, LINUX_CLOCK_TICKS);
	put_pair(builder, AUXILIARY_SECURE, 0);
	put_pair(builder, AUXILIARY_RANDOM, places->random);
	put_pair(builder, AUXILIARY_PROGRAM, places->program);
	put_pair(builder, AUXILIARY_END, 0);
}

static int64_t map_signal_return(struct guest_memory *memory, guest_address_t address)
{
	struct span page = {.space = memory->space, .address = address, .length = PAGE_SIZE};
	int64_t error = guest_memory_map(memory, page.address, page.length, MAPPING_READ | MAPPING_WRITE);

	if (!error)
		error = span_write(page, guest_signal_return_code, GUEST_SIGNAL_RETURN_SIZE);
	if (!error)
		error = error_to_linux(address_space_protect(
			page.space, page.address, page.length, MAPPING_READ | MAPPING_EXECUTE));
	guest_memory_sync_code(memory, page.address, GUEST_SIGNAL_RETURN_SIZE);
	memory->signal_return = address;
	return error;
}

// Guard, stack, and the page that signal handlers return to. The stack's end, or a negated error.
static int64_t map_stack(struct guest_memory *memory)
{
	int64_t guard = guest_memory_choose(
		memory, LOWEST_STACK, STACK_GUARD + MEMORY_STACK_SIZE + PAGE_SIZE);
	if (guard < 0)
		return guard;
	guest_address_t start = (guest_address_t)guard + STACK_GUARD, end = start + MEMORY_STACK_SIZE;
	int64_t error = guest_memory_map(memory, (guest_address_t)guard, STACK_GUARD, MAPPING_GUARD);

	if (!error)
		error = guest_memory_map(memory, start, MEMORY_STACK_SIZE, MAPPING_READ | MAPPING_WRITE);
	if (!error)
		error = map_signal_return(memory, end);
	return error ? error : (int64_t)end;
}

int64_t stack_build(struct guest_memory *memory, const struct elf_image *image,
	const struct arguments *arguments, const struct credentials *credentials, guest_address_t *pointer)
{
	const struct strings *strings = &arguments->arguments, *environment = &arguments->environment;
	const char *platform = GUEST_PLATFORM;
	size_t strings_size = RANDOM_BYTES + (platform ? strlen(platform) + 1 : 0) + strlen(memory->program) +
		1 + strings->length + environment->length;
	size_t vectors_size = (1 + strings->count + 1 + environment->count + 1 + 2 * AUXILIARY_ENTRIES) *
		sizeof(uint64_t);
	int64_t mapped = map_stack(memory);

	if (mapped < 0)
		return mapped;
	guest_address_t end = (guest_address_t)mapped;
	guest_address_t strings_start = (end - strings_size) & ~(guest_address_t)(STACK_ALIGNMENT - 1);
	*pointer = (strings_start - vectors_size) & ~(guest_address_t)(STACK_ALIGNMENT - 1);
	struct builder builder = {.start = *pointer, .size = end - *pointer};
	builder.bytes = calloc(1, builder.size);
	if (!builder.bytes)
		return -LINUX_ENOMEM;
	builder.next = strings_start - *pointer;
	struct places places = put_strings(&builder, memory, arguments);
	memory->arguments = places.arguments;
	memory->environment = places.environment;
	memory->strings_end = places.environment + environment->length;
	builder.next = 0;
	put_vectors(&builder, &places, image, arguments, credentials);
	struct span target = {.space = memory->space, .address = builder.start, .length = builder.size};
	int64_t error = span_write(target, builder.bytes, builder.size);
	free(builder.bytes);
	return error;
}

// SPDX-License-Identifier: MIT
//
// Memories of processes: creation, sharing, copies, and what maps into them.

#include <linux/memory/memory.h>

#include <linux/files/server.h>
#include <linux/interface/errors.h>
#include <linux/interface/memory.h>

#include <runtime/system_calls.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

// Takes over the address space.
static struct guest_memory *guest_memory_wrap(handle_t space, const char *program)
{
	struct guest_memory *memory = calloc(1, sizeof(*memory));
	char *name = strdup(program);

	if (!memory || !name) {
		handle_close(space);
		free(memory);
		free(name);
		return NULL;
	}
	memory->references = 1;
	memory->space = space;
	memory->program = name;
	pthread_mutex_init(&memory->lock, NULL);
	return memory;
}

struct guest_memory *guest_memory_create(const char *program)
{
	handle_t space;

	return address_space_create(&space) == ERR_OK ? guest_memory_wrap(space, program) : NULL;
}

struct guest_memory *guest_memory_clone(struct guest_memory *memory)
{
	handle_t space;

	if (address_space_clone(memory->space, &space) != ERR_OK)
		return NULL;
	struct guest_memory *clone = guest_memory_wrap(space, memory->program);
	if (clone) {
		pthread_mutex_lock(&memory->lock);
		clone->break_start = memory->break_start;
		clone->break_end = memory->break_end;
		pthread_mutex_unlock(&memory->lock);
		clone->signal_return = memory->signal_return;
		clone->arguments = memory->arguments;
		clone->environment = memory->environment;
		clone->strings_end = memory->strings_end;
	}
	return clone;
}

struct guest_memory *guest_memory_share(struct guest_memory *memory)
{
	atomic_fetch_add(&memory->references, 1);
	return memory;
}

void guest_memory_release(struct guest_memory *memory)
{
	if (atomic_fetch_sub(&memory->references, 1) > 1)
		return;
	handle_close(memory->space);
	free(memory->program);
	free(memory);
}

int64_t guest_memory_map(
	struct guest_memory *memory, guest_address_t address, uint64_t length, uint64_t flags)
{
	struct map_request request = {.address = address, .length = length, .flags = flags | MAPPING_FIXED};
	uint64_t mapped;

	return error_to_linux(address_space_map(memory->space, &request, &mapped));
}

int64_t guest_memory_choose(struct guest_memory *memory, guest_address_t lowest, uint64_t length)
{
	struct map_request request = {
		.address = lowest, .length = length, .flags = MAPPING_GUARD | MAPPING_RANDOM};
	uint64_t chosen;
	enum error error = address_space_map(memory->space, &request, &chosen);

	if (error == ERR_OK)
		error = address_space_unmap(memory->space, chosen, length);
	return error == ERR_OK ? (int64_t)chosen : error_to_linux(error);
}

static int64_t map_object(struct guest_memory *memory, const struct map_request *request)
{
	uint64_t mapped;
	enum error error = address_space_map(memory->space, request, &mapped);

	if (error != ERR_OK)
		return error_to_linux(error);
	if (request->flags & MAPPING_EXECUTE)
		guest_memory_sync_code(memory, mapped, request->length);
	return (int64_t)mapped;
}

int64_t guest_memory_map_content(struct guest_memory *memory, const struct map_request *request)
{
	struct map_request native = *request;

	if (!(request->flags & MAPPING_WRITE)) {
		native.flags |= MAPPING_SHARED;
		return map_object(memory, &native);
	}
	enum error error = memory_clone(request->memory, request->offset, request->length, &native.memory);
	if (error != ERR_OK)
		return error_to_linux(error);
	native.offset = 0;
	int64_t result = map_object(memory, &native);
	handle_close(native.memory);
	return result;
}

// Fills a memory object with what is mapped from an address on.
static int64_t copy_pages(
	struct guest_memory *memory, guest_address_t address, handle_t object, uint64_t length)
{
	char *page = malloc(PAGE_SIZE);
	int64_t error = page ? 0 : -LINUX_ENOMEM;

	for (uint64_t done = 0; done < length && !error; done += PAGE_SIZE) {
		struct span span = {.space = memory->space, .address = address + done, .length = PAGE_SIZE};

		error = span_read(span, page, PAGE_SIZE);
		if (!error)
			error = error_to_linux(memory_write(object, done, page, PAGE_SIZE));
	}
	free(page);
	return error;
}

// Puts a private copy in the place of pages, which nobody can write meanwhile.
static int64_t make_copy(
	struct guest_memory *memory, guest_address_t address, uint64_t length, uint64_t access)
{
	struct map_request request = {
		.address = address, .length = length, .flags = access | MAPPING_FIXED | MAPPING_REPLACE};
	int64_t error = error_to_linux(address_space_protect(memory->space, address, length, MAPPING_READ));

	if (error)
		return error;
	if (memory_create(length, 0, &request.memory) != ERR_OK)
		return -LINUX_ENOMEM;
	error = copy_pages(memory, address, request.memory, length);
	if (!error)
		error = map_object(memory, &request);
	handle_close(request.memory);
	return error < 0 ? error : 0;
}

// Makes pages of several mappings writable; those of a file, which forks share, become private.
static int64_t make_writable(
	struct guest_memory *memory, guest_address_t address, guest_address_t end, uint64_t access)
{
	struct mapping_info info;
	int64_t error = 0;

	while (address < end && !error) {
		if (address_space_query(memory->space, address, &info) != ERR_OK || info.address > address)
			return -LINUX_ENOMEM;
		guest_address_t stop = info.address + info.length < end ? info.address + info.length : end;
		enum error native = address_space_protect(memory->space, address, stop - address, access);

		error = native == ERR_NO_RIGHTS ? make_copy(memory, address, stop - address, access)
						: error_to_linux(native);
		address = stop;
	}
	return error;
}

int64_t guest_memory_protect(
	struct guest_memory *memory, guest_address_t address, uint64_t length, uint64_t access)
{
	enum error error = address_space_protect(memory->space, address, length, access);

	if (error == ERR_NO_RIGHTS && (access & MAPPING_WRITE))
		return make_writable(memory, address, address + length, access);
	if (error == ERR_OK && (access & MAPPING_EXECUTE))
		guest_memory_sync_code(memory, address, length);
	return error == ERR_NOT_FOUND ? -LINUX_ENOMEM : error_to_linux(error);
}

void guest_memory_sync_code(struct guest_memory *memory, guest_address_t address, uint64_t length)
{
	if (length > 0)
		address_space_sync_code(memory->space, address, length);
}

bool guest_memory_access(uint32_t protection, uint64_t *flags)
{
	*flags = 0;
	if (protection & LINUX_PROT_READ)
		*flags |= MAPPING_READ;
	if (protection & LINUX_PROT_WRITE)
		*flags |= MAPPING_READ | MAPPING_WRITE;
	if (protection & LINUX_PROT_EXEC)
		*flags |= MAPPING_READ | MAPPING_EXECUTE;
	return (*flags & (MAPPING_WRITE | MAPPING_EXECUTE)) != (MAPPING_WRITE | MAPPING_EXECUTE);
}

// SPDX-License-Identifier: MIT
//
// The calls around memory: brk, mmap and what changes mappings.

#include <linux/calls/calls.h>
#include <linux/files/open_file.h>
#include <linux/files/server.h>
#include <linux/files/table.h>
#include <linux/interface/errors.h>
#include <linux/interface/files.h>
#include <linux/interface/memory.h>
#include <linux/memory/memory.h>
#include <linux/process/process.h>

#include <runtime/system_calls.h>
#include <stdlib.h>

#define MOVE_CHUNK ((size_t)64 * 1024)

// The new end where it can be had, else the one that is.
int64_t linux_brk(struct thread *thread, guest_address_t end)
{
	struct guest_memory *memory = thread->process->memory;

	pthread_mutex_lock(&memory->lock);
	if (end >= memory->break_start && guest_range_valid(end, PAGE_SIZE)) {
		guest_address_t mapped_end = page_ceiling(memory->break_end);
		guest_address_t wanted_end = page_ceiling(end);
		int64_t error = 0;

		if (wanted_end > mapped_end)
			error = guest_memory_map(
				memory, mapped_end, wanted_end - mapped_end, MAPPING_READ | MAPPING_WRITE);
		else if (wanted_end < mapped_end)
			error = error_to_linux(
				address_space_unmap(memory->space, wanted_end, mapped_end - wanted_end));
		if (error == 0)
			memory->break_end = end;
	}
	guest_address_t result = memory->break_end;
	pthread_mutex_unlock(&memory->lock);
	return (int64_t)result;
}

// A request to map, decoded and checked.
struct mapping_request {
	guest_address_t address; // in whole pages
	uint64_t length;         // in whole pages
	uint64_t offset;
	uint64_t flags; // MAPPING_*
};

static int64_t map_anonymous(struct guest_memory *memory, const struct mapping_request *request)
{
	struct map_request native = {
		.address = request->address, .length = request->length, .flags = request->flags};
	uint64_t mapped;
	enum error error = address_space_map(memory->space, &native, &mapped);

	return error == ERR_OK ? (int64_t)mapped : error_to_linux(error);
}

// Maps what the file has of the range over memory that holds the whole range and cannot be accessed.
static int64_t map_content(
	struct guest_memory *memory, const struct mapping_request *request, handle_t content, uint64_t size)
{
	struct mapping_request reservation = *request;

	reservation.flags &= ~(uint64_t)(MAPPING_READ | MAPPING_WRITE | MAPPING_EXECUTE);
	int64_t address = map_anonymous(memory, &reservation);
	if (address < 0 || request->offset >= size)
		return address;
	uint64_t available = page_ceiling(size) - request->offset;
	struct map_request native = {
		.memory = content,
		.offset = request->offset,
		.address = (guest_address_t)address,
		.length = request->length < available ? request->length : available,
		.flags = (request->flags & ~(uint64_t)MAPPING_SHARED) | MAPPING_FIXED | MAPPING_REPLACE,
	};
	int64_t result = guest_memory_map_content(memory, &native);
	if (result < 0)
		address_space_unmap(memory->space, (guest_address_t)address, request->length);
	return result;
}

// The file's content is a copy on write of what it is now: a shared mapping that can be written cannot be
// had.
static int64_t map_file(struct thread *thread, const struct mapping_request *request, int32_t descriptor)
{
	struct open_file *file = file_table_get(thread->files, descriptor);
	handle_t content;
	uint64_t size;

	if (!file)
		return -LINUX_EBADF;
	int64_t result = open_file_content(file, &content, &size);
	open_file_release(file);
	if (result < 0)
		return result;
	result = map_content(thread->process->memory, request, content, size);
	if (content != HANDLE_NONE)
		handle_close(content);
	return result;
}

int64_t linux_mmap(struct thread *thread, guest_address_t address, uint64_t length, uint32_t protection,
	uint32_t flags, int32_t descriptor, uint64_t offset)
{
	struct mapping_request request = {
		.address = address, .length = page_ceiling(length), .offset = offset};
	uint32_t type = flags & LINUX_MAP_TYPE;
	bool fixed = flags & (LINUX_MAP_FIXED | LINUX_MAP_FIXED_NOREPLACE);

	if (length == 0 || page_floor(offset) != offset || type < LINUX_MAP_SHARED ||
		type > LINUX_MAP_SHARED_VALIDATE)
		return -LINUX_EINVAL;
	if (request.length == 0 || offset + request.length < offset)
		return -LINUX_EOVERFLOW;
	if (!guest_memory_access(protection, &request.flags))
		return -LINUX_EACCES;
	if (fixed) {
		if (page_floor(address) != address)
			return -LINUX_EINVAL;
		if (!guest_range_valid(address, request.length))
			return -LINUX_ENOMEM;
		request.flags |= MAPPING_FIXED;
		if (!(flags & LINUX_MAP_FIXED_NOREPLACE))
			request.flags |= MAPPING_REPLACE;
	} else {
		request.address = guest_range_valid(page_floor(address), request.length) ? page_floor(address)
											 : 0;
	}
	if (type != LINUX_MAP_PRIVATE)
		request.flags |= MAPPING_SHARED;
	if (flags & LINUX_MAP_ANONYMOUS)
		return map_anonymous(thread->process->memory, &request);
	if ((request.flags & MAPPING_SHARED) && (request.flags & MAPPING_WRITE))
		return -LINUX_ENODEV;
	return map_file(thread, &request, descriptor);
}

static bool page_range_valid(guest_address_t address, uint64_t length)
{
	return page_floor(address) == address && page_floor(length) == length &&
		guest_range_valid(address, length);
}

int64_t linux_munmap(struct thread *thread, guest_address_t address, uint64_t length)
{
	if (length == 0 || !page_range_valid(address, page_ceiling(length)) || page_ceiling(length) == 0)
		return -LINUX_EINVAL;
	return error_to_linux(
		address_space_unmap(thread->process->memory->space, address, page_ceiling(length)));
}

int64_t linux_mprotect(struct thread *thread, guest_address_t address, uint64_t length, uint32_t protection)
{
	struct guest_memory *memory = thread->process->memory;
	uint64_t access;

	if (page_floor(address) != address)
		return -LINUX_EINVAL;
	if (length == 0)
		return 0;
	if (page_ceiling(length) == 0 || !page_range_valid(address, page_ceiling(length)))
		return -LINUX_ENOMEM;
	if (!guest_memory_access(protection, &access))
		return -LINUX_EACCES;
	return guest_memory_protect(memory, address, page_ceiling(length), access);
}

// Copies a range of a guest's memory to another one.
static int64_t copy_range(struct thread *thread, guest_address_t to, guest_address_t from, uint64_t length)
{
	handle_t space = thread->process->memory->space;
	struct span source = {.space = space, .address = from, .length = length};
	struct span target = {.space = space, .address = to, .length = length};
	char *chunk = malloc(MOVE_CHUNK);
	int64_t error = chunk ? 0 : -LINUX_ENOMEM;

	for (uint64_t done = 0; done < length && !error; done += MOVE_CHUNK) {
		size_t size = length - done < MOVE_CHUNK ? length - done : MOVE_CHUNK;

		error = thread_ends(thread) ? -LINUX_EINTR : span_read(span_rest(source, done), chunk, size);
		if (!error)
			error = span_write(span_rest(target, done), chunk, size);
	}
	free(chunk);
	return error;
}

// Moves a mapping by copying it: `access` is what it permits.
static int64_t move_mapping(struct thread *thread, guest_address_t address, uint64_t old_length,
	const struct mapping_request *request, uint64_t access)
{
	struct guest_memory *memory = thread->process->memory;
	uint64_t kept = old_length < request->length ? old_length : request->length;
	int64_t target = map_anonymous(memory, request);

	if (target < 0)
		return target;
	int64_t error = access ? copy_range(thread, (guest_address_t)target, address, kept) : 0;
	if (!error && access != request->flags)
		error = error_to_linux(address_space_protect(
			memory->space, (guest_address_t)target, request->length, access));
	if (error) {
		address_space_unmap(memory->space, (guest_address_t)target, request->length);
		return error;
	}
	address_space_unmap(memory->space, address, old_length);
	return target;
}

int64_t linux_mremap(struct thread *thread, guest_address_t address, uint64_t old_length, uint64_t new_length,
	uint32_t flags, guest_address_t wanted)
{
	struct guest_memory *memory = thread->process->memory;
	struct mapping_request request = {
		.length = page_ceiling(new_length), .flags = MAPPING_READ | MAPPING_WRITE};
	struct mapping_info info;

	old_length = page_ceiling(old_length);
	if ((flags & ~(uint32_t)(LINUX_MREMAP_MAYMOVE | LINUX_MREMAP_FIXED)) || old_length == 0 ||
		request.length == 0 || !page_range_valid(address, old_length))
		return -LINUX_EINVAL;
	if (address_space_query(memory->space, address, &info) != ERR_OK || info.address > address ||
		info.address + info.length < address + old_length)
		return -LINUX_EFAULT;
	uint64_t access = info.flags & (MAPPING_READ | MAPPING_WRITE | MAPPING_EXECUTE);
	if (flags & LINUX_MREMAP_FIXED) {
		if (!(flags & LINUX_MREMAP_MAYMOVE) || !page_range_valid(wanted, request.length) ||
			(wanted < address + old_length && address < wanted + request.length))
			return -LINUX_EINVAL;
		request.address = wanted;
		request.flags |= MAPPING_FIXED | MAPPING_REPLACE;
		return move_mapping(thread, address, old_length, &request, access);
	}
	if (request.length <= old_length) {
		address_space_unmap(memory->space, address + request.length, old_length - request.length);
		return (int64_t)address;
	}
	if (guest_range_valid(address, request.length) &&
		guest_memory_map(memory, address + old_length, request.length - old_length, access) == 0)
		return (int64_t)address;
	if (!(flags & LINUX_MREMAP_MAYMOVE))
		return -LINUX_ENOMEM;
	return move_mapping(thread, address, old_length, &request, access);
}

// Gives writable pages back, so that they read as zeros. What a file is behind is not remembered: a private
// mapping of a file that can be written reads as zeros too.
static int64_t drop_pages(struct guest_memory *memory, guest_address_t address, uint64_t length)
{
	guest_address_t end = address + length;
	struct mapping_info info;

	while (address < end && address_space_query(memory->space, address, &info) == ERR_OK &&
		info.address < end) {
		guest_address_t start = info.address > address ? info.address : address;
		guest_address_t stop = info.address + info.length < end ? info.address + info.length : end;

		if ((info.flags & MAPPING_WRITE) && !(info.flags & MAPPING_SHARED)) {
			int64_t error = guest_memory_map(
				memory, start, stop - start, MAPPING_READ | MAPPING_WRITE | MAPPING_REPLACE);
			if (error)
				return error;
		}
		address = stop;
	}
	return 0;
}

int64_t linux_madvise(struct thread *thread, guest_address_t address, uint64_t length, uint32_t advice)
{
	if (!page_range_valid(address, page_ceiling(length)))
		return -LINUX_EINVAL;
	return advice == LINUX_MADV_DONTNEED
		? drop_pages(thread->process->memory, address, page_ceiling(length))
		: 0;
}

int64_t linux_msync(struct thread *thread, guest_address_t address, uint64_t length)
{
	(void)thread;
	return page_range_valid(address, page_ceiling(length)) ? 0 : -LINUX_EINVAL;
}

int64_t linux_mlock(struct thread *thread)
{
	(void)thread;
	return 0;
}

int64_t linux_munlock(struct thread *thread)
{
	(void)thread;
	return 0;
}

// SPDX-License-Identifier: MIT
//
// mmap, munmap and mprotect of anonymous memory.

#include "posix.h"
#include <errno.h>
#include <runtime/system_calls.h>
#include <sys/mman.h>

static uint64_t access_of(int protection)
{
	return (protection & PROT_READ ? MAPPING_READ : 0) |
		(protection & PROT_WRITE ? MAPPING_READ | MAPPING_WRITE : 0) |
		(protection & PROT_EXEC ? MAPPING_EXECUTE : 0);
}

static size_t whole_pages(size_t length)
{
	return (length + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
}

long posix_mmap(uintptr_t address, size_t length, int protection, int flags, int file, off_t offset)
{
	if (file >= 0 || offset != 0 || !(flags & MAP_ANONYMOUS))
		return -ENODEV;
	struct map_request request = {
		.address = address,
		.length = whole_pages(length),
		.flags = access_of(protection) | (flags & MAP_FIXED ? MAPPING_FIXED | MAPPING_REPLACE : 0),
	};
	uint64_t mapped;
	enum error error = address_space_map(HANDLE_SELF, &request, &mapped);
	if (error == ERR_INVALID_ARGUMENT && length > 0) // larger than any address space
		error = ERR_NO_MEMORY;
	return error == ERR_OK ? (long)mapped : posix_error(error);
}

long posix_munmap(uintptr_t address, size_t length)
{
	return posix_error(address_space_unmap(HANDLE_SELF, address, whole_pages(length)));
}

long posix_mprotect(uintptr_t address, size_t length, int protection)
{
	return posix_error(
		address_space_protect(HANDLE_SELF, address, whole_pages(length), access_of(protection)));
}

// SPDX-License-Identifier: MIT
//
// The memory of a process: an address space and what Linux knows about it beyond its mappings. Processes
// share one between vfork and execve.

#ifndef MEMORY_MEMORY_H
#define MEMORY_MEMORY_H

#include <linux/arch/guest.h>
#include <linux/memory/span.h>

#include <pthread.h>
#include <stdbool.h>
#include <tern/info.h>

#define MEMORY_STACK_SIZE ((uint64_t)8 * 1024 * 1024)

struct guest_memory {
	_Atomic uint32_t references;
	handle_t space;
	pthread_mutex_t lock;                   // guards the break
	guest_address_t break_start, break_end; // of the heap that brk moves
	guest_address_t signal_return;          // a page with guest_signal_return_code, above the stack
	guest_address_t arguments, environment; // where the program's strings start on its stack
	guest_address_t strings_end;            // and where they end
	char *program;                          // path of what execve loaded, for /proc
};

// An empty one; NULL: no memory.
struct guest_memory *guest_memory_create(const char *program);
// A copy of all that is in it, on write; NULL: no memory.
struct guest_memory *guest_memory_clone(struct guest_memory *memory);
struct guest_memory *guest_memory_share(struct guest_memory *memory);
void guest_memory_release(struct guest_memory *memory);

// Maps zeroed memory with MAPPING_* flags; `address` is where it has to be, in whole pages. 0 or a negated error.
int64_t guest_memory_map(
	struct guest_memory *memory, guest_address_t address, uint64_t length, uint64_t flags);

// Finds free addresses in a memory that nobody uses yet, at random, from `lowest` on. The first, or a negated error.
int64_t guest_memory_choose(struct guest_memory *memory, guest_address_t lowest, uint64_t length);

// Maps a part of some content, which `request` names: what can be written is a private copy of it, on write, all else is
// shared by forks. Returns the address, or a negated error.
int64_t guest_memory_map_content(struct guest_memory *memory, const struct map_request *request);

// Changes what whole pages permit; what forks share of a file is private once it can be written. 0 or a negated error.
int64_t guest_memory_protect(
	struct guest_memory *memory, guest_address_t address, uint64_t length, uint64_t access);

// Makes code that was written visible to instruction fetch.
void guest_memory_sync_code(struct guest_memory *memory, guest_address_t address, uint64_t length);

// MAPPING_* flags for Linux's PROT_* bits; false: what cannot be had (both writable and executable).
bool guest_memory_access(uint32_t protection, uint64_t *flags);

static inline uint64_t page_floor(uint64_t value)
{
	return value & ~(uint64_t)(PAGE_SIZE - 1);
}

// Overflow comes out as 0.
static inline uint64_t page_ceiling(uint64_t value)
{
	return page_floor(value + PAGE_SIZE - 1);
}

// Whether [address, address + length) is a range of addresses that a guest can have.
static inline bool guest_range_valid(guest_address_t address, uint64_t length)
{
	return address <= GUEST_ADDRESS_END && length <= GUEST_ADDRESS_END - address;
}

#endif

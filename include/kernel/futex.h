// SPDX-License-Identifier: MIT
//
// Futexes: threads that wait at a 32-bit word of user memory.

#ifndef KERNEL_FUTEX_H
#define KERNEL_FUTEX_H

#include <stdint.h>

// What a word is known by: the memory object's id and the offset in it for MAPPING_SHARED mappings, else the id
// of the address space and the address.
struct futex_key {
	uint64_t object_id;
	uint64_t offset;
};

void futex_init(void);

// Wakes waiters of a word of the current process's own space (clear-tid). An address that is not mapped wakes
// nobody.
void futex_wake_address(uint64_t address, uint64_t count);

#endif

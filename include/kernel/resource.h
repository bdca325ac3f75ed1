// SPDX-License-Identifier: MIT
//
// Resources: ranges of physical addresses, interrupt lines or I/O ports, and the small authorities log and
// system.

#ifndef KERNEL_RESOURCE_H
#define KERNEL_RESOURCE_H

#include <kernel/object.h>
#include <tern/boot.h>

struct resource {
	struct object object;
	uint32_t kind; // enum resource_kind
	uint64_t base;
	uint64_t length;
};

// Creator's reference; NULL: no memory.
struct resource *resource_create(
	struct account *account, enum resource_kind kind, uint64_t base, uint64_t length);

// Looks a resource handle up and checks its kind and that [base, base + length) is inside it. Errors: those
// of a look-up, WRONG_TYPE (kind), INVALID_ARGUMENT (range).
enum error resource_lookup(handle_t handle, enum resource_kind kind, rights_t needed, uint64_t base,
	uint64_t length, struct resource **found);

#endif

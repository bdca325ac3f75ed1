// SPDX-License-Identifier: MIT
//
// The stack that a program starts with.

#ifndef LOADER_STACK_H
#define LOADER_STACK_H

#include <linux/loader/arguments.h>
#include <linux/loader/elf.h>

struct credentials;

// Maps a stack with a guard below, and the page to return to from signal handlers, and puts arguments,
// environment and auxiliary vector on it. `*pointer` is the initial stack pointer. 0 or a negated error.
int64_t stack_build(struct guest_memory *memory, const struct elf_image *image,
	const struct arguments *arguments, const struct credentials *credentials, guest_address_t *pointer);

#endif

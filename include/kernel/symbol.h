// SPDX-License-Identifier: MIT
//
// The kernel's own functions by address, for backtraces. The build writes the table (tools/make_symbols.py).

#ifndef KERNEL_SYMBOL_H
#define KERNEL_SYMBOL_H

#include <stddef.h>
#include <stdint.h>

struct symbol {
	uint32_t offset; // of the function from symbol_base
	uint32_t name;   // where its name begins in symbol_names
};

extern const uint64_t symbol_count;
extern const uint64_t symbol_base;         // address of the first function
extern const struct symbol symbol_table[]; // in order of offsets
extern const char symbol_names[];          // NUL-terminated, one behind the other

// Tells the function that an address is in and how far it is into it; NULL for an address below the first
// one. Any context.
const char *symbol_find(uintptr_t address, size_t *offset);

#endif

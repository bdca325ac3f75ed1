// SPDX-License-Identifier: MIT
//
// Finds the function of an address in the table that the build made.

#include <kernel/symbol.h>

const char *symbol_find(uintptr_t address, size_t *offset)
{
	size_t low = 0, high = symbol_count;

	if (high == 0 || address < symbol_base)
		return NULL;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (symbol_base + symbol_table[middle].offset <= address)
			low = middle;
		else
			high = middle;
	}
	*offset = address - symbol_base - symbol_table[low].offset;
	return symbol_names + symbol_table[low].name;
}

// SPDX-License-Identifier: MIT
//
// Finding the function of an address, in a table of three.

#include <kernel/symbol.h>
#include <stdio.h>
#include <string.h>

const uint64_t symbol_count = 3;
const uint64_t symbol_base = 0x1000;
const struct symbol symbol_table[] = {{0, 0}, {0x10, 4}, {0x80, 8}};
const char symbol_names[] = "one\0two\0three";

static int failures;

static void expect(uintptr_t address, const char *name, size_t offset)
{
	size_t found_offset = 0;
	const char *found = symbol_find(address, &found_offset);

	if (!name && !found)
		return;
	if (name && found && strcmp(name, found) == 0 && offset == found_offset)
		return;
	printf("%#zx is in %s+%zu, not in %s+%zu\n", (size_t)address, found ? found : "nothing", found_offset,
		name ? name : "nothing", offset);
	failures++;
}

int main(void)
{
	expect(0xfff, NULL, 0);
	expect(0x1000, "one", 0);
	expect(0x100f, "one", 15);
	expect(0x1010, "two", 0);
	expect(0x107f, "two", 0x6f);
	expect(0x1080, "three", 0);
	expect(0x5000, "three", 0x3f80);
	return failures != 0;
}

// SPDX-License-Identifier: MIT
//
// Options of the kernel's command line: words of the form name=value.

#include <kernel/boot.h>
#include <kernel/command_line.h>
#include <kernel/string.h>

const char *command_line_option(const char *name, size_t *length)
{
	const char *word = boot_machine.command_line;
	size_t name_length = strlen(name);

	while (*word) {
		const char *end = word;

		while (*end && *end != ' ')
			end++;
		if ((size_t)(end - word) > name_length && word[name_length] == '=' &&
			memcmp(word, name, name_length) == 0) {
			*length = (size_t)(end - word) - name_length - 1;
			return word + name_length + 1;
		}
		word = *end ? end + 1 : end;
	}
	return NULL;
}

bool command_line_is(const char *name, const char *value)
{
	size_t length;
	const char *found = command_line_option(name, &length);

	return found && length == strlen(value) && memcmp(found, value, length) == 0;
}

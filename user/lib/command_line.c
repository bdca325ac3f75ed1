// SPDX-License-Identifier: MIT
//
// The kernel's command line.

#include <runtime/command_line.h>
#include <stdlib.h>
#include <string.h>

bool command_line_option(const char *name, char *value, size_t size)
{
	const char *word = getenv("COMMAND_LINE");
	size_t name_length = strlen(name);
	while (word != NULL && *word != '\0') {
		size_t length = strcspn(word, " ");
		if (length > name_length && word[name_length] == '=' &&
			memcmp(word, name, name_length) == 0) {
			size_t value_length = length - name_length - 1;
			if (value_length >= size)
				return false;
			memcpy(value, word + name_length + 1, value_length);
			value[value_length] = '\0';
			return true;
		}
		word += length + strspn(word + length, " ");
	}
	return false;
}

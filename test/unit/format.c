// SPDX-License-Identifier: MIT
//
// The kernel's formatted text against the C library's.

#include "check.h"
#include <kernel/log.h>
#include <stdio.h>
#include <string.h>

#define SAME(...)                                                                       \
	do {                                                                            \
		char ours[80], theirs[80];                                              \
		size_t length = format_into(ours, sizeof(ours), __VA_ARGS__);           \
		CHECK(length == (size_t)snprintf(theirs, sizeof(theirs), __VA_ARGS__)); \
		if (strcmp(ours, theirs) != 0) {                                        \
			fprintf(stderr, "\"%s\" is not \"%s\"\n", ours, theirs);        \
			return 1;                                                       \
		}                                                                       \
	} while (0)

int main(void)
{
	char cut[4];

	SAME("plain, 100%% %c", 'x');
	SAME("%d %i %d", 0, -1, -2147483647 - 1);
	SAME("%u %x %#x %08x", 4294967295u, 0xabcu, 0xabcu, 0xabcu);
	SAME("%lu %ld %llu %zu %lx", 18446744073709551615ul, -9223372036854775807l - 1, 1ull, sizeof(cut),
		0xfful);
	SAME("[%5d|%-5d|%05d|%5u]", 42, 42, 42, 123456u);
	SAME("[%8s|%-8s|%.3s|%8.3s]", "text", "text", "text", "text");
	SAME("[%*d|%.*s]", 6, 7, 2, "text");
	CHECK(format_into(cut, sizeof(cut), "%d", 123456) == 6 && strcmp(cut, "123") == 0);
	CHECK(format_into(cut, sizeof(cut), "%p", (void *)0x1000) == 18);
	return 0;
}

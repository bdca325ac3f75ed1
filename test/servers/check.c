// SPDX-License-Identifier: MIT
//
// Checks of a test program.

#include "check.h"
#include <runtime/format.h>
#include <stdio.h>

static unsigned count, failed;

void check_named(bool held, const char *name, const char *file, int line)
{
	count++;
	failed += !held;
	if (held)
		printf("ok - %s\n", name);
	else
		printf("not ok - %s: %s:%d\n", name, file, line);
}

void check_error_named(unsigned error, unsigned expected, const char *name)
{
	count++;
	failed += error != expected;
	if (error == expected)
		printf("ok - %s\n", name);
	else
		printf("not ok - %s: %s, not %s\n", name, error_text(error), error_text(expected));
}

int check_end(void)
{
	printf("1..%u\n", count);
	return failed > 0;
}

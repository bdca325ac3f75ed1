// SPDX-License-Identifier: MIT
//
// Runs all tests, or those whose names contain an argument, and reports them in the Test Anything Protocol.

#include "test.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

extern const struct test __start_tests[], __stop_tests[];

static char failure[512];

void test_fail(const char *file, int line, const char *format, ...)
{
	va_list list;
	int length;

	if (failure[0])
		return;
	length = snprintf(failure, sizeof(failure), "%s:%d: ", file, line);
	va_start(list, format);
	vsnprintf(failure + length, sizeof(failure) - (size_t)length, format, list);
	va_end(list);
}

static bool is_chosen(const struct test *test, int count, char **patterns)
{
	for (int i = 0; i < count; i++) {
		if (strstr(test->name, patterns[i]))
			return true;
	}
	return count == 0;
}

int main(int argument_count, char **arguments)
{
	unsigned done = 0, failed = 0;

	for (const struct test *test = __start_tests; test < __stop_tests; test++) {
		if (!is_chosen(test, argument_count - 1, arguments + 1))
			continue;
		failure[0] = '\0';
		test->run();
		done++;
		if (failure[0]) {
			failed++;
			printf("not ok - %s: %s\n", test->name, failure);
		} else {
			printf("ok - %s\n", test->name);
		}
		fflush(stdout);
	}
	printf("1..%u\n", done);
	return failed != 0;
}

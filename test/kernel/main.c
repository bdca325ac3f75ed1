// SPDX-License-Identifier: MIT
//
// Runs all tests, or those whose names contain an argument, and reports them in the Test Anything Protocol. `--long` makes
// the tests that have a longer form take it; `--counted` says that the machine counts instructions, so that limits of time are
// checked; `--repeat N` runs each N times, `--seed N` gives random ones their numbers; `-PATTERN` leaves tests out.

#include "test.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct test __start_tests[], __stop_tests[];

bool test_long;
bool test_counted;
uint64_t test_seed;

static unsigned repetitions = 1;
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

void test_note(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	printf("# ");
	vprintf(format, list);
	putchar('\n');
	va_end(list);
	fflush(stdout);
}

static bool is_chosen(const struct test *test, int count, char **patterns)
{
	bool chosen = true;

	// The first pattern that is not for leaving out chooses among none.
	for (int i = 0; i < count; i++)
		chosen &= patterns[i][0] == '-';
	for (int i = 0; i < count; i++)
		if (strstr(test->name, patterns[i] + (patterns[i][0] == '-')))
			chosen = patterns[i][0] != '-';
	return chosen;
}

// Takes the options away from the front of the arguments; returns how many they were.
static int take_options(int count, char **arguments)
{
	int taken = 0;

	for (; taken < count && strncmp(arguments[taken], "--", 2) == 0; taken++) {
		if (strcmp(arguments[taken], "--long") == 0)
			test_long = true;
		else if (strcmp(arguments[taken], "--counted") == 0)
			test_counted = true;
		else if (strcmp(arguments[taken], "--repeat") == 0 && taken + 1 < count)
			repetitions = (unsigned)strtoul(arguments[++taken], NULL, 10);
		else if (strcmp(arguments[taken], "--seed") == 0 && taken + 1 < count)
			test_seed = strtoull(arguments[++taken], NULL, 10);
	}
	return taken;
}

static bool run(const struct test *test)
{
	failure[0] = '\0';
	for (unsigned i = 0; i < repetitions && !failure[0]; i++)
		test->run();
	if (failure[0])
		printf("not ok - %s: %s\n", test->name, failure);
	else
		printf("ok - %s\n", test->name);
	fflush(stdout);
	return !failure[0];
}

int main(int argument_count, char **arguments)
{
	int first = 1 + take_options(argument_count - 1, arguments + 1);
	unsigned done = 0, failed = 0;

	for (const struct test *test = __start_tests; test < __stop_tests; test++) {
		if (!is_chosen(test, argument_count - first, arguments + first))
			continue;
		failed += !run(test);
		done++;
	}
	printf("1..%u\n", done);
	return failed != 0;
}

// SPDX-License-Identifier: MIT
//
// For static programs that ask the Linux personality: checks that say where they failed, a line printed for each, and at the end how
// many there were.

#ifndef LINUX_CHECK_H
#define LINUX_CHECK_H

#include <errno.h>
#include <stdio.h>
#include <time.h>

#define PAGE 4096

#define EXPECT(condition)                                                                               \
	do {                                                                                            \
		if (!(condition)) {                                                                     \
			snprintf(reason, sizeof(reason), "line %d: %s, errno %d", __LINE__, #condition, \
				errno);                                                                 \
			return;                                                                         \
		}                                                                                       \
	} while (0)

static char reason[200];

static inline void pause_for(long milliseconds)
{
	struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};

	while (nanosleep(&time, &time) != 0)
		;
}

struct check {
	const char *name;
	void (*function)(void);
};

#define CHECK(name)         \
	{                   \
#name, name \
	}

// Runs them all; the program's exit status.
static inline int run_checks(const struct check *checks, size_t count)
{
	int failed = 0;

	setvbuf(stdout, NULL, _IONBF, 0);
	for (size_t i = 0; i < count; i++) {
		reason[0] = 0;
		checks[i].function();
		failed += reason[0] != 0;
		if (reason[0])
			printf("not ok - %s: %s\n", checks[i].name, reason);
		else
			printf("ok - %s\n", checks[i].name);
	}
	printf("1..%zu\n", count);
	return failed != 0;
}

#endif

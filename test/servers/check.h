// SPDX-License-Identifier: MIT
//
// Checks of a test program: one line for each, the plan last.

#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>

// Reports whether something held.
void check_named(bool held, const char *name, const char *file, int line);
#define check(held, name) check_named(held, name, __FILE__, __LINE__)

// The same for an error that a call must return.
void check_error_named(unsigned error, unsigned expected, const char *name);
#define check_error(call, expected, name) check_error_named((unsigned)(call), (unsigned)(expected), name)

// Prints the plan; the exit status of the program.
int check_end(void);

#endif

// SPDX-License-Identifier: MIT
//
// The kernel's command line, which servers get in the environment string COMMAND_LINE: words name=value.

#ifndef RUNTIME_COMMAND_LINE_H
#define RUNTIME_COMMAND_LINE_H

#include <stdbool.h>
#include <stddef.h>

// Copies the value of an option. False: it is not there, or too long; the buffer is unchanged.
bool command_line_option(const char *name, char *value, size_t size);

#endif

// SPDX-License-Identifier: MIT
//
// Options of the kernel's command line: words of the form name=value.

#ifndef KERNEL_COMMAND_LINE_H
#define KERNEL_COMMAND_LINE_H

#include <stdbool.h>
#include <stddef.h>

// The value of an option, not terminated; NULL: it is not there. The first one counts.
const char *command_line_option(const char *name, size_t *length);
bool command_line_is(const char *name, const char *value);

#endif

// SPDX-License-Identifier: MIT
//
// Formatted text without floating point: for servers and personalities, which must not touch its registers
// (printf does). Understands %c %s %d %i %u %x %p and %%, with l, ll and z, `-`, `0`, width and precision.

#ifndef RUNTIME_FORMAT_H
#define RUNTIME_FORMAT_H

#include <stdarg.h>
#include <stddef.h>
#include <tern/info.h>

// Writes at most size - 1 bytes and a NUL; returns the length of what was written, without the NUL.
size_t format_text(char *buffer, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
size_t format_text_list(char *buffer, size_t size, const char *format, va_list list);

// Writes a line to the kernel log, where the program was given it; a newline is added.
void log_print(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

// The text of an error of the kernel or of a protocol, for messages.
const char *error_text(unsigned error);

#endif

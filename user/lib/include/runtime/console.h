// SPDX-License-Identifier: MIT
//
// The client side of the console: protocol/console.h.

#ifndef RUNTIME_CONSOLE_H
#define RUNTIME_CONSOLE_H

#include <protocol/console.h>
#include <stddef.h>
#include <tern/types.h>

// Writes all of a buffer to a stream.
enum error console_write(handle_t console, enum console_stream stream, const void *buffer, size_t length);

// Reads at least one byte until the deadline (0: without waiting); `*length` is the room, then what was read.
enum error console_read(handle_t console, void *buffer, size_t *length, uint64_t deadline);

#endif

// SPDX-License-Identifier: MIT
//
// The console server, as this personality uses it: bytes out, and in an interactive session bytes in, which a
// thread of its own hands to the terminal.

#ifndef TERMINAL_CONSOLE_H
#define TERMINAL_CONSOLE_H

#include <linux/memory/span.h>

#include <protocol/console.h>
#include <stdbool.h>

struct terminal;

// Finds the console; false: there is none.
bool console_init(void);

// Starts to hand input to a terminal; once. False: no memory.
bool console_start_input(struct terminal *terminal);

// Writes all of a span. How many bytes, or a negated error.
int64_t console_write_span(enum console_stream stream, struct span from);

// The terminal's size; 0 where it is not known.
void console_size(uint16_t *columns, uint16_t *rows);

// Waits until all output has left the device.
void console_drain(void);

#endif

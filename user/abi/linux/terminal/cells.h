// SPDX-License-Identifier: MIT
//
// Inside the line discipline: a cell of what can be read is a byte and whether a line ends with it. The end
// of input (^D) is a line's end without a byte. The terminal's lock is held in all of these.

#ifndef TERMINAL_CELLS_H
#define TERMINAL_CELLS_H

#include <linux/terminal/terminal.h>

#define CELL_LINE_END ((uint16_t)0x100)
#define CELL_NO_BYTE  ((uint16_t)0x200)

// False: the ring is full.
bool cells_put(struct terminal *terminal, uint16_t cell);

// Forgets all input, that of the line being edited included.
void cells_clear(struct terminal *terminal);

// Bytes as they go out under these settings: at most twice as many. Returns how many. No lock is needed.
size_t terminal_cook(const struct linux_termios *settings, const char *bytes, size_t length, char *cooked);

#endif

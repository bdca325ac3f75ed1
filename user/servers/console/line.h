// SPDX-License-Identifier: MIT
//
// The line to the terminal: the UART with a ring of bytes in each direction. Output is raw, or framed: see
// line_append.

#ifndef CONSOLE_LINE_H
#define CONSOLE_LINE_H

#include "uart.h"

enum line_channel {
	CHANNEL_NONE,
	CHANNEL_OUTPUT = 'o',
	CHANNEL_ERROR = 'e',
	CHANNEL_LOG = 'l',
	CHANNEL_STATUS = 's',
};

// Takes the device over. Errors: NOT_SUPPORTED (a device that is no UART known here).
enum error line_open(const struct device *device, bool framed);

bool line_is_framed(void);

// --- Output

// How many bytes can be appended for sure.
size_t line_room(void);

// Appends bytes that fit. On a framed line they travel as 0x7E, channel, bytes, 0x7E, where 0x7E and 0x7D
// among the bytes become 0x7D and the byte xor 0x20; on a raw line as they are, but for the status, which is
// dropped.
void line_append(enum line_channel channel, const uint8_t *bytes, size_t length);

// Whether the last byte appended to a raw line ended a line of text.
bool line_is_at_start(void);

// Whether all output has left the device.
bool line_is_drained(void);

// --- Input

// How many bytes have ever come in.
size_t line_received(void);

// How many bytes wait, and a contiguous run of them to look at.
size_t line_input_count(void);
size_t line_input_run(const uint8_t **bytes);
void line_input_drop(size_t count);

// --- Work: moves bytes between rings and device as far as both go, and chooses the interrupts.
void line_work(void);

// Whether the device asserts an interrupt.
bool line_is_pending(void);

#endif

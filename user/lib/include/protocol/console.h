// SPDX-License-Identifier: MIT
//
// The console: raw bytes in and out. Spoken by the UART driver, under the name "console". It knows no
// terminal modes: echo, lines, interrupt keys and newline conversion are the business of its clients.

#ifndef PROTOCOL_CONSOLE_H
#define PROTOCOL_CONSOLE_H

#include <stdint.h>

enum console_stream {
	CONSOLE_OUTPUT = 1,
	CONSOLE_ERROR = 2,
};

// Set in the badge of capabilities that may end the session; the rest of a badge only tells clients apart.
#define CONSOLE_BADGE_SUPERVISOR ((uint64_t)1 << 63)

// How many clients can watch the input at a time.
#define CONSOLE_WATCHERS 16

enum console_label {
	// Writes to a stream. Both appear on the terminal in the order of their arrival; in framed mode
	// each has its channel.
	//   in:  word 0: enum console_stream
	//        word 1: number of bytes
	//        buffer 0 (OFFER_READ): the bytes
	//   out: word 0: number of bytes taken, at least 1 unless 0 were offered; the answer waits while
	//   there is no room
	// Errors: INVALID_ARGUMENT, PEER_FAULT (the buffer could not be read).
	CONSOLE_WRITE = 0x300,

	// Reads input. Of several waiting readers the first come is served first.
	//   in:  word 0: room in buffer 0 in bytes, at least 1
	//        word 1: until when to wait for the first byte: a deadline; 0: not at all; DEADLINE_NEVER
	//        buffer 0 (OFFER_WRITE): where to
	//   out: word 0: number of bytes, at least 1
	// Errors: INVALID_ARGUMENT, WOULD_BLOCK (not at all and nothing there), TIMED_OUT, BUSY (too many
	// waiting readers), PEER_FAULT. Who must stay interruptible waits with CONSOLE_WATCH_INPUT and
	// reads without waiting.
	CONSOLE_READ,

	// Signals a notification whenever input has arrived, and at once if there is some now. A client (a
	// badge) has one watch; a new one replaces it, one without capability removes it.
	//   in:  word 0: bits to signal
	//        capability 0: notification with RIGHT_SEND
	// Errors: INVALID_ARGUMENT (no bits), WRONG_TYPE, BUSY (CONSOLE_WATCHERS are in use).
	CONSOLE_WATCH_INPUT,

	// Tells how many bytes of input are waiting.
	//   out: word 0: bytes
	CONSOLE_COUNT_INPUT,

	// Tells the size of the terminal.
	//   out: word 0: columns, word 1: rows; 0: unknown
	// Errors: NOT_SUPPORTED (the output is no terminal).
	CONSOLE_GET_SIZE,

	// Waits until all output has left the device.
	CONSOLE_DRAIN,

	// Drains all output and the kernel log, then reports the exit status of the session where the
	// console is framed.
	//   in:  word 0: status, 0 to 255
	// Answered when the last byte has left the device. Errors: NO_RIGHTS (badge without
	// CONSOLE_BADGE_SUPERVISOR).
	CONSOLE_FINISH,
};

#endif

// SPDX-License-Identifier: MIT
//
// The terminal: between raw bytes and programs, the line discipline: lines edited by the user, echo, keys
// that send signals, newlines as a terminal wants them.

#ifndef TERMINAL_TERMINAL_H
#define TERMINAL_TERMINAL_H

#include <linux/interface/terminal.h>
#include <linux/memory/span.h>
#include <linux/process/wait.h>

#include <stdbool.h>
#include <stdint.h>

#define TERMINAL_LINE_MAX  4096 // bytes of a line with its end
#define TERMINAL_READY_MAX 8192 // bytes that wait for readers

struct terminal {
	pthread_mutex_t lock; // guards all below
	struct wait_queue changed;
	pthread_cond_t drained; // for the thread that has input
	struct linux_termios settings;
	struct linux_winsize size;
	int32_t session;              // whose terminal it is; 0: nobody's
	int32_t group;                // in the foreground
	char line[TERMINAL_LINE_MAX]; // being edited
	size_t line_length;
	uint16_t ready[TERMINAL_READY_MAX]; // a ring of what can be read: see terminal.c
	size_t ready_start, ready_length;
	size_t ready_lines; // ends of lines among them
};

// The one terminal there is, on the console. Not anybody's yet.
struct terminal *terminal_console(void);

// Makes it the controlling terminal of a session, with the group of the same id in the foreground.
void terminal_own(struct terminal *terminal, int32_t session);

// Takes bytes from the device.
void terminal_input(struct terminal *terminal, const char *bytes, size_t length);

// Reads as the settings say: a line, or bytes. -LINUX_EINTR; -LINUX_EAGAIN where it must not wait.
int64_t terminal_read(struct thread *thread, struct terminal *terminal, struct span to, bool wait);
int64_t terminal_write(struct terminal *terminal, struct span from);

// Bytes that a read would give now.
size_t terminal_available(struct terminal *terminal);
// Whether there is something to read, the end of input included.
bool terminal_readable(struct terminal *terminal);

void terminal_get_settings(struct terminal *terminal, struct linux_termios *settings);
void terminal_set_settings(
	struct terminal *terminal, const struct linux_termios *settings, bool discard_input);
void terminal_discard_input(struct terminal *terminal);

#endif

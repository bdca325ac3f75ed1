// SPDX-License-Identifier: MIT
//
// Open files on the terminal, and the streams of a session that has none.

#ifndef TERMINAL_TERMINAL_FILE_H
#define TERMINAL_TERMINAL_FILE_H

#include <protocol/console.h>
#include <stdint.h>
#include <tern/types.h>

struct open_file;
struct thread;

// Opens the terminal for a session that has it: as /dev/console, or nameless where there is no such node.
int64_t terminal_open_console(struct thread *thread, struct open_file **file);

// The open of /dev/tty and /dev/console. Takes over the node's file capability (or HANDLE_NONE), in any case.
int64_t terminal_open(struct thread *thread, uint32_t flags, handle_t node, struct open_file **file);

// An output stream of the console as it is, and an input without end but its end. NULL: no memory.
struct open_file *stream_create_output(enum console_stream stream);
struct open_file *stream_create_input(void);

#endif

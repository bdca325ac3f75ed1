// SPDX-License-Identifier: MIT
//
// Files 0, 1 and 2: the console, or the kernel log for the output of programs that were given no console.

#include "posix.h"
#include <errno.h>
#include <runtime/console.h>
#include <runtime/ipc.h>
#include <runtime/start.h>
#include <runtime/system_calls.h>
#include <sys/ioctl.h>

#define LOG_CHUNK 1024

static enum error write_to_log(const char *text, size_t length)
{
	enum error error = ERR_OK;
	while (length > 0 && error == ERR_OK) {
		size_t chunk = length < LOG_CHUNK ? length : LOG_CHUNK;
		error = log_write(start_handle(START_LOG), LOG_INFO, text, chunk);
		text += chunk;
		length -= chunk;
	}
	return error;
}

long posix_stream_write(int file, const void *buffer, size_t length)
{
	handle_t console = start_handle(START_CONSOLE);
	enum error error;
	if (console == HANDLE_NONE)
		error = write_to_log(buffer, length);
	else
		error = console_write(console, file == 2 ? CONSOLE_ERROR : CONSOLE_OUTPUT, buffer, length);
	return error == ERR_OK ? (long)length : posix_error(error);
}

long posix_stream_read(int file, void *buffer, size_t length)
{
	handle_t console = start_handle(START_CONSOLE);
	if (file != 0 || console == HANDLE_NONE || length == 0)
		return 0;
	enum error error = console_read(console, buffer, &length, DEADLINE_NEVER);
	return error == ERR_OK ? (long)length : posix_error(error);
}

// The C library asks whether a file is a terminal, to flush whole lines. The log is one, and what has a size.
long posix_stream_control(int file, unsigned long request, void *argument)
{
	struct message message = {.info = MESSAGE_INFO(CONSOLE_GET_SIZE, 0, 0)};
	handle_t console = start_handle(START_CONSOLE);
	if (file < 0 || file >= POSIX_STREAMS || request != TIOCGWINSZ)
		return -ENOTTY;
	if (console != HANDLE_NONE && protocol_call(console, &message) != ERR_OK)
		return -ENOTTY;
	*(struct winsize *)argument = (struct winsize){
		.ws_col = (unsigned short)message.words[0], .ws_row = (unsigned short)message.words[1]};
	return 0;
}

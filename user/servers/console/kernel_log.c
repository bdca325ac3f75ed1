// SPDX-License-Identifier: MIT
//
// The kernel log on the console: whole lines, on a raw line each on a line of its own. A line of the log
// begins with
// "[seconds] "; errors and warnings go on with their level.

#include "kernel_log.h"
#include "line.h"
#include <runtime/start.h>
#include <runtime/system_calls.h>
#include <string.h>

#define LINE_SIZE 1024

static uint64_t position; // of the log, up to which it was taken
static char text[LINE_SIZE];
static size_t length; // of the line that is being put together
static bool behind;
static enum log_level shown = LOG_WARNING;

static void take_level(const char *level)
{
	static const char *const names[] = {
		[LOG_ERROR] = "error", [LOG_WARNING] = "warning", [LOG_INFO] = "info", [LOG_DEBUG] = "debug"};
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(level, names[i]) == 0)
			shown = (enum log_level)i;
}

// What the kernel has shown itself is not shown again, unless there was a driver before this one that may
// have left something out.
static void skip_shown(void)
{
	uint64_t copied;
	while (log_read(start_handle(START_LOG), position, text, sizeof(text), &position, &copied) ==
			ERR_OK &&
		copied > 0) {
	}
}

enum error kernel_log_open(handle_t notification, uint64_t bits, const char *level)
{
	take_level(level);
	skip_shown();
	return log_watch(start_handle(START_LOG), notification, bits);
}

static bool is_wanted(void)
{
	const char *mark = memchr(text, ']', length);
	size_t left = mark != NULL ? length - (size_t)(mark - text) : 0;
	if (shown >= LOG_INFO)
		return true;
	return (left > 9 && memcmp(mark, "] error: ", 9) == 0) ||
		(shown == LOG_WARNING && left > 11 && memcmp(mark, "] warning: ", 11) == 0);
}

// Shows the line that has been put together.
static void show_line(void)
{
	if (line_is_framed()) {
		line_append(CHANNEL_LOG, (const uint8_t *)text, length);
	} else if (is_wanted()) {
		if (!line_is_at_start())
			line_append(CHANNEL_LOG, (const uint8_t *)"\r\n", 2);
		line_append(CHANNEL_LOG, (const uint8_t *)text, length - 1);
		line_append(CHANNEL_LOG, (const uint8_t *)"\r\n", 2);
	}
	length = 0;
}

static void take_text(const char *piece, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (length == sizeof(text) - 1 && piece[i] != '\n') {
			text[length++] = '\n';
			show_line();
		}
		text[length++] = piece[i];
		if (piece[i] == '\n')
			show_line();
	}
}

void kernel_log_work(void)
{
	char piece[LINE_SIZE / 2];
	uint64_t copied;
	for (;;) {
		behind = line_room() < 2 * LINE_SIZE;
		if (behind ||
			log_read(start_handle(START_LOG), position, piece, sizeof(piece), &position,
				&copied) != ERR_OK ||
			copied == 0)
			return;
		take_text(piece, copied);
	}
}

bool kernel_log_is_behind(void)
{
	return behind;
}

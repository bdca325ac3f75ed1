// SPDX-License-Identifier: MIT
//
// The kernel log: a ring of text lines with levels, shown on the early console until a console driver takes
// over.

#ifndef KERNEL_LOG_H
#define KERNEL_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tern/info.h>

struct process;

// Appends one line: "[    1.234567] text". `format` knows %s %d %i %u %x %c %p %% with l, ll, z, width, zero
// fill, # and precision for %s; no newline at its end. Any context but inside the log's own lock.
void log_print(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)   log_print(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_print(LOG_WARNING, __VA_ARGS__)
#define log_info(...)    log_print(LOG_INFO, __VA_ARGS__)
#define log_debug(...)   log_print(LOG_DEBUG, __VA_ARGS__)

// Formats into a buffer; always terminated when size is not 0. Returns the length that the whole text has.
size_t format_text(char *buffer, size_t size, const char *format, va_list arguments);
size_t format_into(char *buffer, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

// Prints an address of a backtrace, with its symbol where it is the kernel's: "  0xffff... function+0x12". Where a fault
// was, which may be at a function's very beginning, is no return address.
void log_address(enum log_level level, uintptr_t address, bool is_return);

// From now on lines go straight to the early console, past lock and ring: a panic has begun.
void log_emergency(void);

// trap_exit's part: the log has grown and its watcher is to be told. No lock held.
bool log_watcher_due(void);
void log_signal_watcher(void);

// Whether a process shows the log: a trace of it would never end.
bool log_is_watched_by(const struct process *process);

#endif

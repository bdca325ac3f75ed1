// SPDX-License-Identifier: MIT
//
// Text that grows: the content of a file in /proc, made when it is opened.

#ifndef PROC_TEXT_H
#define PROC_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct subject;

struct text {
	char *bytes;
	size_t length, size;
	bool failed; // no memory: what was added since is lost
};

// Adds formatted text (at most TEXT_PIECE_MAX bytes at a time) or bytes as they are.
#define TEXT_PIECE_MAX 512
__attribute__((format(printf, 2, 3))) void text_add(struct text *text, const char *format, ...);
void text_add_bytes(struct text *text, const void *bytes, size_t length);

// The contents of files in /proc, by name; `subject` is the process, where it is about one.
typedef void text_maker(struct text *text, const struct subject *subject);

text_maker text_cpuinfo, text_filesystems, text_loadavg, text_meminfo, text_stat, text_uptime, text_version;
text_maker text_process_cmdline, text_process_comm, text_process_environ, text_process_maps,
	text_process_mounts, text_process_stat, text_process_statm, text_process_status;

#endif

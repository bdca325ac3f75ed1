// SPDX-License-Identifier: MIT
//
// Scripts: files that begin with "#!" and the path of their interpreter.

#ifndef LOADER_SCRIPT_H
#define LOADER_SCRIPT_H

#include <linux/loader/arguments.h>

#include <stdbool.h>

struct path;

#define SCRIPT_LINE_MAX 256 // bytes of the first line that count

bool script_recognise(const char *start, size_t length);

// Makes a path that of the interpreter, and the arguments those that it gets: its path, the one argument of
// the line, the script's path, and the script's arguments but for the first. 0 or a negated error.
int64_t script_redirect(struct thread *thread, const char *start, size_t length, struct path *path,
	struct arguments *arguments);

#endif

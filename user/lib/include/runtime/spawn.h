// SPDX-License-Identifier: MIT
//
// Starting native programs.

#ifndef RUNTIME_SPAWN_H
#define RUNTIME_SPAWN_H

#include <stddef.h>
#include <tern/types.h>

// A capability for the new program: `name` is what it asks start_handle for.
struct spawn_handle {
	const char *name;
	handle_t handle;
	rights_t rights; // that it gets; RIGHTS_SAME: all that `handle` has
};

struct spawn_request {
	const char *name;  // of the process
	handle_t account;  // that pays for it
	const void *image; // the ELF file
	size_t image_length;
	const char *const *arguments;   // NULL-terminated
	const char *const *environment; // NULL-terminated; NULL: empty
	const struct spawn_handle *handles;
	size_t handle_count; // at most START_HANDLES
};

// Makes a process, loads the image, hands over the capabilities and starts its first thread. On error nothing
// is left of it. Errors: NOT_EXECUTABLE, TOO_LONG (name, too many handles), NO_MEMORY, those of the handles.
enum error process_spawn(const struct spawn_request *request, handle_t *process);

#endif

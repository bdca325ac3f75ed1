// SPDX-License-Identifier: MIT
//
// The capabilities for a program that is about to be started.

#ifndef INIT_GIFTS_H
#define INIT_GIFTS_H

#include <runtime/spawn.h>
#include <runtime/start.h>

#define RIGHTS_CLIENT (RIGHT_SEND | RIGHT_DUPLICATE | RIGHT_TRANSFER)

struct gifts {
	struct spawn_handle list[START_HANDLES];
	size_t count;
	handle_t minted[START_HANDLES]; // made for this program alone
	size_t minted_count;
};

// Gives a handle of init's own; HANDLE_NONE is left out.
void gifts_add(struct gifts *gifts, const char *name, handle_t handle, rights_t rights);

// Gives the right to call an endpoint, under a badge.
void gifts_add_client(struct gifts *gifts, const char *name, handle_t endpoint, uint64_t badge);

// Starts a program of the boot archive with them, and closes what was made for it. Errors: NOT_FOUND, those
// of process_spawn.
enum error gifts_spawn(
	struct gifts *gifts, const char *path, struct spawn_request *request, handle_t *process);

#endif

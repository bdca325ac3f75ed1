// SPDX-License-Identifier: MIT
//
// The client side of the name service: protocol/name.h.

#ifndef RUNTIME_NAME_H
#define RUNTIME_NAME_H

#include <tern/types.h>

// Looks a name up through the start handle "names". Errors: NOT_FOUND, NO_RIGHTS, TOO_LONG, BAD_HANDLE (no
// name service given).
enum error name_lookup(const char *name, handle_t *found);

// Puts a capability under a name that the manifest lets this program provide; the caller keeps its handle.
enum error name_register(const char *name, handle_t handle);

#endif

// SPDX-License-Identifier: MIT
//
// Regular files of the file server.

#ifndef FILES_REGULAR_H
#define FILES_REGULAR_H

#include <stdint.h>
#include <tern/types.h>

struct open_file;

// Takes over the file capability, in any case. NULL: no memory.
struct open_file *regular_create(uint32_t flags, handle_t node);

#endif

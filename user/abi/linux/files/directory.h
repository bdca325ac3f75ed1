// SPDX-License-Identifier: MIT
//
// Directories of the file server.

#ifndef FILES_DIRECTORY_H
#define FILES_DIRECTORY_H

#include <stdint.h>
#include <tern/types.h>

struct open_file;

// Takes over the file capability, in any case. NULL: no memory.
struct open_file *directory_create(uint32_t flags, handle_t node);

#endif

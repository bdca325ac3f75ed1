// SPDX-License-Identifier: MIT
//
// Directories of the file server.

#ifndef FILES_DIRECTORY_H
#define FILES_DIRECTORY_H

#include "files/path.h"

// Takes over the file capability, in any case. NULL: no memory.
struct open_file *directory_create(const struct path *path, uint32_t flags, handle_t node);

#endif

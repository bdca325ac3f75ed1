// SPDX-License-Identifier: MIT
//
// The boot archive as the first content of the tree.

#ifndef VFS_ARCHIVE_H
#define VFS_ARCHIVE_H

#include "node.h"

// Maps the archive and hangs its entries into the tree; file contents stay where they are. Errors: NOT_FOUND
// (no archive given), NO_MEMORY, INVALID_ARGUMENT (damaged; what was read is there).
enum error archive_load(struct node *root);

#endif

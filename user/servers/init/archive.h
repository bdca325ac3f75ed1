// SPDX-License-Identifier: MIT
//
// The boot archive, mapped into init.

#ifndef INIT_ARCHIVE_H
#define INIT_ARCHIVE_H

#include <runtime/cpio.h>
#include <tern/boot.h>

// Maps the archive. False: there is none, or no memory.
bool archive_map(const struct boot_info *info);

// Finds the file that a path means.
bool archive_find(const char *path, struct cpio_entry *found);

#endif

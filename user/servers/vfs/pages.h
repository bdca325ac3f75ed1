// SPDX-License-Identifier: MIT
//
// Pages of file content: zeroed, one by one, mostly next to each other.

#ifndef VFS_PAGES_H
#define VFS_PAGES_H

#include <stddef.h>
#include <stdint.h>

// A zeroed page; NULL: no memory left for files.
uint8_t *page_allocate(void);
void page_free(uint8_t *page);

#endif

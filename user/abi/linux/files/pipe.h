// SPDX-License-Identifier: MIT
//
// Pipes.

#ifndef FILES_PIPE_H
#define FILES_PIPE_H

#include <stdint.h>

struct open_file;

// Makes both ends with these LINUX_O_* flags. 0 or a negated error.
int64_t pipe_create(uint32_t flags, struct open_file **reader, struct open_file **writer);

#endif

// SPDX-License-Identifier: MIT
//
// The root directory of all guests: the start handle "root".

#ifndef FILES_ROOT_H
#define FILES_ROOT_H

#include <stdbool.h>

struct open_file;

// Takes the root from the start handles and makes the nodes of /dev that are missing. False: there is no
// root.
bool root_init(void);

// Lives for ever; no reference is taken.
struct open_file *root_directory(void);

#endif

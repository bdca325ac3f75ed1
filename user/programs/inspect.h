// SPDX-License-Identifier: MIT
//
// What the programs that look into the system have in common.

#ifndef INSPECT_H
#define INSPECT_H

#include <stdint.h>
#include <tern/types.h>

// The system resource; says what is missing and ends the program where it was not given.
handle_t system_resource(void);

// A letter for an enum thread_state: C creating, R running or ready, B blocked, S sleeping, Z zombie, D dead;
// T: suspended.
char state_letter(uint32_t state, uint32_t suspended);

#endif

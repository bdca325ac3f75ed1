// SPDX-License-Identifier: MIT
//
// A guest for other tests: see guests.c.

#ifndef GUESTS_H
#define GUESTS_H

#include <stdint.h>
#include <tern/types.h>

// A space with code that never ends.
handle_t guest_make_spinning(void);
// The calling thread runs it until it is kicked out, having said that it is about to; one thread at a time. The error of
// the first call that failed.
uint64_t guest_spin(handle_t space, _Atomic uint32_t *begun);

#endif

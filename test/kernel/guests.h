// SPDX-License-Identifier: MIT
//
// Guests for other tests: see guests.c.

#ifndef GUESTS_H
#define GUESTS_H

#include <stddef.h>
#include <stdint.h>
#include <tern/types.h>

// Where a guest's code is, and its state in the space of its personality.
#define GUEST_CODE  0x10000
#define GUEST_STATE 0x8000

// A thread of its own, bound to a guest with that code, does `body`, which returns 0 where all was well.
uint64_t with_guest(const uint8_t *code, size_t length, uint64_t (*body)(handle_t space));

// A space with code that never ends.
handle_t guest_make_spinning(void);
// The calling thread runs it until it is kicked out, having said that it is about to; one thread at a time. The error of
// the first call that failed.
uint64_t guest_spin(handle_t space, _Atomic uint32_t *begun);

#endif

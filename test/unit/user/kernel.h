// SPDX-License-Identifier: MIT
//
// The system calls that a server under test makes, played on the build machine: the buffers that a client offers are
// memory of the test.

#ifndef USER_KERNEL_H
#define USER_KERNEL_H

#include <stddef.h>
#include <stdint.h>

struct offered {
	void *bytes;
	size_t length;
};

// What the client of the present request offers.
extern struct offered offered[4];

// Out of 100 copies to or from the client so many fail.
extern int copy_failures;

// Handles that the server holds at the moment.
extern long handles_open;

// The badge that was minted last.
extern uint64_t minted_badge;

#endif

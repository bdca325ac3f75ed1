// SPDX-License-Identifier: MIT
//
// From the guest's registers to the handler of its call and back.

#ifndef CALLS_DISPATCH_H
#define CALLS_DISPATCH_H

#include <stdint.h>

struct thread;

// Handles the call that a thread's guest has just made.
void call_dispatch(struct thread *thread);

// What a handler returns that has set the guest's registers itself.
#define CALL_REGISTERS_SET INT64_MIN

#endif

// SPDX-License-Identifier: MIT
//
// Faults of guests: the signal that each means, and what the log says about it.

#ifndef PROCESS_FAULT_H
#define PROCESS_FAULT_H

#include <stdint.h>

struct thread;

// Ends the process of a thread whose guest has faulted, by the signal of that fault.
void fault_handle(struct thread *thread);

// The signal that a fault of this kind (enum fault_kind) is.
int32_t fault_signal(uint64_t kind);

#endif

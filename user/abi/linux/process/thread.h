// SPDX-License-Identifier: MIT
//
// Running a guest's thread.

#ifndef PROCESS_THREAD_H
#define PROCESS_THREAD_H

#include <linux/process/process.h>

// Starts a thread that was created and given all it needs, with these registers. False: no memory; it is
// still the caller's to discard.
bool thread_start(struct thread *thread, const struct registers *registers);

// Makes the calling thread, which is the given one, run its guest in an address space. False: no memory.
bool thread_bind(struct thread *thread, handle_t space);

#endif

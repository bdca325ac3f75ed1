// SPDX-License-Identifier: MIT
//
// Futex words of guests, as the kernel's part for threads that end and for FUTEX_WAKE_OP.

#ifndef PROCESS_FUTEX_H
#define PROCESS_FUTEX_H

#include <linux/arch/guest.h>

struct thread;

// Wakes up to `count` who wait at a word of the thread's guest; how many, or an error.
int64_t futex_wake_guest(struct thread *thread, guest_address_t address, uint64_t count);

// Replaces a word's value. -LINUX_EAGAIN: it is another one than `expected`.
int64_t futex_replace(struct thread *thread, guest_address_t address, uint32_t expected, uint32_t desired);

// The thread ends or executes another program: the words on its robust list that it owns say that their owner has died.
void futex_release_robust(struct thread *thread);

#endif

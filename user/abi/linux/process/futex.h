// SPDX-License-Identifier: MIT
//
// Futex words of guests: those that inherit priority, and those of threads that end.

#ifndef PROCESS_FUTEX_H
#define PROCESS_FUTEX_H

#include <linux/arch/guest.h>

#include <stdbool.h>

struct thread;

// Wakes up to `count` who wait at a word of the thread's guest; how many, or an error.
int64_t futex_wake_guest(struct thread *thread, guest_address_t address, uint64_t count);

// Replaces a word's value. -LINUX_EAGAIN: it is another one than `expected`.
int64_t futex_replace(struct thread *thread, guest_address_t address, uint32_t expected, uint32_t desired);

// FUTEX_LOCK_PI and FUTEX_UNLOCK_PI: the word has the id of the thread that owns the futex and runs at the priority of all who wait.
// -LINUX_EAGAIN: it has another owner, and the thread only tries. -LINUX_EDEADLK: its owner waits for the thread, or is the thread itself.
// -LINUX_ESRCH: it has ended. -LINUX_EPERM: the thread does not own it.
int64_t futex_lock(struct thread *thread, guest_address_t address, uint64_t deadline, bool tries);
int64_t futex_unlock(struct thread *thread, guest_address_t address);

// The thread ends or executes another program: the words on its robust list that it owns say that their owner has died.
void futex_release_robust(struct thread *thread);

#endif

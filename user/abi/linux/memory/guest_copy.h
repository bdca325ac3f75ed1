// SPDX-License-Identifier: MIT
//
// Copies between the personality and the memory of a thread's guest: the only way there. Any address and any
// length is allowed; what cannot be accessed is -LINUX_EFAULT.

#ifndef MEMORY_GUEST_COPY_H
#define MEMORY_GUEST_COPY_H

#include <linux/arch/guest.h>
#include <linux/memory/span.h>

#include <stddef.h>

struct thread;

// All of it or -LINUX_EFAULT.
int64_t copy_from_guest(struct thread *thread, void *to, guest_address_t from, size_t length);
int64_t copy_to_guest(struct thread *thread, guest_address_t to, const void *from, size_t length);

// Copies a string with its NUL. Its length without the NUL, -LINUX_EFAULT, or -LINUX_ENAMETOOLONG: no NUL
// within `size`.
int64_t copy_string_from_guest(struct thread *thread, char *to, size_t size, guest_address_t from);

// The span of a buffer that the guest named, cut at LINUX_COUNT_MAX. -LINUX_EFAULT: no guest has such
// addresses; that they are mapped is not checked yet.
int64_t guest_span(struct thread *thread, guest_address_t address, uint64_t length, struct span *span);

#endif

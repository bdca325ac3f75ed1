// SPDX-License-Identifier: MIT
//
// Waiting for any of several files: poll and select.

#ifndef FILES_POLL_H
#define FILES_POLL_H

#include <linux/arch/guest.h>

struct open_file;
struct thread;

// What poll and select do with the guest's arrays, until a deadline of the monotonic clock.
int64_t poll_guest(struct thread *thread, guest_address_t polled, uint32_t count, uint64_t deadline);
int64_t select_guest(struct thread *thread, int32_t count, guest_address_t readable, guest_address_t writable,
	guest_address_t exceptional, uint64_t deadline);

// Waits until a file is ready for `wanted` (LINUX_POLL*) or as broken as it always tells. 1, 0 at the deadline, or
// -LINUX_EINTR.
int64_t poll_file(struct thread *thread, struct open_file *file, uint32_t wanted, uint64_t deadline);

#endif

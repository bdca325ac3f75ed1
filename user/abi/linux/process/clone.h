// SPDX-License-Identifier: MIT
//
// New processes and threads: fork, vfork and clone are one.

#ifndef PROCESS_CLONE_H
#define PROCESS_CLONE_H

#include <linux/arch/guest.h>

struct thread;

struct clone_request {
	uint64_t flags;        // LINUX_CLONE_*, without the signal
	uint64_t exit_signal;  // to the parent; 0: none
	guest_address_t stack; // stack pointer of the child; 0: the caller's
	guest_address_t parent_tid, child_tid;
	uint64_t tls;
};

// The id of the new thread or process, or a negated error. With LINUX_CLONE_VFORK it waits until the child
// lets go of the memory.
int64_t clone_thread(struct thread *thread, const struct clone_request *request);

#endif

// SPDX-License-Identifier: MIT
//
// The report of a user program's crash in the log.

#ifndef KERNEL_CRASH_H
#define KERNEL_CRASH_H

struct fault;
struct thread;

// Logs process, thread, cause, registers and user backtrace of the current thread's fault, which nobody
// handled. No lock held.
void crash_log(const struct thread *thread, const struct fault *fault);

#endif

// SPDX-License-Identifier: MIT
//
// The trace of system calls and IPC in the kernel log, switched on by `tern.trace=1` on the kernel's command
// line.

#ifndef KERNEL_TRACE_H
#define KERNEL_TRACE_H

#include <stdbool.h>
#include <stdint.h>
#include <tern/types.h>

extern bool trace_enabled;

// A system call of the current thread is about to be done; and what came of one that takes arguments, unless
// it is still under way.
void trace_syscall_enter(uint64_t number);
void trace_syscall_leave(uint64_t number, struct syscall_result result);

#endif

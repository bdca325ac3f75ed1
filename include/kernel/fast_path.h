// SPDX-License-Identifier: MIT
//
// The fast path of IPC, between the ISA's entry and its way back to user mode: see ipc/fast_path.c.

#ifndef KERNEL_FAST_PATH_H
#define KERNEL_FAST_PATH_H

#include <arch/types.h>
#include <stdbool.h>
#include <tern/types.h>

// Left out: nothing below is there.
#ifdef TERN_FAST_PATH
#define FAST_PATH true
#else
#define FAST_PATH false
#endif

struct fault;
struct notification;
struct wait_operations;

// A signal by the current thread in its system call to one that waits, and its wait for a notification whose lock is held and which
// has nothing: directly, from user mode to user mode. They return where it must be done in the general way, with nothing
// changed; true: a waiter has been made ready.
//
// In the same way a fault of the current thread, which has a fault endpoint, goes to a handler that waits there; and the current
// thread's answer to a fault, which then waits at the endpoint again.
void ipc_fast_send_fault(const struct fault *fault);
void ipc_fast_answer_fault(handle_t handle, uint64_t info);
bool notification_signal_directly(struct notification *notification, uint64_t bits);
void notification_wait_directly(struct notification *notification, const struct wait_operations *operations);
// The same for a yield, while others of the current thread's priority are ready.
void scheduler_yield_directly(void);

// The end of arch_switch_directly in place of user mode where the CPU has work to do: the results are in the frame of the
// thread switched to, which is current.
void ipc_fast_path_work(struct arch_thread *previous);

#endif

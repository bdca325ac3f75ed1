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

// A fault of the current thread, which has a fault endpoint, to a handler that waits there; and the current thread's answer to a fault,
// which then waits at the endpoint again: directly, from user mode to user mode. They return where it must be done in the general
// way, with nothing changed.
void ipc_fast_send_fault(const struct fault *fault);
void ipc_fast_answer_fault(handle_t handle, uint64_t info);

// The end of arch_switch_directly in place of user mode where the CPU has work to do: the results are in the frame of the
// thread switched to, which is current.
void ipc_fast_path_work(struct arch_thread *previous);

#endif

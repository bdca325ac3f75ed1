// SPDX-License-Identifier: MIT
//
// The fast path of IPC, between the ISA's entry and its way back to user mode: see ipc/fast_path.c.

#ifndef KERNEL_FAST_PATH_H
#define KERNEL_FAST_PATH_H

#include <arch/types.h>
#include <tern/types.h>

// The ISA jumps there with the whole frame saved but for the registers of arguments and message, of which it keeps the words: the message is words
// in registers and nothing else. (Words that are not there are in no register, so MESSAGE_WIDE makes no difference.)
// They go on with arch_switch_directly or arch_slow_NAME.
_Noreturn void ipc_fast_call(handle_t handle, uint64_t info);
_Noreturn void ipc_fast_reply_receive(handle_t handle, uint64_t info);

// The end of arch_switch_directly in place of user mode where the CPU has work to do: the results are in the frame of the
// thread switched to, which is current.
void ipc_fast_path_work(struct arch_thread *previous);

#endif

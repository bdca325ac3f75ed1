// SPDX-License-Identifier: MIT
//
// The HAL contract: what the fast path of IPC (ipc/fast_path.c) needs, from the entry of a system call in one thread to user mode
// of another. That file is compiled so that the registers of a message belong to nobody but these variables of <isa/direct_switch.h>:
//
//   message_handle, message_info, message_word_0 to _3     as the user gave them (tern/message.h)
//   message_badge                                          for the receiver; may be in the register of the handle
//   message_cpu                                            this CPU, once arch_message_begin(), which returns it, was called
//
// Other functions do not preserve them.

#ifndef ARCH_DIRECT_SWITCH_H
#define ARCH_DIRECT_SWITCH_H

#include <arch/mmu.h>
#include <arch/thread.h>

struct cpu;

// A call of a function that does not return, with nothing on the stack.
static inline _Noreturn void arch_jump(void (*function)(void));

// Tries to switch the FPU, as arch_fpu_switch_directly does; false: that must be called.
static inline bool arch_fpu_try_switch(
	struct arch_cpu *cpu, struct arch_thread *previous, struct arch_thread *next);

// Zero in message_word_0 to _3.
static inline void arch_zero_message_words(void);

// As arch_resume_directly, but with words, badge, info and no error in `next`'s registers, all other caller-saved registers zero.
static inline _Noreturn void arch_switch_directly(struct arch_thread *previous, struct arch_thread *next);

// The fast path's own functions, in place of the ISA's entries of these system calls (kernel/syscall.h). They do not return, but go on
// with arch_switch_directly or arch_slow_NAME.
_Noreturn void arch_endpoint_call(void);
_Noreturn void arch_endpoint_reply_receive(void);

// Goes on with the general way of the system call whose fast path was tried.
_Noreturn void arch_slow_endpoint_call(void);
_Noreturn void arch_slow_endpoint_reply_receive(void);

#include <isa/direct_switch.h>

#endif

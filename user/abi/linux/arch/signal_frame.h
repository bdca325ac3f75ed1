// SPDX-License-Identifier: MIT
//
// The frame that a signal handler is called with: the contract that each arch/ISA/signal_frame.c fulfils.
//
// guest_signal.h of the ISA defines
//   SIGNAL_FRAME_RED_ZONE  bytes below the stack pointer that the interrupted code may use
//   SIGNAL_FRAME_OFFSET    how far the frame lies below an address that is a multiple of 64
//   SIGNAL_FRAME_FPU_MAX   most bytes of thread_read_fpu's state
//   struct signal_frame    with `information`, a siginfo, and `context`, a ucontext that has `start` and
//   `blocked`

#ifndef ARCH_SIGNAL_FRAME_H
#define ARCH_SIGNAL_FRAME_H

#include <guest_signal.h>
#include <linux/arch/guest.h>
#include <linux/interface/signal.h>

// Fills in what differs: the registers, and the FPU state as thread_read_fpu gives it. `address` is where the
// frame will be, `signal_return` where handlers return to that do not name a place.
void signal_frame_save(struct signal_frame *frame, guest_address_t address, const struct registers *registers,
	const void *fpu, const struct linux_signal_action *action, guest_address_t signal_return);

// Makes the registers those of the start of the handler, for a frame at an address.
void signal_frame_call(struct registers *registers, guest_address_t address,
	const struct linux_signal_action *action, int32_t signal, guest_address_t signal_return);

// Where the frame is of the handler that now returns.
guest_address_t signal_frame_address(const struct registers *registers);

// Takes registers and FPU state out of a frame that the guest may have changed: any values are allowed.
void signal_frame_restore(const struct signal_frame *frame, struct registers *registers, void *fpu);

#endif

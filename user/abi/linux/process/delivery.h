// SPDX-License-Identifier: MIT
//
// Delivery of signals: on a thread's way back to its guest, the guest's registers become those of a handler
// that is called with a frame on its stack; rt_sigreturn puts what the frame has back.

#ifndef PROCESS_DELIVERY_H
#define PROCESS_DELIVERY_H

#include <linux/interface/signal.h>
#include <linux/process/process.h>

// Takes all signals that the thread is to take. The process may end by one.
void signals_deliver(struct thread *thread);

// Delivers the signal of a fault of the guest's own doing at once; false: the process has no handler for it,
// or blocks it.
bool signal_deliver_fault(struct thread *thread, int32_t signal, const struct signal_cause *cause);

// Blocks the signals of a set of the guest (address 0: changes nothing) until the call that waits has ended
// and a handler has returned.
int64_t signals_block_for_wait(struct thread *thread, guest_address_t set, uint64_t set_size);

// rt_sigreturn: goes back to what the frame on top of the stack has. -LINUX_EFAULT: there is no such frame.
int64_t signal_return(struct thread *thread);

#endif

// SPDX-License-Identifier: MIT
//
// IPC objects as the rest of the core sees them: endpoints, replies, notifications, futexes; faults as
// messages.

#ifndef KERNEL_IPC_H
#define KERNEL_IPC_H

#include <kernel/object.h>
#include <kernel/spinlock.h>
#include <kernel/thread.h>

// --- Notifications

struct notification {
	struct object object;
	struct spinlock lock;
	uint64_t word;
	struct list_node waiters;  // thread.wait_link
	struct endpoint *endpoint; // bound: not counted, unbound when either goes
};

extern const struct wait_operations notification_wait_operations;

// Sets bits and wakes a waiter, or a receiver of the bound endpoint. Any context; locks below RANK_ENDPOINT
// may be held.
void notification_signal(struct notification *notification, uint64_t bits);

// Binds a notification to an endpoint, through located capabilities of both, or unbinds it. Errors: BUSY, BAD_HANDLE (one
// has been revoked).
enum error notification_bind_endpoint(
	struct endpoint *endpoint, const struct capability *holder, const struct capability *found);
void notification_unbind_endpoint(struct endpoint *endpoint);
void notification_unbind_locked(struct endpoint *endpoint);

// --- Endpoints and replies: see ipc/

// Of a thread that a struct caller names.
extern const struct wait_operations ipc_answer_wait;

// A fault of the current thread becomes a call to its fault endpoint. False: it has none or nobody can
// receive. True: the thread has blocked (its frame is what the handler may change).
bool ipc_send_fault(const struct fault *fault);
// The same as a call to the pager of the memory at the fault's address. False: it has refused, or nobody can
// receive. True: the thread has blocked, or may try again.
bool ipc_ask_pager(const struct fault *fault);

extern const struct wait_operations ipc_receive_wait;

// A receiver that waits alone waits in its endpoint's list from now on, where its wait can be claimed. No lock held. Whoever wants to end
// waits of a thread says so first (killed, kicked, the CPU's work), and the thread, when it waits, looks at that.
void ipc_wait_in_list(struct thread *thread);

// A thread's priority has changed: if it waits in an endpoint's queue of senders, it does so in its new place. No
// lock held that an endpoint's comes before.
void ipc_priority_changed(struct thread *thread);

// The current thread ends: callers it has accepted get ERR_GONE, its saved state goes.
void ipc_thread_exit(struct thread *thread);

// --- Guests

// arch_guest_enter's part: the current thread becomes a guest's. The frame has what arch_guest_begin_directly put there, all other
// registers are to be loaded from the state page, thread->guest; where that is not all, it does not return.
const struct registers *guest_begin(void);
// The end of a guest's system call that goes straight back: the registers are in the state page, the stack is that of the
// personality's system call, which goes on with GUEST_EXIT_SYSCALL.
void guest_end(void);
// A fault of a thread that runs its guest: back to the personality.
_Noreturn void guest_exit_fault(struct thread *thread, const struct fault *fault);
// trap_exit's part: a kick may be pending for a thread in guest mode.
void guest_exit_kicked(struct thread *thread);
void guest_thread_exit(struct thread *thread);
// trap_exit's part: the thread has just blocked; if a kick is pending and the wait interruptible, the wait is
// ended.
void guest_check_kick(struct thread *thread);

// --- Interrupts

// trap_interrupt's part: masks the line and signals the notification its interrupt object is bound to.
void interrupt_raise(uint32_t line);

// The space a thread's user mode runs in now: its guest's, or its process's.
struct address_space *thread_space(const struct thread *thread);

#endif

// SPDX-License-Identifier: MIT
//
// Endpoints and replies, as the files of ipc/ share them.
//
// A thread that sends waits in the endpoint's heap by priority and arrival, one that receives in its list, or alone.
// Once a call is accepted its sender waits in no queue: the server's struct caller names it and which of its
// waits it is, so that answer, time-out and death race by one compare-and-swap (thread_claim_wait) and nobody
// else needs to be told.

#ifndef KERNEL_ENDPOINT_H
#define KERNEL_ENDPOINT_H

#include <kernel/binding.h>
#include <kernel/capability.h>
#include <kernel/heap.h>
#include <kernel/ipc.h>
#include <kernel/object.h>
#include <kernel/spinlock.h>
#include <kernel/thread.h>
#include <tern/message.h>

// A receiver that waits alone is named by endpoint.alone and in no list: whoever exchanges its address there for something else has ended its
// wait, and nobody else can. So the fast path needs neither lock nor list. Its state stays RUNNING; thread.alone_at says where it is.
// Who holds the lock has put it into the list and lets nobody wait alone.
#define ENDPOINT_HELD   ((struct thread *)1) // by a fast path, for a few instructions
#define ENDPOINT_CLOSED ((struct thread *)2) // all goes by the lock

struct endpoint {
	struct thread *_Atomic
		alone; // NULL: nobody waits, and a receiver would find nothing; first: the fast path has its address
	struct object object;
	struct spinlock lock;      // taken by endpoint_lock
	struct heap_node *senders; // thread.wait_node
	uint64_t arrivals;
	struct list_node receivers;        // thread.wait_link
	atomic_uint receive_capabilities;  // at zero nobody can receive: senders get ERR_PEER_CLOSED
	struct notification *notification; // bound: not counted, unbound when either goes
	struct binding binding;            // of that one: its derivation
};

struct reply {
	struct object object;
	struct spinlock lock;
	struct caller caller;
};

// --- ipc/endpoint_lock.c

// The lock of an endpoint is taken so only: a receiver that waits alone is then in the list.
void endpoint_lock(struct endpoint *endpoint);
void endpoint_unlock(struct endpoint *endpoint);

// Whether a receiver would wait now, and alone. The lock is held.
bool endpoint_is_quiet(const struct endpoint *endpoint);

// --- ipc/endpoint.c

// Sends the current thread's message (message_info, message_badge; MESSAGE_CALL in the info: waits for the
// answer). The endpoint's lock is held. `source`: what the look-up of its handle found; NULL: a fault. ERR_OK: done, or the
// thread waits (cpu->blocked).
enum error endpoint_send_locked(struct endpoint *endpoint, struct thread *sender, struct capability *source);

// Gives the bound notification's word to a waiting receiver, if there is one. Both locks are held.
void endpoint_deliver_notification(struct endpoint *endpoint, struct notification *notification);

// --- ipc/message.c

// What a transfer needs, set aside beforehand so that it cannot fail.
struct transfer {
	unsigned count;
	struct capability capabilities[MESSAGE_CAPABILITIES]; // the sender's, held
	handle_t slots[MESSAGE_CAPABILITIES];                 // in the receiver's table
};

// Checks an info word of the current thread: its fields, flags within `flags`, a message buffer where one is
// needed, the capabilities to send.
enum error message_check(struct thread *thread, uint64_t info, uint64_t flags);

// The deadline that the thread's info word names.
uint64_t message_deadline(const struct thread *thread);

// Sets aside what transferring `sender`'s message to `receiver` takes. Errors: NO_RIGHTS, BAD_HANDLE, BUSY
// (the sender's), NO_SLOTS, NO_MEMORY, TOO_LONG (the receiver's).
enum error message_prepare(struct thread *sender, struct thread *receiver, struct transfer *transfer);
void message_abandon(struct thread *receiver, struct transfer *transfer);
// Moves the message into the receiver's registers and buffer. Both threads are claimed or current. `flags`:
// MESSAGE_CALL, MESSAGE_FAULT.
void message_commit(
	struct thread *sender, struct thread *receiver, struct transfer *transfer, uint64_t flags);

// --- ipc/caller.c

// The client waits for the server's answer in that wait; loan_make came before.
void caller_bind(struct caller *caller, struct thread *client, uint64_t wait_number);
// The binding goes elsewhere or is used up; the current thread gives back what it was lent.
void caller_unbind(struct caller *caller);
// The caller, if any, gets an error in place of an answer.
void caller_fail(struct caller *caller, enum error error);
// Answers with the current thread's message, already checked. The binding is used up. Errors: GONE; NO_SLOTS,
// NO_MEMORY, TOO_LONG (the caller could not take it, and got the same error).
enum error caller_answer(struct caller *caller);
// The wait has ended without an answer: tells who watches it.
void caller_cancel(struct thread *client);
// What ends the wait of a caller whose call was accepted, or a sender's: releases its offers and sets its
// results.
void caller_finish(struct thread *client, enum error error);

// --- ipc/reply.c

// The caller of the current thread (HANDLE_NONE) or of a reply object, its thread counted. Errors: BAD_STATE,
// GONE, those of a look-up.
enum error caller_find(handle_t handle, rights_t rights, struct caller *found);

// --- ipc/fault.c

// The wait of a thread for the answer to its fault message is over.
void fault_finish(struct thread *thread);

// --- ipc/offer.c

// Resolves the offers in the current thread's message buffer. Errors: INVALID_ARGUMENT and those of a
// look-up.
enum error offers_take(struct thread *thread);
void offers_release(struct thread *thread);

#endif

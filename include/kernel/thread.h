// SPDX-License-Identifier: MIT
//
// Threads: states, waiting and waking, ending.
//
// A thread blocks in one way only. In a system call or fault of its own, with the lock of what it waits for
// held, it calls thread_prepare_wait, enters itself in that thing's queue, drops the lock and returns
// SYSCALL_BLOCKED (trap_exit then switches away, and nothing on its kernel stack is live but the frame).
// Whoever ends the wait first wins the right to do so with thread_claim, a compare-and-swap on the state
// word; the winner takes the thread out of the queue, sets its results and calls thread_wake. The losers
// leave it alone. Time-out, kick and kill call `cancel` for the queue part.
//
// Receivers may wait otherwise: without a queue, by a word of their endpoint alone (see endpoint.h). Their state is RUNNING until
// ipc_wait_in_list makes of it a wait like others, which whoever ends waits from outside has done first.

#ifndef KERNEL_THREAD_H
#define KERNEL_THREAD_H

#include <arch/thread.h>
#include <arch/types.h>
#include <kernel/binding.h>
#include <kernel/derivation.h>
#include <kernel/futex.h>
#include <kernel/heap.h>
#include <kernel/list.h>
#include <kernel/object.h>
#include <kernel/priority_list.h>
#include <kernel/spinlock.h>
#include <kernel/timeout.h>
#include <kernel/trap.h>
#include <tern/guest.h>
#include <tern/info.h>
#include <tern/message.h>

struct address_space;
struct capability;
struct endpoint;
struct memory;
struct notification;
struct process;
struct reply;
struct scheduling_context;
struct thread;

// How a queue takes back a thread whose wait ended for another reason. The caller has claimed the thread.
// Takes the queue's lock.
struct wait_operations {
	const char *name; // for traces and ps: "endpoint send", "futex" ...
	void (*cancel)(struct thread *thread);
	// Sets the results for `error`; NULL: arch_syscall_set_result with it.
	void (*fail)(struct thread *thread, enum error error);
};

// A binding: a caller that waits for an answer, named together with which of its waits it is, so that a stale one is
// noticed.
//
// Who waits keeps itself alive, so the binding holds a reference if and only if somebody else than its holder has ended the
// wait (time-out, kill, kick, budget). He takes it, for the binding, before he claims, since a holder whose own claim fails
// gives it up at once, and gives it up himself if his claim fails. A holder whose claim succeeds has nothing to give up, and
// empties the binding before it wakes the caller.
struct caller {
	uint64_t wait_number;  // its state word in that wait
	struct thread *thread; // NULL: none
	uint64_t loans; // it lends its time: the length of the chain of loans that ends here; 0: no loan
};

// Why a thread that a message wakes cannot go straight on to user mode: see ipc/fast_path.c.
enum hindrance {
	HINDRANCE_SUSPENDED = 1 << 0,
	HINDRANCE_KILLED = 1 << 1,
	HINDRANCE_DEADLINE = 1 << 2, // its wait has one
	HINDRANCE_OFFERS = 1 << 3,   // its call offers buffers
	HINDRANCE_FAULT = 1 << 4,    // it waits for the answer to a fault message
	HINDRANCE_AFFINITY = 1 << 5, // it may not run any more where it ran last
	HINDRANCE_ISA = 1 << 6,      // for ever: this CPU cannot
	HINDRANCE_STEP = 1 << 7,     // it is stepped, and its CPU must be told
	HINDRANCE_WATCHED = 1 << 8,  // its server is told if it stops waiting
};

// An offered buffer, resolved at the time of the call.
struct offer {
	struct address_space *space; // counted
	uint64_t address;
	uint64_t length;
	uint64_t flags;
};

// An endpoint that a thread called, or received from, last, or a notification that it signalled or waited for: good as long as the
// handle's slot has that tenancy.
struct target {
	handle_t handle;
	const struct capability *slot;
	union {
		void *what;
		struct endpoint *endpoint;
		struct notification *notification;
	};
	uint64_t tenancy;
	uint64_t badge;
};

// What a thread lends to the owner of a futex, and inherits as one: see ipc/futex_owner.c, whose lock guards it.
struct inheritance {
	struct priority_node *owned; // futexes of the thread that others wait for, by first waiters
	struct priority_node waiter; // among all that wait for the same one
	uint32_t value;              // of the futex's word when the thread gets it
	struct list_node unsettled;
	struct thread *owner;       // of a first waiter's futex
	struct priority_node futex; // of a first waiter, in owner's list
};

struct thread {
	struct arch_thread
		arch; // must be first, and the next ones where they are: assembly knows on_cpu and guest
	// State word: enum thread_state in the low 8 bits, above it how many waits there were. Changed by
	// compare-and-swap. That of a wait is also its number.
	_Atomic uint64_t state;
	union {
		struct {
			atomic_uint hindrances; // enum hindrance
			uint16_t cpu;           // whose run queue it is in, or that ran it last
			uint8_t priority;       // effective, when it was last queued: see loan_follow
			uint8_t unused;
		};
		uint64_t place; // all of them: see direct_follows and direct_is_unhindered
	};
	atomic_bool on_cpu;        // its kernel stack is in use; whoever switches to it waits until it is not
	struct guest_state *guest; // the state page of the guest that it runs; NULL: it runs its own code
	// IPC by words, most of all, has these: see ipc/fast_path.c.
	uint64_t message_info;             // as given with the present send, call or receive
	struct caller caller;              // whom this thread has to answer
	struct endpoint *_Atomic alone_at; // it is the receiver that waits alone there
	struct address_space *space;       // of the process, which has it as long as it has threads
	struct target call_target, receive_target, signal_target, wait_target;
	struct object object;
	struct spinlock
		lock; // guards suspended, parked, affinity, priorities but the effective one, joiner, detached, watch, context
	struct process *process; // counted; the kernel's own threads: NULL
	struct list_node process_link;
	char name[NAME_LENGTH];

	atomic_bool killed; // ends at its next trap_exit
	bool suspended;
	bool parked;                // ready, but not in a run queue since it is suspended
	uint8_t own_priority;       // what it was given
	uint8_t inherited_priority; // of those who wait for what it owns; 0: nobody
	uint8_t base_priority;      // the higher one
	uint64_t affinity;
	struct list_node run_link;
	uint8_t run_priority;               // of the queue that it is in
	uint64_t cpu_time;                  // nanoseconds that it paid for, up to cpu.payer_since
	uint64_t slice_remaining;           // of a preempted thread, nanoseconds; 0: a new slice
	uint64_t slice_overrun;             // had beyond the ends of its slices, nanoseconds
	struct scheduling_context *context; // counted; NULL: no limit to what it pays for

	// The present wait.
	const struct wait_operations *wait_operations;
	void *wait_object;          // what it waits for; guarded by that thing's lock
	struct list_node wait_link; // in its queue
	struct heap_node wait_node; // in an endpoint's queue of senders
	struct futex_key wait_key;  // of a futex
	struct timeout timeout;

	// IPC: see ipc/.
	struct message_buffer *message_buffer; // through the direct map; NULL: none
	struct memory *message_memory;         // counted: the page of it
	vaddr_t message_address;               // where the thread's process has it
	uint64_t message_badge;                // of the endpoint capability it was sent through
	struct offer offers[MESSAGE_OFFERED];  // guarded by lock, as is their count
	unsigned offer_count;
	struct endpoint *fault_endpoint; // counted; NULL: a fault kills the process
	uint64_t fault_badge;
	struct fault fault;     // being reported
	bool faulting;          // waits for the answer to its fault message
	struct memory *paging;  // counted: with the page that it waits for as its pager; guarded by lock
	uint64_t paging_offset; // of that page, the pager's
	bool pager_refused;     // to supply the page at fault.address

	// Guest: see kernel/guest.c.
	struct address_space *guest_space; // counted; NULL: not bound
	struct guest_state *guest_state;   // through the direct map
	struct memory *guest_memory;       // counted: the page of it
	vaddr_t guest_state_address;
	atomic_bool kicked;

	vaddr_t kernel_stack; // lowest mapped address
	size_t kernel_stack_size;
	vaddr_t user_stack; // 0: not known
	size_t user_stack_size;
	bool user_stack_mapped; // by the kernel, with a guard page below
	uint64_t clear_tid_address;
	uint64_t exit_status;
	bool detached;
	struct thread *joiner;       // waits in thread_join; guarded by lock
	struct binding watch;        // signals its end; guarded by lock
	struct binding answer_watch; // signals that its wait for an answer ends without one; guarded by lock
	struct object *answer_watch_holder; // the reply, or the thread itself: there as long as that watch
	struct derivation
		queued; // while in an endpoint's queue of senders: on behalf of the capability it sends through
	struct inheritance inheritance;
};

#define SYSCALL_BLOCKED ((struct syscall_result){.error = UINT64_MAX, .value = 0})

static inline enum thread_state thread_get_state(const struct thread *thread)
{
	return (enum thread_state)(atomic_load_explicit(&thread->state, memory_order_relaxed) & 0xff);
}

static inline void thread_hinder(struct thread *thread, enum hindrance why)
{
	atomic_fetch_or(&thread->hindrances, (unsigned)why);
}

static inline bool thread_is_hindered(const struct thread *thread, enum hindrance why)
{
	return (atomic_load_explicit(&thread->hindrances, memory_order_relaxed) & (unsigned)why) != 0;
}

static inline void thread_unhinder(struct thread *thread, enum hindrance why)
{
	if (thread_is_hindered(thread, why))
		atomic_fetch_and(&thread->hindrances, ~(unsigned)why);
}

// Whether it ends at its next trap_exit: nobody sees the results of its system call, and long work for them alone is over.
static inline bool thread_is_killed(const struct thread *thread)
{
	return atomic_load_explicit(&thread->killed, memory_order_relaxed);
}

// Whether the thread waits for the answer to its fault message.
static inline void thread_set_faulting(struct thread *thread, bool faulting)
{
	thread->faulting = faulting;
	if (faulting)
		thread_hinder(thread, HINDRANCE_FAULT);
	else
		thread_unhinder(thread, HINDRANCE_FAULT);
}

// The current thread will wait: state BLOCKED (or SLEEPING), a new wait number, time-out armed.
// `wait_object`'s lock is held, so nobody can find the thread before it is dropped. Returns the wait number.
uint64_t thread_prepare_wait(const struct wait_operations *operations, void *wait_object,
	enum thread_state state, uint64_t deadline);

// The current thread will wait, but its state does not say so.
void thread_prepare_unstated_wait(void);
// From now on the state of a thread says that it waits. Nobody else ends that wait meanwhile.
void thread_state_wait(struct thread *thread, const struct wait_operations *operations, void *wait_object);

// Whether a thread is in its wait `number`. Only a hint unless what could end it is locked out.
static inline bool thread_is_waiting(const struct thread *thread, uint64_t number)
{
	return atomic_load_explicit(&thread->state, memory_order_acquire) == number;
}

// The number of a thread's present wait, or of none.
static inline uint64_t thread_wait_number(const struct thread *thread)
{
	return atomic_load(&thread->state);
}

// Claims the end of a wait: of the present one, which no binding names, or only of wait `number`, through the binding that
// names it if there is one. True: the caller must end it with thread_wake.
bool thread_claim(struct thread *thread);
bool thread_claim_wait(struct thread *thread, uint64_t number);

// Lets a claimed wait go on as another one: new operations and object, a new number (returned), the same
// deadline. Whatever tried to end it while it was claimed (time-out, kill, kick) ends it now.
uint64_t thread_continue_wait(
	struct thread *thread, const struct wait_operations *operations, void *wait_object);

// Ends a claimed wait: the thread's results are set, it is in no queue. Cancels the time-out and makes it
// ready. Any lock below RANK_THREAD may be held.
void thread_wake(struct thread *thread);

// The same with system-call results.
void thread_wake_with(struct thread *thread, enum error error, uint64_t value);

// Claims, cancels and fails a wait from outside (time-out, kick). False: it was not waiting or another was
// first. No lock held that `cancel` takes.
bool thread_abort_wait(struct thread *thread, enum error error);
// The same with wait `number` only.
bool thread_abort_wait_number(struct thread *thread, uint64_t number, enum error error);

// Cancels a wait for one who ends the thread, or wakes it: it is then in no queue, and nobody else does either. False: as above.
bool thread_leave_wait(struct thread *thread);
// The same with wait `number` only, for one who wakes the thread with thread_wake.
bool thread_leave_wait_number(struct thread *thread, uint64_t number);

// Makes a thread of a process as thread_create (the system call) says; attributes are the kernel's own
// checked copy. Not yet ready: thread_start. On success the creator holds a reference.
enum error thread_create(struct process *process, const struct thread_attributes *attributes,
	struct endpoint *fault_endpoint, uint64_t fault_badge, struct thread **created);
// Takes back what thread_create mapped into the process's space.
void thread_unmap(struct thread *thread, struct address_space *space);
// Makes a new thread ready for the first time, or parks it if it is suspended.
void thread_start(struct thread *thread);

// Makes a thread end at its next trap_exit, ending its wait; idempotent.
void thread_terminate(struct thread *thread, uint64_t status);
// The same from outside: when it returns the thread has left user mode and takes no message any more. The caller holds a
// reference and no lock.
void thread_kill(struct thread *thread, uint64_t status);
// Ends the current thread; called by trap_exit with nothing held.
_Noreturn void thread_exit_current(void);
// Ends another thread of the current process, which has been killed, in its place if it waits: nothing of it is on its
// kernel stack. False: it ends by itself.
bool thread_end_waiting(struct thread *thread);

// What thread_info tells of it.
void thread_describe(struct thread *thread, struct thread_info *info);

// Returns when the thread has left user mode. The caller holds a reference and no lock.
void thread_suspend(struct thread *thread);
void thread_resume(struct thread *thread);

// Where a thread whose kernel context is fresh starts: on to user mode.
_Noreturn void thread_resume_user(void);

// trap_exit's part: sets the current thread aside if it is still suspended.
void thread_park_current(void);

#endif

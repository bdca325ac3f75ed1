// SPDX-License-Identifier: MIT
//
// The scheduler: 256 fixed priorities, per-CPU run queues, round robin.
//
// A thread whose kernel stack is in use (on_cpu) is in no run queue but that of the CPU that uses it. So no
// CPU ever waits for another one to let go of a thread.

#ifndef KERNEL_SCHEDULER_H
#define KERNEL_SCHEDULER_H

#include <stdbool.h>
#include <stdint.h>

#define SLICE_NANOSECONDS 5000000

struct cpu;
struct scheduling_context;
struct thread;

// Puts a ready thread into the run queue of a CPU it may run on, and makes that CPU reschedule where it has a
// higher priority than what runs there.
void scheduler_enqueue(struct thread *thread);
// Takes a ready thread out of its run queue; false: it was in none.
bool scheduler_dequeue(struct thread *thread);

// Whether a thread's affinity lets it run on a CPU.
bool scheduler_may_run(const struct thread *thread, const struct cpu *cpu);
// Chooses the CPU on which a new thread starts.
void scheduler_place(struct thread *thread);
// An idle CPU takes a ready thread from another one; false: there is none for it.
bool scheduler_steal(struct cpu *cpu);
// Wakes an idle CPU, so that it steals from this one.
void scheduler_wake_idle(void);

// Switches to the best ready thread of this CPU. The current thread is enqueued first if it is still RUNNING.
// Returns when it runs again, or at once if it is the best. No lock held.
void scheduler_switch(void);

// The same at the end of a kernel entry: of the current thread only its frame is needed any more, and it goes on with
// thread_resume_user. Returns at once if it is the best.
void scheduler_leave(void);

// What every thread does first after a switch, on its own stack: lets go of the thread that ran before.
void scheduler_finish_switch(void);

// The current thread goes to the back of its priority's queue.
void scheduler_yield(void);

// Whether the current thread may not go on on this CPU.
bool scheduler_must_switch(void);

// The base priority or the affinity changed: move the thread where it belongs. thread->lock is held.
void scheduler_update(struct thread *thread);

// Sets what a thread has been given and what it inherits; whether its base priority has changed, which is the higher of both. thread->lock
// is held. Those who keep threads by priority are told by the caller: futex_priority_changed, ipc_priority_changed.
bool scheduler_set_priority(struct thread *thread, uint8_t own, uint8_t inherited);

// Makes a CPU choose anew what it runs, and on whose time.
void scheduler_reschedule(struct cpu *cpu);

// Makes a thread that runs on another CPU go through trap_exit there soon.
void scheduler_poke(struct thread *thread);
// The same, and waits until it is there: what was written before has effect before its next user instruction. The caller
// holds a reference to the thread, and no lock, for others may run meanwhile.
void scheduler_poke_and_wait(struct thread *thread);

// trap_timer's part: time-outs are run; is the slice over?
void scheduler_timer(uint64_t now);
// trap_ipi's part: another CPU may have put a thread into this one's queue.
void scheduler_ipi(void);
// Programs this CPU's timer for the earlier of slice end (if others of the priority are ready) and the next
// time-out.
void scheduler_program_timer(void);

// What all CPUs have used up to now goes to the accounts of those who pay: thread.cpu_time and scheduling contexts.
void scheduler_charge_all(void);
// The same of those that run on one thread's time.
void scheduler_charge(const struct thread *payer);

// Whether a CPU runs on a thread's time.
bool scheduler_is_payer(const struct thread *thread);
// A thread's last reference has gone: CPUs that run on its time do not do so any more.
void scheduler_forget_payer(const struct thread *thread);
// Whether a CPU runs on the time of a thread with this scheduling context.
bool scheduler_is_paid_by(struct cpu *cpu, const struct scheduling_context *context);

// The body of idle threads.
_Noreturn void scheduler_idle(void);

#endif

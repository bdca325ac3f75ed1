// SPDX-License-Identifier: MIT
//
// Per-CPU data.

#ifndef KERNEL_CPU_H
#define KERNEL_CPU_H

#include <arch/cpu.h>
#include <arch/types.h>
#include <kernel/run_queue.h>
#include <kernel/spinlock.h>
#include <kernel/timeout.h>

#define LOCKS_HELD_MAX 8

struct object;

// The CPU's dead objects, see kernel/object.c: only it uses this.
struct reaper {
	struct object *dying;     // to be destroyed
	struct object *destroyed; // their wait has not begun
	struct object *waiting;   // for quiescence since `seen`
	unsigned count;           // destroyed since memory was last freed
	bool hurried;
	uint64_t seen[ARCH_CPU_MAX]; // `quiescent` of each CPU
};

struct cpu {
	struct arch_cpu arch; // must be first: assembly finds it there
	// Assembly knows these as well.
	uint64_t direct_calls; // system calls below it go straight to their handlers; 0: a guest's, or traced
	const void *handlers;  // of system calls: syscall_table
	atomic_uint work;      // not 0: trap_exit has something to do before user mode runs: see cpu_set_work
	struct thread *current;
	struct thread *payer; // on whose time the current one runs, its own or a caller's; not counted
	struct thread *idle;
	struct thread *previous;             // switched from, until the next thread has finished the switch
	struct address_space *address_space; // loaded in the MMU; NULL: the kernel's own
	uint64_t bit;                        // 1 << index
	union {
		struct {
			unsigned no_hindrance; // 0
			unsigned index;
		};
		uint64_t place; // of a thread that may run here at once, but for its priority
	};
	bool online;            // schedules
	bool blocked;           // the current thread has blocked in this kernel entry
	bool leaving;           // the thread switched from needs no kernel context
	bool moving;            // the thread switched from may no longer run here
	bool ended;             // the thread switched from has ended
	atomic_bool reschedule; // schedule at the next trap_exit or preemption point
	uint64_t payer_since;   // what was before is in the payer's account
	uint64_t slice_end;     // of the current thread
	uint64_t budget_end;    // when the payer's budget is used up; DEADLINE_NEVER: no limit
	bool out_of_budget;     // trap_exit has to enforce it
	struct run_queue run_queue;
	struct timeout_queue timeouts;
	uint64_t timer_deadline;                           // that the timer is set for
	const struct spinlock *locks_held[LOCKS_HELD_MAX]; // debug builds
	unsigned locks_held_count;
	_Atomic uint64_t quiescent; // how often this CPU was outside the kernel or at a preemption point
	uint64_t context_switches;
	uint64_t interrupts;
	uint64_t ipis;
	uint64_t shootdowns;
	uint64_t locks_contended[RANK_COUNT];
	struct reaper reaper;
};

extern struct cpu cpus[ARCH_CPU_MAX];
extern unsigned cpu_count; // that exist; online ones say so

static inline struct cpu *cpu_self(void)
{
	return arch_cpu_self();
}

static inline struct thread *thread_current(void)
{
	return arch_cpu_self()->current;
}

// After something was changed that trap_exit looks at: the CPU's next way out of the kernel goes through it. A
// system call that finds nothing set returns to user mode without.
static inline void cpu_set_work(struct cpu *cpu)
{
	atomic_store(&cpu->work, 1);
}

// The CPU chooses anew which thread it runs.
static inline void cpu_set_reschedule(struct cpu *cpu)
{
	atomic_store(&cpu->reschedule, true);
	cpu_set_work(cpu);
}

// A point in a long operation, no lock held, at which pending interrupts are let in and another thread may
// run. Pointers to objects not counted with object_get are stale afterwards.
void preemption_point(void);

// Notes that this CPU holds no uncounted pointer to an object.
void cpu_note_quiescent(void);

// On the boot CPU, once: gives every CPU its queues and its idle thread, and starts the others, as far as
// they answer.
void cpu_start_others(void);

// The last step of a CPU's start: it becomes its idle thread and schedules.
_Noreturn void cpu_enter_idle(void);

#endif

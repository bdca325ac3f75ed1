// SPDX-License-Identifier: MIT
//
// The scheduler: which thread runs next, on which CPU, and the switch to it.

#include <arch/cpu.h>
#include <arch/smp.h>
#include <arch/thread.h>
#include <arch/time.h>
#include <kernel/address_space.h>
#include <kernel/assert.h>
#include <kernel/cpu.h>
#include <kernel/ipc.h>
#include <kernel/loan.h>
#include <kernel/scheduler.h>
#include <kernel/scheduling_context.h>
#include <kernel/thread.h>

#define SLICE_MIN    (SLICE_NANOSECONDS / 5)
#define OVERRUN_MAX  (20 * SLICE_NANOSECONDS)
#define TURNS_MISSED 8  // at most, by all threads of a queue together, at one switch
#define DEMOTED_MAX  64 // at one switch
#define GIVEN_UP     0  // slice_end of a thread that yields

static void set_state(struct thread *thread, enum thread_state state)
{
	uint64_t word = atomic_load_explicit(&thread->state, memory_order_relaxed);

	// A thread that is ready or runs does not wait: nobody else changes its state.
	atomic_store_explicit(&thread->state, (word & ~(uint64_t)0xff) | state, memory_order_release);
}

// --- Run queues

// Where a thread that becomes ready goes: where it is or was, if it may.
static struct cpu *choose_cpu(const struct thread *thread)
{
	struct cpu *last = &cpus[thread->cpu];

	if (atomic_load(&thread->on_cpu) || scheduler_may_run(thread, last))
		return last;
	for (unsigned i = 0; i < cpu_count; i++)
		if (scheduler_may_run(thread, &cpus[i]))
			return &cpus[i];
	return last;
}

void scheduler_enqueue(struct thread *thread)
{
	struct cpu *cpu = choose_cpu(thread);
	struct run_queue *queue = &cpu->run_queue;
	bool preempts, first;

	assert(thread_get_state(thread) == THREAD_READY);
	spin_lock(&queue->lock);
	thread->cpu = (uint16_t)cpu->index;
	// Whoever changes its priority looks for it in a queue after that.
	atomic_thread_fence(memory_order_seq_cst);
	thread->priority = loan_follow(thread).priority;
	run_queue_insert(queue, thread, false);
	first = queue->count == 1;
	preempts = thread->priority > cpu->current->priority;
	// Nobody waited until now: what is left of a slice that began long ago does not count.
	if (first)
		cpu->slice_end = arch_time_now() + SLICE_NANOSECONDS;
	if (preempts)
		cpu_set_reschedule(cpu);
	spin_unlock(&queue->lock);
	if (cpu != cpu_self()) {
		if (preempts || first)
			arch_ipi_send(cpu);
	} else if (first) {
		scheduler_program_timer();
	}
}

bool scheduler_dequeue(struct thread *thread)
{
	for (;;) {
		unsigned index = __atomic_load_n(&thread->cpu, __ATOMIC_RELAXED);
		struct run_queue *queue = &cpus[index].run_queue;
		bool here, queued;

		spin_lock(&queue->lock);
		here = thread->cpu == index;
		queued = here && !list_is_empty(&thread->run_link);
		if (queued)
			run_queue_remove(queue, thread);
		spin_unlock(&queue->lock);
		if (here)
			return queued;
	}
}

// --- Switching

// The CPU's time up to now goes to its payer's account; tells what is left of its budget. The run queue's lock is held.
static uint64_t charge(struct cpu *cpu, uint64_t now)
{
	struct scheduling_context *context = __atomic_load_n(&cpu->payer->context, __ATOMIC_ACQUIRE);
	// Another CPU may have charged it after `now` was read.
	uint64_t used = now > cpu->payer_since ? now - cpu->payer_since : 0;

	ASSERT_LOCK_HELD(&cpu->run_queue.lock);
	// After a recall another CPU may for a moment run on the same account.
	__atomic_fetch_add(&cpu->payer->cpu_time, used, __ATOMIC_RELAXED);
	cpu->payer_since += used;
	return context ? scheduling_context_charge(context, used, now) : BUDGET_UNLIMITED;
}

static void set_budget_end(struct cpu *cpu, uint64_t left, uint64_t now)
{
	cpu->out_of_budget = left == 0;
	cpu->budget_end = left == 0 || left == BUDGET_UNLIMITED ? DEADLINE_NEVER : now + left;
	if (left == 0)
		cpu_set_work(cpu);
}

// Says on whose time the CPU runs. Whoever gives that thread a context, or ends its wait or itself, looks for those on whose time CPUs
// run after that; its context, and whether it still lends its time, are looked at after this.
static void set_payer(struct cpu *cpu, struct thread *payer)
{
	__atomic_store_n(&cpu->payer, payer, __ATOMIC_RELAXED);
	atomic_thread_fence(memory_order_seq_cst);
}

// From now on `payer` pays, for `next`. The run queue's lock is held.
static void change_payer(struct cpu *cpu, struct thread *next, struct thread *payer, uint64_t now)
{
	struct thread *last = cpu->payer;
	uint64_t left = BUDGET_UNLIMITED;

	if (payer != last || payer->context)
		left = charge(cpu, now);
	if (payer != last) {
		set_payer(cpu, payer);
		// A caller's wait, and the caller, may have ended just now, and nobody have found that this CPU runs on its time.
		if (payer != next && loan_follow(next).payer != payer) {
			set_payer(cpu, payer = next);
			cpu_set_reschedule(cpu);
		}
		left = payer->context ? charge(cpu, now) : BUDGET_UNLIMITED;
	}
	set_budget_end(cpu, left, now);
}

static __attribute__((noinline)) void charge_cpu(struct cpu *cpu)
{
	spin_lock(&cpu->run_queue.lock);
	charge(cpu, arch_time_now());
	spin_unlock(&cpu->run_queue.lock);
}

static void forget_payer(struct cpu *cpu, const struct thread *thread)
{
	spin_lock(&cpu->run_queue.lock);
	if (cpu->payer == thread) {
		charge(cpu, arch_time_now());
		set_payer(cpu, cpu->idle);
	}
	spin_unlock(&cpu->run_queue.lock);
	scheduler_reschedule(cpu);
}

bool scheduler_is_payer(const struct thread *thread)
{
	for (const struct cpu *cpu = cpus; cpu < cpus + cpu_count; cpu++)
		if (__atomic_load_n(&cpu->payer, __ATOMIC_RELAXED) == thread)
			return true;
	return false;
}

void scheduler_forget_payer(const struct thread *thread)
{
	for (struct cpu *cpu = cpus; cpu < cpus + cpu_count; cpu++)
		if (__atomic_load_n(&cpu->payer, __ATOMIC_RELAXED) == thread)
			forget_payer(cpu, thread);
}

bool scheduler_is_paid_by(struct cpu *cpu, const struct scheduling_context *context)
{
	bool is;

	spin_lock(&cpu->run_queue.lock);
	is = cpu->payer->context == context;
	spin_unlock(&cpu->run_queue.lock);
	return is;
}

void scheduler_charge_all(void)
{
	for (unsigned i = 0; i < cpu_count; i++)
		charge_cpu(&cpus[i]);
}

void scheduler_charge(const struct thread *payer)
{
	for (unsigned i = 0; i < cpu_count; i++)
		if (__atomic_load_n(&cpus[i].payer, __ATOMIC_RELAXED) == payer)
			charge_cpu(&cpus[i]);
}

// The current thread leaves the CPU, or may: it goes back into the queue if it could go on.
static void put_back(struct cpu *cpu, struct thread *thread, uint64_t now)
{
	thread->slice_remaining = 0;
	if (thread == cpu->idle || cpu->blocked || cpu->ended)
		return;
	set_state(thread, THREAD_READY);
	if (!scheduler_may_run(thread, cpu)) {
		cpu->moving = true;
		return;
	}
	if (cpu->slice_end > now)
		thread->slice_remaining = cpu->slice_end - now;
	else if (cpu->slice_end != GIVEN_UP)
		thread->slice_overrun += now - cpu->slice_end;
	thread->priority = loan_follow(thread).priority;
	run_queue_insert(&cpu->run_queue, thread, thread->slice_remaining != 0);
}

// A thread whose slices took too long, since its CPU was not interrupted in time (or, where it is virtual, not run by its
// host), misses turns and has a shorter slice until that is made up for. Of a very long time a part is forgiven.
static bool misses_turn(struct thread *thread, unsigned *missed)
{
	if (thread->slice_overrun < SLICE_NANOSECONDS || *missed == TURNS_MISSED)
		return false;
	thread->slice_overrun -= SLICE_NANOSECONDS;
	++*missed;
	return true;
}

static uint64_t new_slice(struct thread *thread)
{
	uint64_t less = thread->slice_overrun;

	if (less > OVERRUN_MAX)
		less = OVERRUN_MAX;
	thread->slice_overrun = less;
	if (less > SLICE_NANOSECONDS - SLICE_MIN)
		less = SLICE_NANOSECONDS - SLICE_MIN;
	thread->slice_overrun -= less;
	return SLICE_NANOSECONDS - less;
}

// Whoever pays for the thread is told in *payer. Where very many threads have lost priorities since they were queued, the idle thread
// comes between: it lets interrupts in and switches again.
static struct thread *take_best(struct cpu *cpu, struct thread **payer)
{
	struct run_queue *queue = &cpu->run_queue;
	unsigned missed = 0, demoted = 0;
	int best = -1;

	while (demoted < DEMOTED_MAX && (best = run_queue_best(queue)) >= 0) {
		struct thread *thread = run_queue_first(queue, best);
		struct loan_chain chain = loan_follow(thread);

		run_queue_remove(queue, thread);
		thread->priority = chain.priority;
		if (chain.priority >= best && !misses_turn(thread, &missed)) {
			*payer = chain.payer;
			return thread;
		}
		// It was queued with a priority that has been recalled since, or lets others run first.
		demoted += chain.priority < best;
		run_queue_insert(queue, thread, false);
	}
	if (best >= 0)
		cpu_set_reschedule(cpu);
	*payer = cpu->idle;
	return cpu->idle;
}

static void make_current(struct cpu *cpu, struct thread *thread, uint64_t now)
{
	set_state(thread, THREAD_RUNNING);
	cpu->slice_end = now + (thread->slice_remaining ? thread->slice_remaining : new_slice(thread));
	// It may have been put here before whoever changed its affinity could find it: trap_exit moves it.
	if (thread_is_hindered(thread, HINDRANCE_AFFINITY) && scheduler_may_run(thread, cpu))
		thread_unhinder(thread, HINDRANCE_AFFINITY);
	atomic_store_explicit(&thread->on_cpu, true, memory_order_relaxed);
	cpu->current = thread;
}

void scheduler_switch(void)
{
	struct cpu *cpu = cpu_self();
	struct thread *previous = cpu->current, *next, *payer;
	uint64_t now = arch_time_now();

	ASSERT_NO_LOCKS_HELD();
	assert(!arch_irq_enabled());
	spin_lock(&cpu->run_queue.lock);
	atomic_store(&cpu->reschedule, false);
	put_back(cpu, previous, now);
	next = take_best(cpu, &payer);
	change_payer(cpu, next, payer, now);
	make_current(cpu, next, now);
	spin_unlock(&cpu->run_queue.lock);
	scheduler_program_timer();
	if (next == previous) {
		cpu->blocked = false;
		return;
	}
	assert(cpu->previous == NULL);
	cpu->previous = previous;
	cpu->context_switches++;
	address_space_switch(thread_space(next));
	// Where threads can move, none leaves its registers behind in a CPU.
	if (cpu_count > 1)
		arch_fpu_release(&previous->arch);
	arch_context_switch(&previous->arch, &next->arch);
	// Running again, in the middle of something: when it is next switched out directly it will not be.
	arch_thread_reset_context(&previous->arch, thread_resume_user);
	scheduler_finish_switch();
}

void scheduler_finish_switch(void)
{
	struct cpu *cpu = cpu_self();
	struct thread *previous = cpu->previous;
	bool moving = cpu->moving, ended = cpu->ended;

	if (cpu->leaving)
		arch_thread_reset_context(&previous->arch, thread_resume_user);
	cpu->previous = NULL;
	cpu->leaving = false;
	cpu->blocked = false;
	cpu->moving = false;
	cpu->ended = false;
	// From here on another CPU may run it.
	atomic_store_explicit(&previous->on_cpu, false, memory_order_release);
	if (moving)
		scheduler_enqueue(previous);
	if (ended)
		object_put(&previous->object);
}

void scheduler_leave(void)
{
	cpu_self()->leaving = true;
	scheduler_switch();
	cpu_self()->leaving = false;
}

bool scheduler_must_switch(void)
{
	const struct cpu *cpu = cpu_self();

	return atomic_load_explicit(&cpu->reschedule, memory_order_relaxed) ||
		!scheduler_may_run(cpu->current, cpu);
}

void scheduler_yield(void)
{
	struct cpu *cpu = cpu_self();

	// Who becomes ready just now comes later.
	if (list_is_empty(&cpu->run_queue.queues[cpu->current->priority]))
		return;
	cpu->slice_end = GIVEN_UP;
	cpu_set_reschedule(cpu);
}

void scheduler_reschedule(struct cpu *cpu)
{
	cpu_set_reschedule(cpu);
	if (cpu != cpu_self())
		arch_ipi_send(cpu);
}

void scheduler_poke(struct thread *thread)
{
	struct cpu *cpu;

	// What the thread is to find was written before: a CPU that it comes to from now on finds it.
	atomic_thread_fence(memory_order_seq_cst);
	cpu = &cpus[__atomic_load_n(&thread->cpu, __ATOMIC_RELAXED)];
	cpu_set_work(cpu);
	if (cpu != cpu_self() && atomic_load(&thread->on_cpu))
		arch_ipi_send(cpu);
}

// Each trap_exit is a quiescent moment of its CPU before it looks whether the thread may go on.
void scheduler_poke_and_wait(struct thread *thread)
{
	struct cpu *cpu;
	uint64_t seen;

	atomic_thread_fence(memory_order_seq_cst);
	cpu = &cpus[__atomic_load_n(&thread->cpu, __ATOMIC_RELAXED)];
	seen = atomic_load(&cpu->quiescent);
	scheduler_poke(thread);
	while (cpu != cpu_self() && atomic_load(&thread->on_cpu) && atomic_load(&cpu->quiescent) == seen)
		preemption_point();
}

void scheduler_update(struct thread *thread)
{
	bool queued;

	ASSERT_LOCK_HELD(&thread->lock);
	atomic_thread_fence(memory_order_seq_cst);
	queued = scheduler_dequeue(thread);
	thread->priority = loan_follow(thread).priority;
	if (queued)
		scheduler_enqueue(thread);
	if (!scheduler_may_run(thread, &cpus[thread->cpu]))
		thread_hinder(thread, HINDRANCE_AFFINITY);
	cpu_set_reschedule(&cpus[thread->cpu]);
	scheduler_poke(thread);
}

bool scheduler_set_priority(struct thread *thread, uint8_t own, uint8_t inherited)
{
	uint8_t base = own > inherited ? own : inherited;
	bool changes = base != thread->base_priority;

	ASSERT_LOCK_HELD(&thread->lock);
	thread->own_priority = own;
	thread->inherited_priority = inherited;
	if (changes) {
		__atomic_store_n(&thread->base_priority, base, __ATOMIC_RELAXED);
		scheduler_update(thread);
	}
	return changes;
}

// --- Time

// Whether the end of the current thread's slice means anything.
static bool slice_matters(const struct cpu *cpu)
{
	if (cpu->current == cpu->idle || cpu->run_queue.count == 0)
		return false;
	return cpu_count > 1 || run_queue_best(&cpu->run_queue) >= cpu->current->priority;
}

static uint64_t next_deadline(const struct cpu *cpu)
{
	uint64_t deadline = timeout_next();

	if (slice_matters(cpu) && cpu->slice_end < deadline)
		deadline = cpu->slice_end;
	if (cpu->budget_end < deadline)
		deadline = cpu->budget_end;
	return deadline;
}

void scheduler_program_timer(void)
{
	struct cpu *cpu = cpu_self();
	uint64_t deadline;

	// Most often it is set early enough for whatever may come.
	if (cpu->slice_end >= cpu->timer_deadline && timeout_next() >= cpu->timer_deadline &&
		cpu->budget_end >= cpu->timer_deadline)
		return;
	deadline = next_deadline(cpu);
	// A timer that is set too early finds nothing to do and is set again.
	if (deadline >= cpu->timer_deadline)
		return;
	cpu->timer_deadline = deadline;
	arch_timer_set(deadline);
}

// Whoever sent it looked at what was current then; the fast path, which found the queue empty, may have gone over to a
// thread of lower priority since.
void scheduler_ipi(void)
{
	struct cpu *cpu = cpu_self();

	if (run_queue_best(&cpu->run_queue) > cpu->current->priority)
		cpu_set_reschedule(cpu);
	scheduler_program_timer();
}

void scheduler_timer(uint64_t now)
{
	struct cpu *cpu = cpu_self();

	if (cpu->budget_end <= now) {
		spin_lock(&cpu->run_queue.lock);
		set_budget_end(cpu, charge(cpu, now), now);
		spin_unlock(&cpu->run_queue.lock);
	}
	if (slice_matters(cpu) && cpu->slice_end <= now) {
		if (run_queue_best(&cpu->run_queue) >= cpu->current->priority)
			cpu_set_reschedule(cpu);
		else
			cpu->slice_end = now + SLICE_NANOSECONDS;
		if (cpu_count > 1)
			scheduler_wake_idle();
	}
	cpu->timer_deadline = next_deadline(cpu);
	// It has just fired: where nobody rescheduled it yet, a slice that is over must not make it fire
	// again at once.
	if (atomic_load(&cpu->reschedule))
		cpu->timer_deadline = timeout_next();
	arch_timer_set(cpu->timer_deadline);
}

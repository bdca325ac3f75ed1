// SPDX-License-Identifier: MIT
//
// The scheduler's races, each at the one moment that matters: what another CPU does in between is done by what is called just then.

#include "core_machine.h"
#include <arch/mmu.h>
#include <arch/thread.h>
#include <kernel/account.h>
#include <kernel/address_space.h>
#include <kernel/cpu.h>
#include <kernel/crash.h>
#include <kernel/ipc.h>
#include <kernel/loan.h>
#include <kernel/log.h>
#include <kernel/panic.h>
#include <kernel/process.h>
#include <kernel/scheduler.h>
#include <kernel/scheduling_context.h>
#include <kernel/syscall.h>
#include <kernel/trap.h>
#include <stdlib.h>

#define CLIENT 30
#define MEDIUM 20
#define SERVER 10
#define BOTH   3 // CPUs

static struct thread idle[2], servers[200], client, other;
static struct scheduling_context context;
static void (*when_charged)(void), (*at_preemption_point)(void);
static unsigned enforced_on[2];

// --- What the scheduler and trap_exit call

uint64_t scheduling_context_charge(struct scheduling_context *charged, uint64_t used, uint64_t now)
{
	void (*then)(void) = when_charged;

	CHECK(charged == &context && used <= now);
	when_charged = NULL;
	if (then)
		then();
	return BUDGET_UNLIMITED;
}

void preemption_point(void)
{
	CHECK(spin_none_held());
	if (at_preemption_point)
		at_preemption_point();
}

void cpu_note_quiescent(void)
{
	host_cpu->quiescent++;
}

void scheduling_context_enforce(void)
{
	enforced_on[host_cpu->index]++;
	host_cpu->out_of_budget = false;
}

void address_space_switch(struct address_space *space)
{
	(void)space;
}

struct address_space *thread_space(const struct thread *thread)
{
	(void)thread;
	return NULL;
}

void arch_fpu_release(struct arch_thread *thread)
{
	(void)thread;
}

// The next thread finishes the switch: here that is the rest of scheduler_switch.
void arch_context_switch(struct arch_thread *previous, struct arch_thread *next)
{
	CHECK(previous != next);
}

bool log_watcher_due(void)
{
	return false;
}

bool panic_is_under_way(void)
{
	return false;
}

// --- What is not called here

void thread_resume_user(void)
{
	abort();
}

void syscall_dispatch(void)
{
	abort();
}

enum fault_kind address_space_fault(struct address_space *space, vaddr_t address, enum fault_access access)
{
	(void)space;
	(void)address;
	(void)access;
	abort();
}

bool ipc_send_fault(const struct fault *fault)
{
	(void)fault;
	abort();
}

bool ipc_ask_pager(const struct fault *fault)
{
	(void)fault;
	abort();
}

void crash_log(const struct thread *thread, const struct fault *fault)
{
	(void)thread;
	(void)fault;
	abort();
}

bool process_terminate(struct process *process, enum exit_reason reason, uint64_t status)
{
	(void)process;
	(void)reason;
	(void)status;
	abort();
}

void guest_exit_fault(struct thread *thread, const struct fault *fault)
{
	(void)thread;
	(void)fault;
	abort();
}

void guest_exit_kicked(struct thread *thread)
{
	(void)thread;
	abort();
}

void thread_exit_current(void)
{
	abort();
}

void thread_park_current(void)
{
	abort();
}

void log_signal_watcher(void)
{
	abort();
}

void interrupt_raise(uint32_t line)
{
	(void)line;
	abort();
}

// --- Threads

static void make(struct thread *thread, uint8_t priority, enum thread_state state)
{
	*thread = (struct thread){.priority = priority, .base_priority = priority, .affinity = BOTH};
	spin_init(&thread->lock, RANK_THREAD);
	list_init(&thread->run_link);
	thread->object.references = 1;
	thread->timeout.deadline = DEADLINE_NEVER;
	atomic_store(&thread->state, state);
}

// CPU 0 runs its idle thread, CPU 1 too, and nobody is ready.
static void begin(void)
{
	for (unsigned i = 0; i < 2; i++) {
		struct cpu *cpu = &cpus[i];

		make(&idle[i], 0, THREAD_RUNNING);
		idle[i].cpu = (uint16_t)i;
		cpu->run_queue = (struct run_queue){.count = 0};
		run_queue_init(&cpu->run_queue);
		cpu->idle = cpu->current = cpu->payer = &idle[i];
		cpu->budget_end = cpu->timer_deadline = DEADLINE_NEVER;
		cpu->out_of_budget = false;
		cpu->direct_calls = direct_calls_limit;
		atomic_store(&cpu->reschedule, false);
		atomic_store(&cpu->work, 0);
		enforced_on[i] = 0;
	}
	when_charged = NULL;
	at_preemption_point = NULL;
	host_cpu = &cpus[0];
}

static void put_ready(struct thread *thread)
{
	uint64_t word = atomic_load(&thread->state);

	atomic_store(&thread->state, (word & ~(uint64_t)0xff) | THREAD_READY);
	scheduler_enqueue(thread);
}

// Makes a thread run on CPU 0.
static void run(struct thread *thread)
{
	put_ready(thread);
	scheduler_switch();
	CHECK(cpus[0].current == thread && cpus[0].payer == thread);
}

// A server that is ready, and works for a client that waits.
static void serve(struct thread *server)
{
	make(server, SERVER, THREAD_READY);
	server->caller = (struct caller){
		.thread = &client, .wait_number = atomic_load(&client.state), .loans = 1};
	scheduler_enqueue(server);
}

// On CPU 1 the client's wait ends without an answer.
static void end_wait(void)
{
	host_cpu = &cpus[1];
	CHECK(thread_claim(&client));
	loan_recall(&client);
	host_cpu = &cpus[0];
}

// --- Tests

// A wait ends just when a CPU turns to the server that worked on its time.
static void recall_before_the_payer_is_said(void)
{
	begin();
	make(&other, CLIENT + 1, THREAD_READY);
	other.context = &context;
	run(&other);
	make(&client, CLIENT, THREAD_BLOCKED);
	serve(&servers[0]);
	make(&servers[1], MEDIUM, THREAD_READY);
	scheduler_enqueue(&servers[1]);
	// The other one waits. What it has used is charged after its successor was found, and before that one's payer is said.
	atomic_store(&other.state, THREAD_BLOCKED);
	cpus[0].blocked = true;
	when_charged = end_wait;
	scheduler_switch();
	CHECK(when_charged == NULL && thread_get_state(&client) == THREAD_READY);
	CHECK(cpus[0].current == &servers[0] && cpus[0].payer == &servers[0]);
	CHECK(atomic_load(&cpus[0].reschedule) && atomic_load(&cpus[0].work) != 0);
	scheduler_switch();
	CHECK(cpus[0].current == &servers[1] && cpus[0].payer == &servers[1]);
	CHECK(!atomic_load(&cpus[0].reschedule) && servers[0].priority == SERVER);
}

// The same, after it: then whoever recalls the loan finds the CPU.
static void recall_after_the_payer_was_said(void)
{
	begin();
	make(&client, CLIENT, THREAD_BLOCKED);
	serve(&servers[0]);
	scheduler_switch();
	CHECK(cpus[0].current == &servers[0] && cpus[0].payer == &client);
	CHECK(!atomic_load(&cpus[0].reschedule));
	end_wait();
	CHECK(atomic_load(&cpus[0].reschedule) && cpus[0].ipis > 0);
}

// Whoever made a thread ready found a server of high priority running, which has answered its client since.
static void interrupt_by_one_who_came_before_an_answer(void)
{
	begin();
	make(&other, CLIENT + 2, THREAD_READY);
	run(&other);
	make(&client, CLIENT, THREAD_RUNNING);
	make(&servers[0], CLIENT + 1, THREAD_READY);
	host_cpu = &cpus[1];
	scheduler_enqueue(&servers[0]);
	host_cpu = &cpus[0];
	trap_ipi();
	CHECK(!atomic_load(&cpus[0].reschedule));
	cpus[0].current = &client;
	trap_ipi();
	CHECK(atomic_load(&cpus[0].reschedule) && atomic_load(&cpus[0].work) != 0);
}

// A thread may not run any more where it is queued, and nobody has moved it: it runs no user instruction there.
static void affinity_of_a_queued_thread(void)
{
	begin();
	make(&other, CLIENT, THREAD_READY);
	scheduler_enqueue(&other);
	other.affinity = 2;
	thread_hinder(&other, HINDRANCE_AFFINITY);
	// Whoever switches has cleared it first.
	atomic_store(&cpus[0].work, 0);
	scheduler_switch();
	CHECK(cpus[0].current == &other && cpus[0].run_queue.count == 0);
	trap_exit_switched();
	CHECK(cpus[0].current == &idle[0] && cpus[1].run_queue.count == 1 && other.cpu == 1);
	// There it has no hindrance.
	host_cpu = &cpus[1];
	scheduler_switch();
	CHECK(cpus[1].current == &other && atomic_load(&other.hindrances) == 0);
}

static void move_to_cpu_1(void)
{
	cpus[0].current = &idle[0];
	host_cpu = &cpus[1];
	host_cpu->current = &other;
	host_cpu->out_of_budget = true;
}

// While trap_exit buries objects the thread moves to another CPU, where there is no budget left.
static void move_while_objects_are_reaped(void)
{
	struct test_object *object;

	begin();
	make(&other, CLIENT, THREAD_READY);
	run(&other);
	object = make_object(OBJECT_TIMER, &root_account);
	object_put(&object->object);
	at_preemption_point = move_to_cpu_1;
	trap_exit();
	CHECK(enforced_on[0] == 0 && enforced_on[1] == 1 && test_objects_alive == 0);
}

// Very many threads lose their priority at once: each switch has to look at some of them only, and all get their place.
static void many_demotions(void)
{
	const unsigned count = sizeof(servers) / sizeof(servers[0]);
	unsigned switches = 1, left = count;

	begin();
	make(&client, CLIENT, THREAD_BLOCKED);
	for (unsigned i = 0; i < count; i++)
		serve(&servers[i]);
	CHECK(run_queue_best(&cpus[0].run_queue) == CLIENT);
	end_wait();
	for (scheduler_switch(); cpus[0].current == cpus[0].idle; scheduler_switch()) {
		unsigned now = 0;

		for (unsigned i = 0; i < count; i++)
			now += servers[i].run_priority == CLIENT;
		CHECK(now < left && left - now <= 64 && cpus[0].reschedule);
		left = now;
		CHECK(++switches <= count);
	}
	CHECK(left <= 64 && cpus[0].current == &servers[0] && servers[0].priority == SERVER);
	CHECK(cpus[0].run_queue.count == count - 1 && run_queue_best(&cpus[0].run_queue) == SERVER);
}

int main(void)
{
	core_machine_start(2);
	recall_before_the_payer_is_said();
	recall_after_the_payer_was_said();
	interrupt_by_one_who_came_before_an_answer();
	affinity_of_a_queued_thread();
	move_while_objects_are_reaped();
	many_demotions();
	return 0;
}

// SPDX-License-Identifier: MIT
//
// Concurrent code of the core, each host thread a CPU: all of them derive, close and revoke the same capabilities,
// end the same waits, wait and wake at the same words, and take threads out of each other's run queues.

#include "core_machine.h"
#include "on_cpus.h"
#include <kernel/account.h>
#include <kernel/address_space.h>
#include <kernel/capability.h>
#include <kernel/cpu.h>
#include <kernel/frame.h>
#include <kernel/ipc.h>
#include <kernel/scheduler.h>
#include <kernel/syscall.h>
#include <stdlib.h>

#define CPUS   4
#define ROUNDS 20000
#define KEPT   16

static _Atomic bool finished;

static struct capability_table *table_of(unsigned cpu)
{
	return &core_machine_thread(cpu)->process->table;
}

// --- Capabilities

static handle_t first_handles[CPUS];

// Derives one from another CPU's first capability.
static handle_t derive_from(unsigned other, unsigned cpu)
{
	struct capability found;
	handle_t handle = HANDLE_NONE;

	if (capability_lookup_in(table_of(other), first_handles[other], OBJECT_MEMORY, 0, &found) != ERR_OK ||
		capability_hold(table_of(other), first_handles[other], &found) != ERR_OK)
		return HANDLE_NONE;
	if (capability_reserve(table_of(cpu), &handle) == ERR_OK &&
		!capability_derive(table_of(cpu), handle, &found, found.rights, 0))
		handle = HANDLE_NONE;
	object_put(found.object);
	return handle;
}

static void use_capabilities(unsigned cpu, unsigned *seed)
{
	handle_t kept[KEPT] = {0};

	for (unsigned i = 0; i < ROUNDS; i++) {
		handle_t *place = &kept[(unsigned)rand_r(seed) % KEPT];

		if (*place)
			capability_close(table_of(cpu), *place); // or it has been revoked
		*place = derive_from((unsigned)rand_r(seed) % CPUS, cpu);
		if (rand_r(seed) % 64 == 0)
			capability_revoke(table_of(cpu), first_handles[cpu]);
		object_reap();
		atomic_fetch_add(&host_cpu->quiescent, 1);
	}
	for (unsigned i = 0; i < KEPT; i++)
		capability_close(table_of(cpu), kept[i]);
}

static void test_capabilities(void)
{
	struct test_object *object = make_object(OBJECT_MEMORY, &root_account);

	for (unsigned i = 0; i < CPUS; i++) {
		CHECK(capability_reserve(table_of(i), &first_handles[i]) == ERR_OK);
		capability_install(table_of(i), first_handles[i], &object->object, RIGHTS_ALL);
	}
	on_cpus(CPUS, use_capabilities);
	CHECK(object->capabilities == CPUS);
	for (unsigned i = 0; i < CPUS; i++) {
		CHECK(table_of(i)->used == 1);
		capability_close(table_of(i), first_handles[i]);
	}
	CHECK(object->capabilities == 0);
	object_put(&object->object);
}

// --- Handles of a slot whose generation goes on: the next one, which nobody has been given, names nothing

static struct test_object *tenants[2]; // of even and of odd generations
static _Atomic handle_t given;

static void follow_generations(unsigned cpu, unsigned *seed)
{
	struct capability found;

	(void)seed;
	for (unsigned i = 0; cpu == 0 && i < ROUNDS; i++) {
		handle_t handle;

		CHECK(capability_reserve(table_of(0), &handle) == ERR_OK);
		capability_install(table_of(0), handle, &tenants[handle >> 32 & 1]->object, RIGHTS_ALL);
		atomic_store(&given, handle);
		CHECK(capability_close(table_of(0), handle) == ERR_OK);
	}
	while (cpu != 0 && !atomic_load(&finished)) {
		handle_t handle = atomic_load(&given) + ((handle_t)(cpu - 1) << 32);

		if (capability_read(table_of(0), handle, &found) == ERR_OK)
			CHECK(found.object == &tenants[handle >> 32 & 1]->object);
	}
	if (cpu == 0)
		atomic_store(&finished, true);
}

static void test_generations(void)
{
	for (unsigned i = 0; i < 2; i++)
		tenants[i] = make_object(OBJECT_MEMORY, &root_account);
	on_cpus(CPUS, follow_generations);
	atomic_store(&finished, false);
	for (unsigned i = 0; i < 2; i++)
		object_put(&tenants[i]->object);
}

// --- Waits: the thread of CPU 0 waits, and all race to end it

static const struct wait_operations operations = {"test", NULL, NULL};
static _Atomic uint64_t present; // number of the wait
static _Atomic unsigned ended;   // waits

static void end_wait(unsigned *seed)
{
	struct thread *waiter = core_machine_thread(0);

	if (rand_r(seed) % 2) {
		if (thread_abort_wait(waiter, ERR_CANCELLED))
			atomic_fetch_add(&ended, 1);
	} else if (thread_claim_wait(waiter, atomic_load(&present))) {
		thread_wake_with(waiter, ERR_OK, 0);
		atomic_fetch_add(&ended, 1);
	}
}

static void wait_and_end(unsigned cpu, unsigned *seed)
{
	unsigned timed_out = 0;

	while (cpu != 0 && !atomic_load(&finished)) {
		end_wait(seed);
		arch_cpu_relax();
	}
	for (unsigned i = 0; cpu == 0 && i < ROUNDS; i++) {
		struct thread *self = host_cpu->current;

		atomic_store(&present,
			thread_prepare_wait(
				&operations, NULL, THREAD_BLOCKED, rand_r(seed) % 2 ? 1 : DEADLINE_NEVER));
		while (!core_machine_runs()) {
			arch_cpu_relax();
			if (rand_r(seed) % 4 == 0)
				timeout_run(1);
		}
		CHECK(atomic_load(&self->timeout.queue) == NULL);
		timed_out += self->arch.result.error == ERR_TIMED_OUT;
	}
	if (cpu == 0) {
		atomic_fetch_add(&ended, timed_out);
		atomic_store(&finished, true);
	}
}

static void test_waits(void)
{
	on_cpus(CPUS, wait_and_end);
	CHECK(ended == ROUNDS);
}

// --- Futexes: each waits, wakes others and moves them to another word

static uint32_t words[4];

enum error address_space_futex_key(
	struct address_space *space, vaddr_t address, uint64_t access, struct futex_key *key, paddr_t *frame)
{
	(void)space;
	(void)access;
	*key = (struct futex_key){.object_id = 1, .offset = address};
	if (frame)
		*frame = address & ~(vaddr_t)(PAGE_SIZE - 1);
	return ERR_OK;
}

void frame_unpin(paddr_t frame)
{
	(void)frame;
}

static void wait_and_wake(unsigned cpu, unsigned *seed)
{
	struct thread *self = core_machine_thread(cpu);

	for (unsigned i = 0; i < ROUNDS || !core_machine_runs(); i++) {
		uintptr_t word = (uintptr_t)&words[(unsigned)rand_r(seed) % 4];

		switch (rand_r(seed) % 4) {
		case 0:
			if (i < ROUNDS && core_machine_runs())
				sys_futex_wait(HANDLE_SELF, word, 0, DEADLINE_NEVER);
			break;
		case 1:
			sys_futex_wake(HANDLE_SELF, word, 1);
			break;
		case 2:
			sys_futex_requeue(HANDLE_SELF, word, 0, 1, (uintptr_t)&words[0], 2);
			break;
		default:
			thread_abort_wait(self, ERR_TIMED_OUT);
		}
	}
}

// --- Futexes with owners: each waits for others, hands over, ends as far as futexes know, and changes its priority

static uint32_t owned_words[3];

enum error thread_lookup(handle_t handle, rights_t needed, struct thread **thread)
{
	(void)needed;
	*thread = core_machine_thread((unsigned)handle);
	return ERR_OK;
}

bool scheduler_set_priority(struct thread *thread, uint8_t own, uint8_t inherited)
{
	uint8_t base = own > inherited ? own : inherited;
	bool changes = base != thread->base_priority;

	CHECK(spin_is_held(&thread->lock));
	thread->own_priority = own;
	thread->inherited_priority = inherited;
	__atomic_store_n(&thread->base_priority, base, __ATOMIC_RELAXED);
	return changes;
}

void ipc_priority_changed(struct thread *thread)
{
	(void)thread;
}

static void change_priority(struct thread *thread, unsigned *seed)
{
	bool changed;

	spin_lock(&thread->lock);
	changed = scheduler_set_priority(thread, (uint8_t)(1 + rand_r(seed) % 9), thread->inherited_priority);
	spin_unlock(&thread->lock);
	if (changed)
		futex_priority_changed(thread);
}

static void own_and_wait(unsigned cpu, unsigned *seed)
{
	struct thread *self = core_machine_thread(cpu);

	for (unsigned i = 0; i < ROUNDS || !core_machine_runs(); i++) {
		uint32_t *word = &owned_words[(unsigned)rand_r(seed) % 3];
		uint32_t value = __atomic_load_n(word, __ATOMIC_RELAXED);
		unsigned other = (unsigned)rand_r(seed) % CPUS;

		switch (rand_r(seed) % 5) {
		case 0:
			if (i < ROUNDS && core_machine_runs())
				sys_futex_wait_owned(
					HANDLE_SELF, (uintptr_t)word, value, other, cpu, DEADLINE_NEVER);
			break;
		case 1:
			sys_futex_hand_over(HANDLE_SELF, (uintptr_t)word, value, 0);
			break;
		case 2:
			futex_thread_exit(core_machine_thread(other));
			break;
		case 3:
			change_priority(core_machine_thread(other), seed);
			break;
		default:
			thread_abort_wait(self, ERR_TIMED_OUT);
		}
	}
}

static void test_owners(void)
{
	on_cpus(CPUS, own_and_wait);
	for (unsigned i = 0; i < CPUS; i++) {
		const struct thread *thread = core_machine_thread(i);

		CHECK(thread->inheritance.owned == NULL && thread->inherited_priority == 0);
		CHECK(thread->base_priority == thread->own_priority);
		CHECK(!priority_list_contains(&thread->inheritance.waiter));
		CHECK(list_is_empty(&thread->inheritance.unsettled));
	}
}

// --- Run queues

#define READY 32

static struct thread ready[READY];

static void take_and_give(unsigned cpu, unsigned *seed)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct run_queue *from = &cpus[(unsigned)rand_r(seed) % CPUS].run_queue,
				 *to = &cpus[cpu].run_queue;
		struct thread *thread = NULL;
		int best;

		spin_lock(&from->lock);
		best = run_queue_best(from);
		if (best >= 0) {
			thread = run_queue_first(from, best);
			run_queue_remove(from, thread);
		}
		spin_unlock(&from->lock);
		if (thread == NULL)
			continue;
		thread->priority = (uint8_t)rand_r(seed);
		thread->cpu = cpu;
		spin_lock(&to->lock);
		run_queue_insert(to, thread, rand_r(seed) % 2);
		spin_unlock(&to->lock);
	}
}

static void test_run_queues(void)
{
	unsigned count = 0;

	spin_lock(&cpus[0].run_queue.lock);
	for (unsigned i = 0; i < READY; i++) {
		list_init(&ready[i].run_link);
		run_queue_insert(&cpus[0].run_queue, &ready[i], false);
	}
	spin_unlock(&cpus[0].run_queue.lock);
	on_cpus(CPUS, take_and_give);
	for (unsigned i = 0; i < CPUS; i++)
		count += cpus[i].run_queue.count;
	CHECK(count == READY);
}

int main(void)
{
	core_machine_start(CPUS);
	core_machine_make_threads();
	futex_init();
	test_capabilities();
	test_generations();
	test_waits();
	on_cpus(CPUS, wait_and_wake);
	test_owners();
	test_run_queues();
	return 0;
}

// SPDX-License-Identifier: MIT
//
// What unit tests of the core stand on: see core_machine.h.

#include "core_machine.h"
#include <kernel/account.h>
#include <kernel/address_space.h>
#include <kernel/cache.h>
#include <kernel/cpu.h>
#include <kernel/frame.h>
#include <kernel/ipc.h>
#include <kernel/scheduler.h>
#include <kernel/syscall.h>
#include <stdlib.h>
#include <string.h>

struct cpu cpus[ARCH_CPU_MAX];
unsigned cpu_count;
_Atomic unsigned test_objects_alive;
_Atomic uint64_t frames_left = UINT64_MAX;
struct thread *_Atomic woken[ARCH_CPU_MAX];

void core_machine_start(unsigned count)
{
	static struct thread thread;
	static struct process process;

	cpu_count = count;
	for (unsigned i = 0; i < count; i++) {
		cpus[i].index = i;
		cpus[i].online = true;
		cpus[i].current = &thread;
		timeout_queue_init(&cpus[i].timeouts);
		run_queue_init(&cpus[i].run_queue);
	}
	host_cpu = &cpus[0];
	thread.process = &process;
	atomic_store(&thread.state, THREAD_RUNNING);
	CHECK(capability_table_init(&process.table, &root_account));
}

// --- A thread for each CPU

static struct thread *_Atomic threads[ARCH_CPU_MAX];
static struct process processes[ARCH_CPU_MAX];

static void time_out(struct timeout *timeout)
{
	thread_abort_wait(container_of(timeout, struct thread, timeout), ERR_TIMED_OUT);
}

void core_machine_run_thread(unsigned cpu, struct core_machine_thread *made)
{
	struct thread *thread = &made->thread;

	thread->process = &processes[cpu];
	thread->arch.frame = &made->frame;
	thread->message_buffer = &made->message_buffer;
	thread->timeout.deadline = DEADLINE_NEVER;
	thread->timeout.expire = time_out;
	thread->cpu = cpu;
	atomic_store(&thread->on_cpu, true); // it stays there
	spin_init(&thread->lock, RANK_THREAD);
	list_init(&thread->wait_link);
	list_init(&thread->inheritance.unsettled);
	derivation_init_alone(&thread->queued);
	binding_init(&thread->answer_watch);
	atomic_store(&thread->state, THREAD_RUNNING);
	cpus[cpu].current = thread;
	atomic_store(&threads[cpu], thread);
}

void core_machine_make_threads(void)
{
	for (unsigned i = 0; i < cpu_count; i++) {
		struct core_machine_thread *made = calloc(1, sizeof(*made));

		CHECK(capability_table_init(&processes[i].table, &root_account));
		processes[i].account = &root_account;
		made->thread.object.type = OBJECT_THREAD;
		made->thread.object.references = 1;
		core_machine_run_thread(i, made);
	}
}

struct thread *core_machine_thread(unsigned cpu)
{
	return atomic_load(&threads[cpu]);
}

bool core_machine_runs(void)
{
	struct thread *thread = host_cpu->current;

	if (!host_cpu->blocked)
		return true;
	if (atomic_exchange(&woken[host_cpu->index], NULL) != thread)
		return false;
	host_cpu->blocked = false;
	atomic_store(&thread->state, (atomic_load(&thread->state) & ~(uint64_t)0xff) | THREAD_RUNNING);
	return true;
}

// --- Memory

paddr_t frame_allocate_zeroed(void)
{
	void *frame;

	if (frames_left == 0)
		return PADDR_NONE;
	frames_left--;
	frame = aligned_alloc(PAGE_SIZE, PAGE_SIZE);
	CHECK(frame != NULL);
	memset(frame, 0, PAGE_SIZE);
	return (paddr_t)(uintptr_t)frame;
}

void frame_release(paddr_t frame)
{
	frames_left++;
	free((void *)(uintptr_t)frame);
}

void *cache_allocate(struct object_cache *cache)
{
	return calloc(1, cache->size);
}

void cache_free(struct object_cache *cache, void *object)
{
	(void)cache;
	free(object);
}

// --- Objects that count

static struct object_cache test_cache = OBJECT_CACHE_INITIALIZER(test_cache, "test", struct test_object);

static struct test_object *test_object_of(struct object *object)
{
	return container_of(object, struct test_object, object);
}

static void added(struct object *object, rights_t rights)
{
	test_object_of(object)->capabilities++;
	test_object_of(object)->with_receive += (rights & RIGHT_RECEIVE) != 0;
}

static void removed(struct object *object, rights_t rights)
{
	test_object_of(object)->capabilities--;
	test_object_of(object)->with_receive -= (rights & RIGHT_RECEIVE) != 0;
}

static void revoke_kept(const struct capability *revoked)
{
	struct derivation *first;

	spin_lock(&revoked->object->derivation_lock);
	first = capability_first_derived(revoked);
	CHECK(first != NULL && first->table == NULL);
	derivation_remove(first);
	spin_unlock(&revoked->object->derivation_lock);
}

static void destroy(struct object *object)
{
	CHECK(test_object_of(object)->capabilities == 0 && test_object_of(object)->with_receive == 0);
	test_objects_alive--;
}

// Weak: a test of a type brings the real ones.
#define TEST_OPERATIONS                                                                        \
	{                                                                                      \
		.name = "test", .cache = &test_cache, .capability_added = added,               \
		.capability_removed = removed, .revoke_kept = revoke_kept, .destroy = destroy, \
	}

__attribute__((weak)) const struct object_operations process_operations = TEST_OPERATIONS;
__attribute__((weak)) const struct object_operations thread_operations = TEST_OPERATIONS;
__attribute__((weak)) const struct object_operations address_space_operations = TEST_OPERATIONS;
__attribute__((weak)) const struct object_operations memory_operations = TEST_OPERATIONS;
__attribute__((weak)) const struct object_operations endpoint_operations = TEST_OPERATIONS;
__attribute__((weak)) const struct object_operations reply_operations = TEST_OPERATIONS;
__attribute__((weak)) const struct object_operations notification_operations = TEST_OPERATIONS;
__attribute__((weak)) const struct object_operations interrupt_operations = TEST_OPERATIONS;
__attribute__((weak)) const struct object_operations timer_operations = TEST_OPERATIONS;
__attribute__((weak)) const struct object_operations resource_operations = TEST_OPERATIONS;
__attribute__((weak)) const struct object_operations scheduling_context_operations = TEST_OPERATIONS;

// That of endpoints.
__attribute__((weak)) const struct wait_operations ipc_answer_wait;

struct test_object *make_object(enum object_type type, struct account *account)
{
	struct test_object *object = object_create(type, account);

	if (object)
		test_objects_alive++;
	return object;
}

// --- The rest of the core. Weak: a test of the scheduler, or of guests, brings the real ones.

__attribute__((weak)) void preemption_point(void)
{
	CHECK(spin_none_held());
}

// Weak: a test may do something while a CPU waits.
__attribute__((weak)) void tlb_shootdown_ipi(void)
{
}

__attribute__((weak)) void scheduler_program_timer(void)
{
	uint64_t deadline = timeout_next();

	if (deadline < host_cpu->timer_deadline)
		host_cpu->timer_deadline = deadline;
}

__attribute__((weak)) void scheduler_enqueue(struct thread *thread)
{
	CHECK(thread_get_state(thread) == THREAD_READY);
	atomic_store(&woken[thread->cpu], thread);
}

__attribute__((weak)) void guest_check_kick(struct thread *thread)
{
	(void)thread;
}

// Weak: a test of endpoints brings the real one.
__attribute__((weak)) void ipc_wait_in_list(struct thread *thread)
{
	(void)thread;
}

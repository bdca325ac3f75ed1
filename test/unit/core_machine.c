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
unsigned test_objects_alive;
uint64_t frames_left = UINT64_MAX;
struct thread *woken;

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

static void destroy(struct object *object)
{
	CHECK(test_object_of(object)->capabilities == 0 && test_object_of(object)->with_receive == 0);
	test_objects_alive--;
}

#define TEST_OPERATIONS                                                          \
	{                                                                        \
		.name = "test", .cache = &test_cache, .capability_added = added, \
		.capability_removed = removed, .destroy = destroy,               \
	}

const struct object_operations process_operations = TEST_OPERATIONS;
const struct object_operations thread_operations = TEST_OPERATIONS;
const struct object_operations address_space_operations = TEST_OPERATIONS;
const struct object_operations memory_operations = TEST_OPERATIONS;
const struct object_operations endpoint_operations = TEST_OPERATIONS;
const struct object_operations reply_operations = TEST_OPERATIONS;
const struct object_operations notification_operations = TEST_OPERATIONS;
const struct object_operations interrupt_operations = TEST_OPERATIONS;
const struct object_operations timer_operations = TEST_OPERATIONS;
const struct object_operations resource_operations = TEST_OPERATIONS;
const struct object_operations scheduling_context_operations = TEST_OPERATIONS;

struct test_object *make_object(enum object_type type, struct account *account)
{
	struct test_object *object = object_create(type, account);

	if (object)
		test_objects_alive++;
	return object;
}

// --- The rest of the core

void preemption_point(void)
{
	CHECK(spin_none_held());
}

void tlb_shootdown_ipi(void)
{
}

void scheduler_program_timer(void)
{
	uint64_t deadline = timeout_next();

	if (deadline < host_cpu->timer_deadline)
		host_cpu->timer_deadline = deadline;
}

void scheduler_enqueue(struct thread *thread)
{
	CHECK(thread_get_state(thread) == THREAD_READY);
	woken = thread;
}

void guest_check_kick(struct thread *thread)
{
	(void)thread;
}

enum error copy_to_user(void __user *destination, const void *source, size_t length)
{
	memcpy((void *)(uintptr_t)destination, source, length);
	return ERR_OK;
}

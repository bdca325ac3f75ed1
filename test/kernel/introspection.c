// SPDX-License-Identifier: MIT
//
// Looking into the whole system: processes, threads, CPUs, objects; and into the own table of handles.

#include "test.h"
#include <string.h>

#define CHILDREN 3

// --- Handles

TEST(introspection_handles)
{
	struct handle_info info, told;
	handle_t handle = HANDLE_NONE, endpoint, minted;
	bool seen = false, in_order = true;
	unsigned count = 0;
	struct process_info self;
	enum error error;

	REQUIRE_OK(endpoint_create(&endpoint));
	REQUIRE_OK(handle_mint(endpoint, RIGHT_SEND, 77, &minted));
	for (;;) {
		handle_t next;

		error = handle_next(handle, &info, &next);
		if (error != ERR_OK)
			break;
		in_order = in_order && (handle == HANDLE_NONE || (uint32_t)next > (uint32_t)handle);
		handle = next;
		count++;
		EXPECT_OK(handle_info(handle, &told));
		EXPECT(memcmp(&told, &info, sizeof(told)) == 0);
		if (handle == minted)
			seen = info.type == OBJECT_ENDPOINT && info.rights == RIGHT_SEND && info.badge == 77;
	}
	EXPECT_EQUAL(error, ERR_NOT_FOUND);
	EXPECT(seen && in_order);
	EXPECT_OK(process_info(HANDLE_SELF, &self));
	EXPECT_EQUAL(count, self.handle_count);
	// A closed handle still has its place in the order.
	EXPECT_OK(handle_close(minted));
	EXPECT(handle_next(minted, &info, &handle) != ERR_OK || (uint32_t)handle > (uint32_t)minted);
	handle_close(endpoint);
}

TEST(introspection_handles_end)
{
	struct handle_info info;
	handle_t next;

	EXPECT_OK(handle_next(HANDLE_NONE, &info, &next));
	EXPECT_ERROR(NOT_FOUND, handle_next(UINT32_MAX, &info, &next));
	EXPECT_ERROR(NOT_FOUND, handle_next(HANDLE_SELF, &info, &next));
	EXPECT_ERROR(NOT_FOUND, handle_next(((handle_t)1 << 32) + 70000, &info, &next));
}

// --- Processes and threads

// Finds a process by going through all. Ids must rise.
static bool find_process(uint64_t id, struct process_record *found)
{
	struct process_record record;
	uint64_t after = 0;
	bool seen = false;

	while (system_process(start_handle(START_SYSTEM), after, &record) == ERR_OK) {
		if (record.process.id <= after)
			return false;
		after = record.process.id;
		if (after == id) {
			*found = record;
			seen = true;
		}
	}
	return seen;
}

static uint64_t wait_for_signal(uint64_t unused)
{
	uint64_t bits;

	notification_wait(child_given[0], DEADLINE_NEVER, &bits);
	return unused;
}

TEST(introspection_processes)
{
	struct child children[CHILDREN];
	struct process_record record;
	struct process_info info;
	handle_t wake;

	REQUIRE_OK(notification_create(&wake));
	for (unsigned i = 0; i < CHILDREN; i++) {
		REQUIRE(child_start(&children[i], wait_for_signal, 0, &wake, 1));
		REQUIRE(wait_for_state(children[i].thread, THREAD_BLOCKED));
	}
	for (unsigned i = 0; i < CHILDREN; i++) {
		EXPECT_OK(process_info(children[i].process, &info));
		REQUIRE(find_process(info.id, &record));
		EXPECT(strcmp(record.process.name, info.name) == 0);
		EXPECT_EQUAL(record.process.state, PROCESS_RUNNING);
		EXPECT_EQUAL(record.process.thread_count, 1);
		EXPECT(record.process.handle_count >= 1 && record.process.pages_resident > 0);
		EXPECT(record.account_id != 0 && record.account.pages_used > 0);
		EXPECT(record.account.pages_used <= record.account.pages_limit);
	}
	for (unsigned i = 0; i < CHILDREN; i++) {
		EXPECT_OK(process_info(children[i].process, &info));
		EXPECT_OK(process_kill(children[i].process, 5));
		child_wait(&children[i]);
	}
	// The last one's handle is closed: it leaves the table as soon as its end is complete.
	for (unsigned i = 0; i < 1000 && find_process(info.id, &record); i++)
		thread_sleep(after(10 * MILLISECOND));
	EXPECT(!find_process(info.id, &record));
	handle_close(wake);
}

static uint64_t wait_here(void *notification)
{
	uint64_t bits;

	return notification_wait(*(handle_t *)notification, DEADLINE_NEVER, &bits);
}

TEST(introspection_threads)
{
	handle_t system = start_handle(START_SYSTEM), notification;
	struct thread_info info, told;
	struct process_info self;
	struct worker worker;
	uint64_t last = 0;
	unsigned count = 0;
	bool seen = false;

	REQUIRE_OK(notification_create(&notification));
	REQUIRE(worker_start(&worker, wait_here, &notification));
	REQUIRE(wait_for_state(worker.thread, THREAD_BLOCKED));
	EXPECT_OK(thread_info(worker.thread, &told));
	EXPECT(strcmp(told.waits_for, "notification") == 0);
	EXPECT_OK(process_info(HANDLE_SELF, &self));
	while (system_thread(system, self.id, last, &info) == ERR_OK) {
		EXPECT(info.id > last && info.process_id == self.id);
		last = info.id;
		count++;
		if (info.id == told.id)
			seen = info.state == THREAD_BLOCKED && info.priority == told.priority &&
				strcmp(info.name, told.name) == 0 &&
				strcmp(info.waits_for, "notification") == 0;
	}
	EXPECT(seen);
	EXPECT_EQUAL(count, self.thread_count);
	EXPECT_OK(notification_signal(notification, 1));
	EXPECT_EQUAL(worker_join(&worker), ERR_OK);
	EXPECT_ERROR(NOT_FOUND, system_thread(system, self.id, told.id - 1, &info));
	handle_close(notification);
}

static uint64_t sleep_until(void *deadline)
{
	return thread_sleep(*(uint64_t *)deadline);
}

TEST(introspection_wake_up_time_and_slice)
{
	uint64_t deadline = after(3600 * 1000 * MILLISECOND), longest = 0;
	struct thread_info info;
	struct worker worker;

	REQUIRE(worker_start(&worker, sleep_until, &deadline));
	REQUIRE(wait_for_state(worker.thread, THREAD_SLEEPING));
	EXPECT_OK(thread_info(worker.thread, &info));
	EXPECT_EQUAL(info.wake_time, deadline);
	EXPECT_OK(thread_kill(worker.thread, 9));
	EXPECT_EQUAL(worker_join(&worker), 9);
	// Each wait ends with a new slice, but it may be over whenever one looks.
	for (unsigned i = 0; i < 100; i++) {
		EXPECT_OK(thread_sleep(after(MILLISECOND / 10)));
		EXPECT_OK(thread_info(HANDLE_SELF, &info));
		EXPECT(info.slice_remaining <= 10 * MILLISECOND);
		longest = info.slice_remaining > longest ? info.slice_remaining : longest;
	}
	EXPECT(longest > 0);
	EXPECT_EQUAL(info.wake_time, DEADLINE_NEVER);
}

TEST(introspection_own_thread_waits_for_nothing)
{
	struct thread_info info;

	EXPECT_OK(thread_info(HANDLE_SELF, &info));
	EXPECT(info.state == THREAD_RUNNING && info.waits_for[0] == '\0');
}

// --- CPUs, locks, objects

TEST(introspection_cpus)
{
	handle_t system = start_handle(START_SYSTEM);
	struct cpu_info info;
	struct system_info whole;
	uint64_t online = 0, switches = 0;
	uint32_t index = 0;

	for (; system_cpu(system, index, &info) == ERR_OK; index++) {
		online += info.online;
		switches += info.context_switches;
	}
	EXPECT_ERROR(NOT_FOUND, system_cpu(system, index, &info));
	EXPECT_OK(system_info(system, &whole));
	EXPECT_EQUAL(online, whole.cpu_count);
	EXPECT(switches > 0 && switches <= whole.context_switches);
}

TEST(introspection_idle_time)
{
	handle_t system = start_handle(START_SYSTEM);
	struct cpu_info info;
	uint64_t idle_before = 0, idle_after = 0;

	for (uint32_t i = 0; system_cpu(system, i, &info) == ERR_OK; i++)
		idle_before += info.idle_time;
	thread_sleep(after(50 * MILLISECOND));
	for (uint32_t i = 0; system_cpu(system, i, &info) == ERR_OK; i++)
		idle_after += info.idle_time;
	EXPECT(idle_after > idle_before);
}

static uint64_t contend(void *stop)
{
	handle_t endpoint;

	while (!*(volatile bool *)stop)
		if (endpoint_create(&endpoint) == ERR_OK)
			handle_close(endpoint);
	return ERR_OK;
}

static uint64_t contended(enum lock_rank rank)
{
	struct cpu_info info;
	uint64_t sum = 0;

	for (uint32_t i = 0; system_cpu(start_handle(START_SYSTEM), i, &info) == ERR_OK; i++)
		sum += info.locks_contended[rank];
	return sum;
}

// The threads share one capability table, so its lock is contended where there are several CPUs, as soon as two of them run at
// once on a busy host too.
TEST(introspection_locks)
{
	uint64_t before = contended(RANK_CAPABILITY_TABLE), deadline;
	struct worker workers[CHILDREN];
	struct system_info system;
	volatile bool stop = false;

	EXPECT_OK(system_info(start_handle(START_SYSTEM), &system));
	for (unsigned i = 0; i < CHILDREN; i++)
		REQUIRE(worker_start(&workers[i], contend, (void *)&stop));
	deadline = after((system.cpu_count > 1 ? 60000 : 100) * MILLISECOND);
	while (contended(RANK_CAPABILITY_TABLE) == before && now() < deadline)
		thread_sleep(after(MILLISECOND));
	stop = true;
	for (unsigned i = 0; i < CHILDREN; i++)
		EXPECT_EQUAL(worker_join(&workers[i]), ERR_OK);
	if (system.cpu_count > 1)
		EXPECT(contended(RANK_CAPABILITY_TABLE) > before);
	else
		EXPECT_EQUAL(contended(RANK_CAPABILITY_TABLE), 0);
}

// Live objects of a type; also says whether the name is as wanted.
static uint64_t live_objects(uint32_t type, const char *name)
{
	struct object_type_info info = {0};

	EXPECT_OK(system_object_type(start_handle(START_SYSTEM), type, &info));
	EXPECT(strcmp(info.name, name) == 0);
	EXPECT(info.live == 0 || info.pages > 0);
	return info.live;
}

TEST(introspection_objects)
{
	handle_t system = start_handle(START_SYSTEM), endpoints[10];
	struct object_type_info info;
	uint64_t before = live_objects(OBJECT_ENDPOINT, "endpoint");

	for (unsigned i = 0; i < 10; i++)
		REQUIRE_OK(endpoint_create(&endpoints[i]));
	EXPECT(live_objects(OBJECT_ENDPOINT, "endpoint") >= before + 10);
	for (unsigned i = 0; i < 10; i++)
		handle_close(endpoints[i]);
	for (unsigned i = 0; i < 1000 && live_objects(OBJECT_ENDPOINT, "endpoint") > before; i++)
		thread_sleep(after(10 * MILLISECOND));
	EXPECT(live_objects(OBJECT_ENDPOINT, "endpoint") <= before);
	EXPECT(live_objects(OBJECT_PROCESS, "process") >= 2 && live_objects(OBJECT_THREAD, "thread") >= 2);
	EXPECT_ERROR(NOT_FOUND, system_object_type(system, OBJECT_NONE, &info));
	EXPECT_ERROR(NOT_FOUND, system_object_type(system, OBJECT_TYPE_COUNT, &info));
	EXPECT_ERROR(NOT_FOUND, system_object_type(system, UINT32_MAX, &info));
}

// --- Errors

TEST(introspection_finds_nothing)
{
	handle_t system = start_handle(START_SYSTEM);
	struct process_record record;
	struct thread_info thread;
	struct process_info self;
	struct cpu_info cpu;

	EXPECT_OK(system_process(system, 0, &record));
	EXPECT_OK(system_thread(system, record.process.id, 0, &thread));
	EXPECT_OK(system_cpu(system, 0, &cpu));
	EXPECT_ERROR(NOT_FOUND, system_process(system, UINT64_MAX, &record));
	EXPECT_ERROR(NOT_FOUND, system_thread(system, 0, 0, &thread));
	EXPECT_ERROR(NOT_FOUND, system_thread(system, UINT64_MAX, 0, &thread));
	EXPECT_OK(process_info(HANDLE_SELF, &self));
	EXPECT_ERROR(NOT_FOUND, system_thread(system, self.id, UINT64_MAX, &thread));
}

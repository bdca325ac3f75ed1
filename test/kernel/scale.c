// SPDX-License-Identifier: MIT
//
// Many at once: CPUs that work side by side without getting in each other's way, processes and threads by the hundred.

#include "test.h"
#include <elf.h>
#include <stdio.h>

#define CPUS_MAX     4
#define ROUND_TRIPS  10000
#define FAULT_ROUNDS 10
#define FAULT_PAGES  1000

// --- CPUs side by side

struct counts {
	uint64_t contended, ipis;
	uint64_t by_rank[RANK_COUNT];
};

static struct counts count_all(void)
{
	struct counts counts = {0};
	struct cpu_info info;

	for (uint32_t i = 0; system_cpu(start_handle(START_SYSTEM), i, &info) == ERR_OK; i++) {
		counts.ipis += info.ipis;
		for (unsigned rank = 0; rank < RANK_COUNT; rank++) {
			counts.by_rank[rank] += info.locks_contended[rank];
			counts.contended += info.locks_contended[rank];
		}
	}
	return counts;
}

static const char *rank_name(unsigned rank)
{
	static const char *const names[] = {
#define LOCK_RANK(name, text) text,
#include <tern/lock_ranks.def>
#undef LOCK_RANK
	};

	return names[rank];
}

// At most one contended lock and one interrupt between CPUs in a thousand operations.
static void expect_apart(const char *what, uint64_t operations, const struct counts *before)
{
	struct counts counts = count_all();
	uint64_t contended = counts.contended - before->contended, ipis = counts.ipis - before->ipis;

	printf("# %llu %s: %llu contended locks, %llu interrupts between CPUs\n",
		(unsigned long long)operations, what, (unsigned long long)contended,
		(unsigned long long)ipis);
	for (unsigned rank = 0; rank < RANK_COUNT; rank++)
		if (counts.by_rank[rank] != before->by_rank[rank])
			printf("#   %s: %llu\n", rank_name(rank),
				(unsigned long long)(counts.by_rank[rank] - before->by_rank[rank]));
	EXPECT(contended * 1000 <= operations);
	EXPECT(ipis * 1000 <= operations);
}

static unsigned cpus_used(void)
{
	struct system_info info = {.cpu_count = 1};

	EXPECT_OK(system_info(start_handle(START_SYSTEM), &info));
	return info.cpu_count < CPUS_MAX ? (unsigned)info.cpu_count : CPUS_MAX;
}

enum given {
	GIVEN_GO,       // starts the work
	GIVEN_REPORT,   // tells that a child is ready, and again that it has done its work
	GIVEN_ENDPOINT, // of the pair
};

// What each child begins and ends its work with. `cpu` is its bit of the report as well.
static void wait_for_go(uint64_t cpu)
{
	uint64_t bits;

	thread_set_affinity(HANDLE_SELF, (uint64_t)1 << cpu);
	notification_signal(child_given[GIVEN_REPORT], (uint64_t)1 << cpu);
	notification_wait(child_given[GIVEN_GO], DEADLINE_NEVER, &bits);
}

static uint64_t end_work(uint64_t cpu)
{
	notification_signal(child_given[GIVEN_REPORT], (uint64_t)1 << cpu);
	thread_sleep(DEADLINE_NEVER);
	return 0;
}

static uint64_t serve_pair(uint64_t cpu)
{
	struct message message = {0};

	thread_set_affinity(HANDLE_SELF, (uint64_t)1 << cpu);
	endpoint_receive(child_given[GIVEN_ENDPOINT], &message);
	for (;;) {
		message.info = MESSAGE_INFO(0, 1, 0);
		if (endpoint_reply_receive(child_given[GIVEN_ENDPOINT], &message) != ERR_OK)
			return 1;
	}
}

static uint64_t call_pair(uint64_t cpu)
{
	struct message message;

	wait_for_go(cpu);
	for (unsigned i = 0; i < ROUND_TRIPS; i++) {
		message = (struct message){.info = MESSAGE_INFO(0, 1, 0), .words = {i}};
		if (endpoint_call(child_given[GIVEN_ENDPOINT], &message) != ERR_OK || message.words[0] != i)
			return 1;
	}
	return end_work(cpu);
}

static uint64_t touch_pages(uint64_t cpu)
{
	struct map_request request = {
		.length = FAULT_PAGES * PAGE_SIZE, .flags = MAPPING_READ | MAPPING_WRITE};
	uint64_t address;

	wait_for_go(cpu);
	for (unsigned round = 0; round < FAULT_ROUNDS; round++) {
		if (address_space_map(HANDLE_SELF, &request, &address) != ERR_OK)
			return 1;
		for (unsigned page = 0; page < FAULT_PAGES; page++)
			*(volatile uint64_t *)(address + page * PAGE_SIZE) = page;
		address_space_unmap(HANDLE_SELF, address, request.length);
	}
	return end_work(cpu);
}

// Waits for a report of each child; false after a time in which all must have got there.
static bool wait_for_all(handle_t report, unsigned children)
{
	uint64_t wanted = ((uint64_t)1 << children) - 1, seen = 0, bits,
		 deadline = after(60000 * MILLISECOND);

	while (seen != wanted && notification_wait(report, deadline, &bits) == ERR_OK)
		seen |= bits;
	return seen == wanted;
}

static void kill_child(struct child *child)
{
	EXPECT_OK(process_kill(child->process, 0));
	child_wait(child);
}

// Starts `function` in a process on each CPU, with its server where it has one, and counts while they work.
static void work_side_by_side(
	uint64_t (*function)(uint64_t cpu), bool has_server, const char *what, uint64_t operations)
{
	struct child workers[CPUS_MAX], servers[CPUS_MAX];
	handle_t go[CPUS_MAX], report, endpoint;
	unsigned cpus = cpus_used();
	struct counts before;

	REQUIRE_OK(notification_create(&report));
	for (unsigned cpu = 0; cpu < cpus; cpu++) {
		REQUIRE_OK(notification_create(&go[cpu]));
		REQUIRE_OK(endpoint_create(&endpoint));
		const handle_t given[] = {go[cpu], report, endpoint};

		REQUIRE(!has_server || child_start(&servers[cpu], serve_pair, cpu, given, 3));
		REQUIRE(child_start(&workers[cpu], function, cpu, given, 3));
		handle_close(endpoint);
	}
	EXPECT(wait_for_all(report, cpus));
	before = count_all();
	for (unsigned cpu = 0; cpu < cpus; cpu++)
		EXPECT_OK(notification_signal(go[cpu], 1));
	EXPECT(wait_for_all(report, cpus));
	expect_apart(what, operations * cpus, &before);
	for (unsigned cpu = 0; cpu < cpus; cpu++) {
		kill_child(&workers[cpu]);
		if (has_server)
			kill_child(&servers[cpu]);
		handle_close(go[cpu]);
	}
	handle_close(report);
}

TEST(scale_independent_pairs_do_not_contend)
{
	work_side_by_side(call_pair, true, "round trips", ROUND_TRIPS);
}

TEST(scale_page_faults_do_not_contend)
{
	work_side_by_side(touch_pages, false, "page faults", FAULT_ROUNDS * FAULT_PAGES);
}

// --- Many processes, many threads

#define PROCESSES    1024
#define THREADS      256
#define SEGMENTS_MAX 16

extern const Elf64_Ehdr __ehdr_start;

static const Elf64_Phdr *segment(unsigned index)
{
	return (const Elf64_Phdr *)((uintptr_t)&__ehdr_start + __ehdr_start.e_phoff) + index;
}

static uint64_t segment_address(unsigned index)
{
	return (uintptr_t)&__ehdr_start + segment(index)->p_vaddr;
}

// A memory object for each loaded segment of this program's image; they are shared by all the processes.
static bool make_segments(handle_t segments[SEGMENTS_MAX])
{
	for (unsigned i = 0; i < __ehdr_start.e_phnum && i < SEGMENTS_MAX; i++) {
		uint64_t skew = segment(i)->p_vaddr % PAGE_SIZE, size = segment(i)->p_memsz + skew;

		segments[i] = HANDLE_NONE;
		if (segment(i)->p_type != PT_LOAD || size == skew)
			continue;
		if (memory_create((size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1), 0, &segments[i]) != ERR_OK ||
			memory_write(segments[i], skew, (const void *)segment_address(i),
				segment(i)->p_memsz) != ERR_OK)
			return false;
	}
	return true;
}

static bool map_segments(handle_t space, const handle_t segments[SEGMENTS_MAX])
{
	bool mapped = true;

	for (unsigned i = 0; i < __ehdr_start.e_phnum && i < SEGMENTS_MAX; i++) {
		uint32_t flags = segment(i)->p_flags;
		struct map_request request = {
			.memory = segments[i],
			.address = segment_address(i) & ~(uint64_t)(PAGE_SIZE - 1),
			.flags = MAPPING_FIXED | MAPPING_SHARED | MAPPING_READ |
				(flags & PF_W ? MAPPING_WRITE : 0) | (flags & PF_X ? MAPPING_EXECUTE : 0),
		};
		struct memory_info info;
		uint64_t address;

		if (segments[i] == HANDLE_NONE)
			continue;
		mapped = mapped && memory_info(segments[i], &info) == ERR_OK;
		request.length = info.size;
		mapped = mapped && address_space_map(space, &request, &address) == ERR_OK;
	}
	return mapped;
}

static void sleep_for_ever(void)
{
	thread_sleep(DEADLINE_NEVER);
}

// A process with one thread that sleeps. False leaves nothing.
static bool start_sleeper(const handle_t segments[SEGMENTS_MAX], handle_t *process)
{
	struct thread_attributes attributes = {.name = "sleeper", .entry = (uintptr_t)sleep_for_ever};
	handle_t space, thread;
	bool started;

	if (process_create(start_handle(START_ACCOUNT), "sleeper", process) != ERR_OK)
		return false;
	started = process_address_space(*process, &space) == ERR_OK;
	if (started) {
		started = map_segments(space, segments) &&
			thread_create(*process, &attributes, &thread) == ERR_OK;
		handle_close(space);
	}
	if (started)
		started = wait_for_state(thread, THREAD_SLEEPING) && handle_close(thread) == ERR_OK;
	if (!started) {
		process_kill(*process, 0);
		handle_close(*process);
	}
	return started;
}

TEST(scale_thousand_processes_alive_at_once)
{
	static handle_t processes[PROCESSES];
	handle_t segments[SEGMENTS_MAX], ended;
	struct process_info info;
	unsigned count = 0, running = 0;
	uint64_t bits;

	REQUIRE(make_segments(segments));
	REQUIRE_OK(notification_create(&ended));
	while (count < PROCESSES && start_sleeper(segments, &processes[count]))
		count++;
	EXPECT_EQUAL(count, PROCESSES);
	for (unsigned i = 0; i < count; i++)
		running += process_info(processes[i], &info) == ERR_OK && info.state == PROCESS_RUNNING &&
			info.thread_count == 1;
	EXPECT_EQUAL(running, PROCESSES);
	for (unsigned i = 0; i < count; i++) {
		EXPECT_OK(process_kill(processes[i], 0));
		EXPECT_OK(process_watch(processes[i], ended, 1));
		EXPECT_OK(notification_wait(ended, after(60000 * MILLISECOND), &bits));
		handle_close(processes[i]);
	}
	for (unsigned i = 0; i < __ehdr_start.e_phnum && i < SEGMENTS_MAX; i++)
		if (segments[i] != HANDLE_NONE)
			handle_close(segments[i]);
	handle_close(ended);
}

static uint64_t wait_for_word(void *word)
{
	while (__atomic_load_n((uint32_t *)word, __ATOMIC_ACQUIRE) == 0)
		futex_wait(HANDLE_SELF, (uintptr_t)word, 0, DEADLINE_NEVER);
	return 5;
}

TEST(scale_process_with_many_threads)
{
	static struct worker workers[THREADS];
	static uint32_t word;
	struct process_info before, info;
	unsigned count = 0;
	uint64_t woken;

	word = 0;
	EXPECT_OK(process_info(HANDLE_SELF, &before));
	while (count < THREADS && worker_start(&workers[count], wait_for_word, &word))
		count++;
	EXPECT_EQUAL(count, THREADS);
	EXPECT_OK(process_info(HANDLE_SELF, &info));
	EXPECT_EQUAL(info.thread_count - before.thread_count, THREADS);
	__atomic_store_n(&word, 1, __ATOMIC_RELEASE);
	EXPECT_OK(futex_wake(HANDLE_SELF, (uintptr_t)&word, THREADS, &woken));
	for (unsigned i = 0; i < count; i++)
		EXPECT_EQUAL(worker_join(&workers[i]), 5);
}

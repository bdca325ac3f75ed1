// SPDX-License-Identifier: MIT
//
// Which CPUs are asked to forget a translation: those that run the address space, each time, and no others.

#include "isa.h"
#include "test.h"

#define CPUS     4 // 0 changes the page, 1 runs its address space, the others run another one
#define ROUNDS   300
#define STRAY    (ROUNDS / 3) // most that a CPU has of anything else meanwhile
#define ALL_CPUS (~(uint64_t)0)

static volatile bool stop;

// Spins on one CPU; `count` goes up.
static uint64_t spin_here(void *count)
{
	while (!stop)
		++*(volatile uint64_t *)count;
	return 0;
}

static uint64_t spin_in_child(uint64_t cpu)
{
	struct map_request request = {.memory = child_given[0],
		.length = PAGE_SIZE,
		.flags = MAPPING_READ | MAPPING_WRITE | MAPPING_SHARED};
	uint64_t counts;

	if (thread_set_affinity(HANDLE_SELF, (uint64_t)1 << cpu) != ERR_OK ||
		address_space_map(HANDLE_SELF, &request, &counts) != ERR_OK)
		return 1;
	return spin_here((uint64_t *)counts + cpu);
}

struct spinners {
	handle_t memory;
	volatile uint64_t *counts; // by CPU, in memory that all of them share
	struct worker worker;
	struct child children[CPUS];
};

static bool start_spinners(struct spinners *spinners)
{
	struct map_request request = {
		.length = PAGE_SIZE, .flags = MAPPING_READ | MAPPING_WRITE | MAPPING_SHARED};
	struct thread_attributes attributes = {.name = "spinner", .affinity = 1 << 1};
	uint64_t address;

	stop = false;
	if (memory_create(PAGE_SIZE, 0, &request.memory) != ERR_OK ||
		address_space_map(HANDLE_SELF, &request, &address) != ERR_OK)
		return false;
	spinners->memory = request.memory;
	spinners->counts = (volatile uint64_t *)address;
	if (!worker_start_with(&spinners->worker, spin_here, (void *)(spinners->counts + 1), &attributes) ||
		!goes_on(&spinners->counts[1], 1))
		return false;
	for (unsigned cpu = 2; cpu < CPUS; cpu++)
		if (!child_start(&spinners->children[cpu], spin_in_child, cpu, &spinners->memory, 1) ||
			!goes_on(&spinners->counts[cpu], 1))
			return false;
	return true;
}

static void end_spinners(struct spinners *spinners)
{
	stop = true;
	EXPECT_EQUAL(worker_join(&spinners->worker), 0);
	for (unsigned cpu = 2; cpu < CPUS; cpu++) {
		EXPECT_OK(process_kill(spinners->children[cpu].process, 0));
		child_wait(&spinners->children[cpu]);
	}
	address_space_unmap(HANDLE_SELF, (uintptr_t)spinners->counts, PAGE_SIZE);
	handle_close(spinners->memory);
}

static struct cpu_info info_of(unsigned cpu)
{
	struct cpu_info info = {0};

	EXPECT_OK(system_cpu(start_handle(START_SYSTEM), cpu, &info));
	return info;
}

// Each round takes access from a page that was written, which the kernel must make all who run here forget. The spinner has
// run since the last one.
static void change_a_page(const volatile uint64_t *count)
{
	struct map_request request = {.length = PAGE_SIZE, .flags = MAPPING_READ | MAPPING_WRITE};
	uint64_t address, last = *count;

	REQUIRE_OK(address_space_map(HANDLE_SELF, &request, &address));
	for (unsigned round = 0; round < ROUNDS; round++) {
		EXPECT(*count != last || goes_on(count, 1));
		last = *count;
		*(volatile uint64_t *)address = round;
		EXPECT_OK(address_space_protect(HANDLE_SELF, address, PAGE_SIZE, MAPPING_READ));
		EXPECT_OK(
			address_space_protect(HANDLE_SELF, address, PAGE_SIZE, MAPPING_READ | MAPPING_WRITE));
	}
	address_space_unmap(HANDLE_SELF, address, PAGE_SIZE);
}

// A request is answered before the next one is made, so no two are counted as one; the count of the last comes after its answer.
// A round misses the spinner's CPU only if that has just switched to another process.
static void expect_asked(const struct cpu_info *before)
{
	uint64_t deadline = after(60000 * MILLISECOND), asked, interrupted, switches, least;
	struct cpu_info info;

	do {
		info = info_of(1);
		asked = info.shootdowns - before->shootdowns;
		interrupted = info.ipis - before->ipis;
		switches = info.context_switches - before->context_switches;
		least = switches < ROUNDS ? ROUNDS - switches : 0;
	} while (asked < least && now() < deadline);
	EXPECT(asked >= least && asked < ROUNDS + STRAY);
	// Only while it waits for a lock it answers without having been interrupted, and this one has next to none to wait for.
	EXPECT(interrupted > least / 2 && interrupted < ROUNDS + STRAY);
}

static void expect_left_alone(unsigned cpu, const struct cpu_info *before)
{
	struct cpu_info info = info_of(cpu);

	EXPECT(info.shootdowns - before->shootdowns < STRAY);
	EXPECT(info.ipis - before->ipis < STRAY);
}

// With four CPUs.
TEST(shootdown_asks_cpus_that_run_the_address_space)
{
	struct spinners spinners = {0};
	struct cpu_info before[CPUS];
	struct system_info system;

	REQUIRE_OK(system_info(start_handle(START_SYSTEM), &system));
	if (system.cpu_count < CPUS) {
		test_note("does nothing with fewer than %u CPUs", CPUS);
		return;
	}
	REQUIRE_OK(thread_set_affinity(HANDLE_SELF, 1 << 0));
	REQUIRE(start_spinners(&spinners));
	for (unsigned cpu = 0; cpu < CPUS; cpu++)
		before[cpu] = info_of(cpu);
	change_a_page(&spinners.counts[1]);
	if (ISA_TLB_BROADCAST)
		expect_left_alone(1, &before[1]);
	else
		expect_asked(&before[1]);
	for (unsigned cpu = 0; cpu < CPUS; cpu++) {
		struct cpu_info info = info_of(cpu);

		test_note("CPU %u: %llu rounds of shootdowns, %llu interrupts between CPUs", cpu,
			(unsigned long long)(info.shootdowns - before[cpu].shootdowns),
			(unsigned long long)(info.ipis - before[cpu].ipis));
		if (cpu != 1)
			expect_left_alone(cpu, &before[cpu]);
	}
	end_spinners(&spinners);
	EXPECT_OK(thread_set_affinity(HANDLE_SELF, ALL_CPUS));
}

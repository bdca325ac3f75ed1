// SPDX-License-Identifier: MIT
//
// Shootdowns on several CPUs, each a thread, with a TLB of its own. Page-table entries are version numbers
// that only grow; once a shootdown has returned, no CPU may use a lower one. So is what it fetches. The CPUs hold locks meanwhile
// and wait for each other's, so one that would not answer while it waits would stop the test. Before that, one
// shootdown at a time: which CPUs are asked, and what they flush.

#include <arch/mmu.h>
#include <kernel/address_space.h>
#include <kernel/cpu.h>
#include <kernel/panic.h>
#include <kernel/spinlock.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CPUS    6
#define SPACES  3
#define ENTRIES 16
#define STEPS   4000

struct cpu cpus[ARCH_CPU_MAX];
unsigned cpu_count = CPUS;

static struct address_space spaces[SPACES];
static _Atomic uint64_t entries[SPACES][ENTRIES];
static _Atomic uint64_t shot_down[SPACES][ENTRIES];  // the version that a finished shootdown made known
static _Atomic uint64_t tlbs[CPUS][SPACES][ENTRIES]; // 0: nothing cached
static struct spinlock locks[2] = {
	SPINLOCK_INITIALIZER(RANK_ADDRESS_SPACE), SPINLOCK_INITIALIZER(RANK_MEMORY)};
static atomic_uint finished;

// What a CPU was told to flush, since it was last looked at.
struct flushed {
	_Atomic uint64_t calls, first, pages;
};

static struct flushed flushed[CPUS];

void panic(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	abort();
}

// --- The CPUs

static unsigned number_of(const struct arch_address_space *arch)
{
	return (unsigned)(container_of(arch, struct address_space, arch) - spaces);
}

void arch_tlb_flush(struct arch_address_space *space, vaddr_t address, size_t pages)
{
	struct flushed *counts = &flushed[host_cpu->index];

	counts->calls++;
	counts->first = address >> PAGE_SHIFT;
	counts->pages += pages;
	for (size_t i = 0; space && i < pages && i < ENTRIES; i++)
		tlbs[host_cpu->index][number_of(space)][(address >> PAGE_SHIFT) + i] = 0;
}

// What a CPU fetches is a version number as well; `needed` is what it must not be below while a space is loaded.
static _Atomic uint64_t written, fetched[CPUS], needed[SPACES];

void arch_sync_code(const void *address, size_t length)
{
	(void)address;
	(void)length;
	fetched[host_cpu->index] = written;
}

bool arch_mmu_switch(struct arch_cpu *cpu, struct arch_address_space *space)
{
	(void)cpu;
	(void)space;
	atomic_thread_fence(memory_order_seq_cst);
	return true;
}

// --- One shootdown at a time

#define ALL_PAGES (ARCH_USER_END >> PAGE_SHIFT)

static struct address_space *_Atomic to_load[CPUS]; // by CPU: the space to load
static atomic_uint told[CPUS], done[CPUS];          // how many there were, and were loaded
static atomic_bool over;

// Loads what it is told to, and answers.
static void *obey(void *argument)
{
	struct cpu *cpu = argument;

	host_cpu = cpu;
	while (!over) {
		unsigned number = told[cpu->index];

		if (done[cpu->index] != number) {
			address_space_switch(to_load[cpu->index]);
			done[cpu->index] = number;
		}
		tlb_shootdown_ipi();
		sched_yield();
	}
	return NULL;
}

static void load(unsigned index, struct address_space *space)
{
	to_load[index] = space;
	told[index]++;
	while (done[index] != told[index])
		sched_yield();
}

static void expect_flushed(const char *when, unsigned index, uint64_t calls, uint64_t first, uint64_t pages)
{
	struct flushed *counts = &flushed[index];

	if (counts->calls != calls || counts->pages != pages || (calls && counts->first != first))
		panic("%s: CPU %u flushed %llu times %llu pages from %llu\n", when, index,
			(unsigned long long)counts->calls, (unsigned long long)counts->pages,
			(unsigned long long)counts->first);
	counts->calls = counts->pages = 0;
}

// CPU 0 shoots down three pages from the second on: what the others flush is told by a bit for each.
static void expect_shootdown(const char *when, struct address_space *space, unsigned asked)
{
	uint64_t ipis[CPUS];

	for (unsigned i = 0; i < CPUS; i++)
		ipis[i] = __atomic_load_n(&cpus[i].ipis, __ATOMIC_RELAXED);
	tlb_shootdown(space, 1 << PAGE_SHIFT, 3);
	expect_flushed(when, 0, 1, 1, 3);
	for (unsigned i = 1; i < CPUS; i++) {
		unsigned is_asked = asked >> i & 1;

		expect_flushed(when, i, is_asked, 1, 3 * is_asked);
		if (__atomic_load_n(&cpus[i].ipis, __ATOMIC_RELAXED) - ipis[i] != is_asked)
			panic("%s: CPU %u is interrupted or not\n", when, i);
	}
}

static void shoot_down_one_by_one(void)
{
	load(1, &spaces[0]);
	load(2, &spaces[0]);
	load(3, &spaces[1]);
	load(4, &spaces[0]);
	load(4, &spaces[1]);
	for (unsigned i = 1; i < CPUS; i++)
		expect_flushed("first load", i,
			i < 4            ? 1
				: i == 4 ? 2
					 : 0,
			0,
			ALL_PAGES *
				(i < 4                   ? 1
						: i == 4 ? 2
							 : 0));
	expect_shootdown("two run it, one has left it", &spaces[0], 1 << 1 | 1 << 2);
	expect_shootdown("another space", &spaces[1], 1 << 3 | 1 << 4);
	expect_shootdown("a space that nobody has loaded", &spaces[2], 0);
	expect_shootdown("kernel addresses", NULL, (1 << CPUS) - 2);
	// Who has missed one flushes all when it comes back, and only then.
	load(4, &spaces[0]);
	expect_flushed("back after a shootdown", 4, 1, 0, ALL_PAGES);
	load(4, NULL);
	load(4, &spaces[0]);
	expect_flushed("back without one", 4, 0, 0, 0);
	expect_shootdown("three run it", &spaces[0], 1 << 1 | 1 << 2 | 1 << 4);
	for (unsigned i = 1; i < CPUS; i++)
		load(i, NULL);
	tlb_shootdown(&spaces[0], 0, 0);
	expect_flushed("of no pages", 0, 0, 0, 0);
}

// --- What each does at random

static unsigned choose(unsigned *seed, unsigned bound)
{
	return (unsigned)rand_r(seed) / 16 % bound;
}

// An access: by the TLB, else by the page tables.
static void use(struct address_space *space, unsigned entry)
{
	unsigned number = number_of(&space->arch);
	_Atomic uint64_t *cached = &tlbs[host_cpu->index][number][entry];
	uint64_t newest = shot_down[number][entry];

	if (*cached == 0)
		*cached = entries[number][entry];
	if (*cached < newest)
		panic("CPU %u uses an old translation\n", host_cpu->index);
}

static void change(unsigned number, unsigned first, unsigned count)
{
	uint64_t versions[ENTRIES];

	for (unsigned i = first; i < first + count; i++)
		versions[i] = ++entries[number][i];
	tlb_shootdown(&spaces[number], (vaddr_t)first << PAGE_SHIFT, count);
	for (unsigned i = first; i < first + count; i++) {
		uint64_t known = shot_down[number][i];

		while (known < versions[i] &&
			!atomic_compare_exchange_weak(&shot_down[number][i], &known, versions[i]))
			;
	}
}

static void need(unsigned number, uint64_t version)
{
	uint64_t known = needed[number];

	while (known < version && !atomic_compare_exchange_weak(&needed[number], &known, version))
		;
}

static void write_code(unsigned number, bool everywhere)
{
	uint64_t version = ++written;

	arch_sync_code(NULL, 0);
	code_shootdown(everywhere ? NULL : &spaces[number]);
	for (unsigned i = 0; i < SPACES; i++)
		if (everywhere || i == number)
			need(i, version);
}

static void fetch(const struct address_space *space)
{
	uint64_t wanted = needed[number_of(&space->arch)];

	if (fetched[host_cpu->index] < wanted)
		panic("CPU %u runs old code\n", host_cpu->index);
}

static void step(unsigned *seed)
{
	unsigned number = choose(seed, SPACES);
	unsigned held = choose(seed, 3); // no lock, the first, or both

	address_space_switch(choose(seed, 4) ? &spaces[number] : NULL);
	for (unsigned i = 0; host_cpu->address_space && i < 8; i++)
		use(host_cpu->address_space, choose(seed, ENTRIES));
	if (host_cpu->address_space)
		fetch(host_cpu->address_space);
	for (unsigned i = 0; i < held; i++)
		spin_lock(&locks[i]);
	if (choose(seed, 2)) {
		unsigned first = choose(seed, ENTRIES);

		change(choose(seed, SPACES), first, 1 + choose(seed, ENTRIES - first));
	}
	if (choose(seed, 4) == 0)
		write_code(choose(seed, SPACES), choose(seed, 4) == 0);
	while (held > 0)
		spin_unlock(&locks[--held]);
	tlb_shootdown_ipi();
}

// All others only answer by now.
static void unload_from_all(void)
{
	for (unsigned number = 0; number < SPACES; number++) {
		address_space_unload(&spaces[number]);
		for (unsigned i = 0; i < CPUS; i++)
			if (__atomic_load_n(&cpus[i].address_space, __ATOMIC_SEQ_CST) == &spaces[number])
				panic("CPU %u still has it loaded\n", i);
	}
}

static void *act_at_random(void *argument)
{
	struct cpu *cpu = argument;
	unsigned seed = cpu->index + 1;

	host_cpu = cpu;
	for (unsigned i = 0; i < STEPS; i++)
		step(&seed);
	if (++finished == CPUS) {
		unload_from_all();
		finished++;
	}
	while (finished <= CPUS) { // the others may still ask
		tlb_shootdown_ipi();
		sched_yield();
	}
	return NULL;
}

// The caller is one of the CPUs, and each other a thread.
static void on_all_cpus(void *(*others)(void *cpu), void (*first)(void))
{
	pthread_t threads[CPUS];

	for (unsigned i = 1; i < CPUS; i++) {
		if (pthread_create(&threads[i], NULL, others, &cpus[i]))
			panic("no thread\n");
	}
	first();
	for (unsigned i = 1; i < CPUS; i++)
		pthread_join(threads[i], NULL);
}

static void direct(void)
{
	shoot_down_one_by_one();
	over = true;
}

static void join_in(void)
{
	act_at_random(&cpus[0]);
}

int main(void)
{
	alarm(30);
	for (unsigned i = 0; i < CPUS; i++) {
		cpus[i].index = i;
		cpus[i].bit = (uint64_t)1 << i;
		cpus[i].online = true;
	}
	on_all_cpus(obey, direct);
	on_all_cpus(act_at_random, join_in);
	printf("ok: %llu shootdowns answered\n", (unsigned long long)cpus[0].shootdowns);
	return 0;
}

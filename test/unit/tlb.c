// SPDX-License-Identifier: MIT
//
// Shootdowns on several CPUs, each a thread, with a TLB of its own. Page-table entries are version numbers
// that only grow; once a shootdown has returned, no CPU may use a lower one. The CPUs hold locks meanwhile
// and wait for each other's, so one that would not answer while it waits would stop the test.

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
	for (size_t i = 0; i < pages && i < ENTRIES; i++)
		tlbs[host_cpu->index][number_of(space)][(address >> PAGE_SHIFT) + i] = 0;
}

bool arch_mmu_switch(struct arch_cpu *cpu, struct arch_address_space *space)
{
	(void)cpu;
	(void)space;
	atomic_thread_fence(memory_order_seq_cst);
	return true;
}

// --- What each does

static unsigned choose(unsigned *seed, unsigned bound)
{
	return (unsigned)rand_r(seed) / 16 % bound;
}

// An access: by the TLB, else by the page tables.
static void use(struct address_space *space, unsigned entry)
{
	unsigned number = number_of(&space->arch);
	_Atomic uint64_t *cached = &tlbs[host_cpu->index][number][entry];
	uint64_t wanted = shot_down[number][entry];

	if (*cached == 0)
		*cached = entries[number][entry];
	if (*cached < wanted)
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

static void step(unsigned *seed)
{
	unsigned number = choose(seed, SPACES);
	unsigned held = choose(seed, 3); // no lock, the first, or both

	address_space_switch(choose(seed, 4) ? &spaces[number] : NULL);
	for (unsigned i = 0; host_cpu->address_space && i < 8; i++)
		use(host_cpu->address_space, choose(seed, ENTRIES));
	for (unsigned i = 0; i < held; i++)
		spin_lock(&locks[i]);
	if (choose(seed, 2)) {
		unsigned first = choose(seed, ENTRIES);

		change(choose(seed, SPACES), first, 1 + choose(seed, ENTRIES - first));
	}
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

static void *run_cpu(void *argument)
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

int main(void)
{
	pthread_t threads[CPUS];

	alarm(30);
	for (unsigned i = 0; i < CPUS; i++) {
		cpus[i].index = i;
		cpus[i].online = true;
	}
	for (unsigned i = 0; i < CPUS; i++) {
		if (pthread_create(&threads[i], NULL, run_cpu, &cpus[i]))
			panic("no thread\n");
	}
	for (unsigned i = 0; i < CPUS; i++)
		pthread_join(threads[i], NULL);
	printf("ok: %llu shootdowns answered\n", (unsigned long long)cpus[0].shootdowns);
	return 0;
}

// SPDX-License-Identifier: MIT
//
// What another CPU does at one certain moment of an operation on memory: between two of its steps, or between a look-up and the use of
// what was found.

#include "machine.h"
#include "simulated_mmu.h"
#include <kernel/address_space.h>
#include <kernel/cpu.h>
#include <kernel/frame.h>
#include <kernel/memory.h>
#include <kernel/thread.h>
#include <stdio.h>

#define PAGES (PAGES_PER_STEP + 1) // the last one is a step of its own
#define START ((vaddr_t)0x40000000)
#define LAST  (START + (PAGES - 1) * PAGE_SIZE)

static struct address_space *space;

static enum fault_kind fault(enum fault_access access, vaddr_t address)
{
	return address_space_fault(space, address, access);
}

// What an access of a CPU reaches, which runs in the space for it alone. NULL: it may not.
static void *reach(unsigned cpu, vaddr_t address, enum fault_access access)
{
	static const unsigned needed[] = {0, MMU_READ, MMU_WRITE, MMU_EXECUTE};
	paddr_t physical;

	host_cpu = &cpus[cpu];
	address_space_switch(space);
	do {
		physical = host_mmu_access(&space->arch, address, needed[access] | MMU_USER);
	} while (physical == PADDR_NONE && fault(access, address) == FAULT_NONE);
	address_space_switch(NULL);
	host_cpu = &cpus[0];
	return physical == PADDR_NONE ? NULL : phys_to_virt(physical);
}

static void make_space(struct memory *memory, uint64_t length, uint64_t flags)
{
	struct map_request request = {.address = START, .length = length, .flags = flags | MAPPING_FIXED};
	vaddr_t address;

	space = address_space_create(&root_account);
	CHECK(space != NULL);
	CHECK(address_space_map(space, memory, &request, 7, &address) == ERR_OK);
}

static void end_space(void)
{
	object_put(&space->object);
	object_reap();
	CHECK(root_account.pages_used == 0 && root_account.objects_used == 0);
}

// --- Access that is taken away in steps

// At an address, which the steps have not come to: the access that goes, which CPU 1 makes once more, and the access that comes, for
// which CPU 0 faults.
static vaddr_t watched;
static enum fault_access goes, comes;
static uint64_t lost; // by the mapping

static void fault_between(void)
{
	struct mapping_info info;

	CHECK(address_space_query(space, watched, &info) == ERR_OK);
	if (info.flags & lost)
		return; // before the first step
	CHECK(reach(1, watched, goes) != NULL);
	CHECK(fault(comes, watched) == FAULT_NONE);
	machine_at_preemption_point = NULL;
}

static void protect_and_fault(uint64_t length, uint64_t before, uint64_t access)
{
	lost = before & ~access;
	machine_at_preemption_point = fault_between;
	CHECK(address_space_protect(space, START, length, access) == ERR_OK);
	CHECK(machine_at_preemption_point == NULL);
	CHECK(reach(0, watched, comes) != NULL);
	CHECK(reach(1, watched, goes) == NULL);
}

static void test_renewed_entry(uint64_t before, enum fault_access had, uint64_t later, enum fault_access has)
{
	make_space(NULL, PAGES * PAGE_SIZE, before);
	goes = had;
	comes = has;
	watched = LAST;
	for (vaddr_t at = START; at <= LAST; at += PAGE_SIZE)
		CHECK(reach(0, at, had) != NULL);
	protect_and_fault(PAGES * PAGE_SIZE, before, later);
	end_space();
}

// The same with a large page, which a fault from before the entry was there comes to again.
static void test_renewed_large_page(void)
{
	struct memory *memory = memory_create(&root_account, 2 * MMU_LARGE_SIZE, MEMORY_RESIDENT);

	CHECK(memory != NULL);
	make_space(memory, 2 * MMU_LARGE_SIZE, MAPPING_READ | MAPPING_WRITE);
	goes = FAULT_ACCESS_WRITE;
	comes = FAULT_ACCESS_READ;
	watched = START + MMU_LARGE_SIZE;
	CHECK(reach(0, START, goes) != NULL && reach(0, watched, goes) != NULL);
	protect_and_fault(2 * MMU_LARGE_SIZE, MAPPING_READ | MAPPING_WRITE, MAPPING_READ);
	object_put(&memory->object);
	end_space();
}

// --- Mappings that come into a range while it is unmapped

#define MANY 100

static unsigned points; // preemption points of the unmapping

static vaddr_t between(unsigned number)
{
	return START + (2 * PAGES + number) * PAGE_SIZE;
}

static void map_one(vaddr_t address, uint64_t flags)
{
	struct map_request request = {
		.address = address, .length = PAGE_SIZE, .flags = flags | MAPPING_FIXED};

	CHECK(address_space_map(space, NULL, &request, 7, &address) == ERR_OK);
}

static void map_between(void)
{
	for (unsigned i = 0; points == 0 && i < MANY; i++)
		map_one(between(i), i % 2 ? MAPPING_READ : MAPPING_READ | MAPPING_WRITE);
	points++;
}

static void test_unmapped_with_others_between(void)
{
	struct mapping_info info;

	make_space(NULL, PAGES * PAGE_SIZE, MAPPING_READ | MAPPING_WRITE);
	map_one(between(MANY), MAPPING_READ);
	for (vaddr_t at = START; at <= LAST; at += PAGE_SIZE)
		CHECK(reach(0, at, FAULT_ACCESS_WRITE) != NULL);
	machine_at_preemption_point = map_between;
	CHECK(address_space_unmap(space, START, between(MANY + 1) - START) == ERR_OK);
	machine_at_preemption_point = NULL;
	CHECK(points > MANY / 20);
	for (unsigned i = 0; i < MANY; i++)
		CHECK(address_space_query(space, between(i), &info) == ERR_OK && info.address == between(i));
	CHECK(address_space_query(space, between(MANY), &info) == ERR_NOT_FOUND);
	end_space();
}

// --- The word of a futex, and copies of its page

static void store(uint32_t value)
{
	volatile uint32_t *word = reach(0, START, FAULT_ACCESS_WRITE);

	CHECK(word != NULL);
	*word = value;
}

static uint32_t *find_word(struct futex_key *key, paddr_t *frame)
{
	CHECK(address_space_futex_key(space, START, MAPPING_READ, key, frame) == ERR_OK);
	return phys_to_virt(*frame);
}

// The word that was found for a compare is the one that is stored to afterwards.
static void test_futex_of_cloned_page(void)
{
	struct address_space *clone;
	struct futex_key key, again;
	const uint32_t *word;
	paddr_t frame;

	make_space(NULL, PAGE_SIZE, MAPPING_READ | MAPPING_WRITE);
	store(1);
	clone = address_space_clone(space, &root_account);
	CHECK(clone != NULL);
	word = find_word(&key, &frame);
	CHECK(*word == 1);
	store(2);
	CHECK(*word == 2);
	object_put(&clone->object);
	object_reap();
	// A copy that is made now does not share it.
	clone = address_space_clone(space, &root_account);
	CHECK(clone != NULL);
	store(3);
	CHECK(*word == 3);
	frame_unpin(frame);
	CHECK(address_space_futex_key(space, START, MAPPING_READ, &again, NULL) == ERR_OK);
	CHECK(futex_same_key(&key, &again));
	object_put(&clone->object);
	end_space();
}

// Whoever may only read the word finds the one that others write; without memory for it nobody reads an old one.
static void test_futex_that_is_only_read(void)
{
	struct memory *memory = memory_create(&root_account, PAGE_SIZE, 0), *clone;
	struct futex_key key;
	uint32_t value = 1;
	const uint32_t *word;
	paddr_t frame;

	CHECK(memory != NULL);
	CHECK(memory_write(memory, 0, &value, sizeof(value)) == MEMORY_OK);
	make_space(memory, PAGE_SIZE, MAPPING_READ | MAPPING_SHARED);
	clone = memory_clone(memory, &root_account, 0, PAGE_SIZE);
	CHECK(clone != NULL);
	machine_take_frames(0);
	CHECK(address_space_futex_key(space, START, MAPPING_READ, &key, &frame) == ERR_BAD_ADDRESS);
	CHECK(address_space_futex_key(space, START, MAPPING_READ, &key, NULL) == ERR_OK);
	machine_return_frames();
	word = find_word(&key, &frame);
	CHECK(reach(0, START, FAULT_ACCESS_WRITE) == NULL);
	value = 2;
	CHECK(memory_write(memory, 0, &value, sizeof(value)) == MEMORY_OK);
	CHECK(*word == 2);
	CHECK(memory_read(clone, 0, &value, sizeof(value)) == MEMORY_OK && value == 1);
	frame_unpin(frame);
	object_put(&memory->object);
	object_put(&clone->object);
	end_space();
}

// --- A copy whose thread is killed

static struct thread thread;

static void kill(void)
{
	atomic_store(&thread.killed, true);
}

static void test_killed_copy(bool to_space)
{
	static char buffer[PAGES * PAGE_SIZE];
	uint64_t copied;

	atomic_store(&thread.killed, false);
	make_space(NULL, sizeof(buffer), MAPPING_READ | MAPPING_WRITE);
	CHECK(address_space_write(space, START, (uintptr_t)buffer, sizeof(buffer), &copied) == ERR_OK);
	CHECK(copied == sizeof(buffer));
	machine_at_preemption_point = kill;
	CHECK((to_space ? address_space_write : address_space_read)(
		      space, START, (uintptr_t)buffer, sizeof(buffer), &copied) == ERR_CANCELLED);
	CHECK(copied == PAGES_FILLED_PER_STEP * PAGE_SIZE);
	machine_at_preemption_point = NULL;
	end_space();
}

int main(void)
{
	machine_start(64);
	cpu_count = 2;
	for (unsigned i = 0; i < cpu_count; i++) {
		cpus[i].index = i;
		cpus[i].bit = (uint64_t)1 << i;
		cpus[i].online = true;
		cpus[i].current = &thread;
	}
	test_renewed_entry(MAPPING_READ | MAPPING_WRITE, FAULT_ACCESS_WRITE, MAPPING_READ | MAPPING_EXECUTE,
		FAULT_ACCESS_EXECUTE);
	test_renewed_entry(MAPPING_READ | MAPPING_EXECUTE, FAULT_ACCESS_EXECUTE, MAPPING_READ | MAPPING_WRITE,
		FAULT_ACCESS_WRITE);
	test_renewed_entry(MAPPING_READ | MAPPING_WRITE, FAULT_ACCESS_WRITE, MAPPING_READ, FAULT_ACCESS_READ);
	test_renewed_large_page();
	test_unmapped_with_others_between();
	test_futex_of_cloned_page();
	test_futex_that_is_only_read();
	test_killed_copy(false);
	test_killed_copy(true);
	printf("ok\n");
	return 0;
}

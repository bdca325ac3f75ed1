// SPDX-License-Identifier: MIT
//
// The small machine for unit tests: see machine.h.

#include "machine.h"
#include <kernel/address_space.h>
#include <kernel/boot.h>
#include <kernel/cache.h>
#include <kernel/capability.h>
#include <kernel/cpu.h>
#include <kernel/frame.h>
#include <kernel/random.h>
#include <stdlib.h>
#include <sys/mman.h>

#define RAM_BASE \
	((uint64_t)0x566000000000) // between a program and its libraries, where all sanitizers leave room
#define HOLE ((uint64_t)3 << 20)

struct boot_machine boot_machine;
struct cpu cpus[ARCH_CPU_MAX];
unsigned cpu_count = 1;
void (*machine_at_preemption_point)(void);

static paddr_t *taken_frames;
static uint64_t taken_count;

// --- What the core does

uint64_t random_distance(uint64_t limit, uint64_t step)
{
	CHECK(limit >= step);
	return 0;
}

void preemption_point(void)
{
	CHECK(cpus[0].locks_held_count == 0);
	if (machine_at_preemption_point)
		machine_at_preemption_point();
}

struct account root_account = {.pages_limit = UINT64_MAX, .objects_limit = UINT64_MAX};

bool account_charge_pages(struct account *account, uint64_t pages)
{
	if (pages > account->pages_limit - account->pages_used)
		return false;
	account->pages_used += pages;
	return true;
}

void account_uncharge_pages(struct account *account, uint64_t pages)
{
	CHECK(account->pages_used >= pages);
	account->pages_used -= pages;
}

bool account_charge_object(struct account *account)
{
	if (account->objects_used == account->objects_limit)
		return false;
	account->objects_used++;
	return true;
}

void account_uncharge_object(struct account *account)
{
	CHECK(account->objects_used > 0);
	account->objects_used--;
}

extern const struct object_operations memory_operations, address_space_operations;

static const struct object_operations *operations_of(enum object_type type)
{
	return type == OBJECT_MEMORY ? &memory_operations : &address_space_operations;
}

static struct object *dying;

void *object_create(enum object_type type, struct account *account)
{
	static uint64_t last_id;
	struct object *object;

	if (!account_charge_object(account))
		return NULL;
	object = cache_allocate(operations_of(type)->cache);
	if (object == NULL) {
		account_uncharge_object(account);
		return NULL;
	}
	object->references = 1;
	object->type = (uint8_t)type;
	object->id = ++last_id;
	object->account = account;
	spin_init(&object->derivation_lock, RANK_DERIVATION);
	return object;
}

bool object_try_get(struct object *object)
{
	object->references++;
	return true;
}

void object_put(struct object *object)
{
	CHECK(object->references > 0);
	if (--object->references == 0) {
		object->next_dead = dying;
		dying = object;
	}
}

void object_reap(void)
{
	while (dying) {
		struct object *object = dying;

		dying = object->next_dead;
		operations_of(object->type)->destroy(object);
		account_uncharge_object(object->account);
		cache_free(operations_of(object->type)->cache, object);
	}
}

// --- For tests

void machine_start(uint64_t mebibytes)
{
	uint64_t size = mebibytes << 20;
	void *ram = mmap((void *)RAM_BASE, size + HOLE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	CHECK(ram == (void *)RAM_BASE);
	boot_machine.memory[0] = (struct boot_range){RAM_BASE + PAGE_SIZE, size / 2};
	boot_machine.memory[1] = (struct boot_range){RAM_BASE + size / 2 + HOLE, size / 2};
	boot_machine.memory_count = 2;
	cpus[0].online = true;
	frame_init();
}

void machine_take_frames(uint64_t left)
{
	taken_frames = calloc(frame_total(), sizeof(*taken_frames));
	while (frame_free() > left) {
		taken_frames[taken_count] = frame_allocate();
		CHECK(taken_frames[taken_count++] != PADDR_NONE);
	}
}

void machine_return_frames(void)
{
	while (taken_count > 0)
		frame_release(taken_frames[--taken_count]);
	free(taken_frames);
}

// --- No capabilities

bool capability_attach(const struct capability *source, struct derivation *kept, struct object *counted)
{
	(void)source;
	(void)kept;
	(void)counted;
	return false;
}

struct derivation *capability_first_derived(const struct capability *found)
{
	(void)found;
	return NULL;
}

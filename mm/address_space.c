// SPDX-License-Identifier: MIT
//
// Address spaces: making, looking, ending.

#include "mapping.h"
#include "unmap.h"
#include <kernel/account.h>
#include <kernel/assert.h>
#include <kernel/cache.h>
#include <kernel/cpu.h>
#include <kernel/frame.h>
#include <kernel/memory.h>
#include <kernel/random.h>

#define TABLES_PER_STEP 1

// Mappings without a wish go above it, so that programs have the room above their image for their heap.
#define LOWEST_BASE ((vaddr_t)(ARCH_USER_END / 2) & ~(vaddr_t)(MMU_LARGE_SIZE - 1))

static struct object_cache address_space_cache = OBJECT_CACHE_INITIALIZER(
	address_space_cache, "address space", struct address_space);

// --- Making

static bool make_tables(struct address_space *space)
{
	paddr_t root = page_table_allocate(space);

	if (root != PADDR_NONE)
		arch_mmu_init(&space->arch, root);
	return root != PADDR_NONE;
}

struct address_space *address_space_create(struct account *account)
{
	struct address_space *space = object_create(OBJECT_ADDRESS_SPACE, account);

	if (space == NULL)
		return NULL;
	spin_init(&space->lock, RANK_ADDRESS_SPACE);
	spin_init(&space->reserve_lock, RANK_PAGE_TABLE);
	space->reserved_tables = PADDR_NONE;
	list_init(&space->mappings);
	list_init(&space->replacing);
	space->base = LOWEST_BASE + random_distance(RANDOM_DISTANCE, MMU_LARGE_SIZE);
	space->private_memory = memory_create_private(account, space);
	if (space->private_memory == NULL || !make_tables(space)) {
		space->destroyed = true; // there is nothing to take down
		if (space->private_memory)
			object_put(&space->private_memory->object);
		object_put(&space->object);
		return NULL;
	}
	return space;
}

// --- Looking

// Of the entry at an address; 0: none is present.
static size_t page_size(struct address_space *space, vaddr_t address)
{
	unsigned access;
	size_t size;

	return arch_mmu_query(&space->arch, address, &size, &access) == PADDR_NONE ? 0 : size;
}

enum error address_space_query(struct address_space *space, vaddr_t address, struct mapping_info *info)
{
	const struct mapping *mapping;

	spin_lock(&space->lock);
	mapping = mapping_find(space, address);
	while (mapping && mapping->unmapping) {
		vaddr_t above = mapping_end(mapping);

		spin_unlock(&space->lock);
		preemption_point();
		spin_lock(&space->lock);
		mapping = mapping_find(space, above);
	}
	if (mapping) {
		*info = (struct mapping_info){
			.address = mapping->address,
			.length = mapping->length,
			.flags = mapping->flags,
			.offset = mapping->offset,
			.memory_id = mapping->memory ? mapping->memory->object.id : 0,
			.page_size = address < mapping->address ? 0 : page_size(space, address),
		};
	}
	spin_unlock(&space->lock);
	return mapping ? ERR_OK : ERR_NOT_FOUND;
}

uint64_t address_space_resident(struct address_space *space)
{
	uint64_t pages;

	spin_lock(&space->lock);
	pages = space->private_memory ? space->private_memory->resident : 0;
	spin_unlock(&space->lock);
	return pages << PAGE_SHIFT;
}

// --- Ending

static void free_table(void *context, paddr_t table)
{
	page_table_free(context, table);
}

void address_space_destroy(struct address_space *space)
{
	struct memory *private_memory;

	ASSERT_NO_LOCKS_HELD();
	spin_lock(&space->lock);
	if (space->destroyed) {
		spin_unlock(&space->lock);
		return;
	}
	space->destroyed = true;
	for (vaddr_t at = 0; (at = unmap_mark(space, at, ARCH_USER_END)) < ARCH_USER_END;) {
		spin_unlock(&space->lock);
		preemption_point();
		spin_lock(&space->lock);
	}
	spin_unlock(&space->lock);
	address_space_unload(space);
	unmap_sweep(space, 0, ARCH_USER_END);
	preemption_point();
	// Between the tables that are freed, others have to be looked through.
	while (!arch_mmu_destroy(&space->arch, TABLES_PER_STEP, free_table, space))
		preemption_point();
	while (large_page_free_reserve(space))
		preemption_point();
	arch_mmu_release_asid(&space->arch);
	spin_lock(&space->lock);
	private_memory = space->private_memory;
	space->private_memory = NULL;
	spin_unlock(&space->lock);
	object_put(&private_memory->object);
}

static void destroy(struct object *object)
{
	address_space_destroy(container_of(object, struct address_space, object));
}

const struct object_operations address_space_operations = {
	.name = "address space",
	.cache = &address_space_cache,
	.destroy = destroy,
};

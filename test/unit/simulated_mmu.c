// SPDX-License-Identifier: MIT
//
// Page tables of four levels on the build machine, and for each CPU a TLB that keeps every translation until it
// is flushed, so that a forgotten flush shows.

#include "simulated_mmu.h"
#include <arch/cpu.h>
#include <arch/mmu.h>
#include <kernel/cpu.h>
#include <stdatomic.h>

#define TABLE_ENTRIES 512
#define LEVELS        4
#define ENTRY_ACCESS  ((uint64_t)0xff)
#define ENTRY_PRESENT ((uint64_t)1 << 8)
#define ENTRY_LARGE   ((uint64_t)1 << 9)
#define ENTRY_ADDRESS (~(uint64_t)(PAGE_SIZE - 1))

#define TLB_ENTRIES 65536

struct translation {
	paddr_t root; // 0: empty
	vaddr_t page;
	paddr_t frame;
	unsigned access;
};

static struct translation tlbs[ARCH_CPU_MAX][TLB_ENTRIES];
static uint64_t kernel_table[TABLE_ENTRIES] __attribute__((aligned(4096)));

static uint64_t *table_at(paddr_t physical)
{
	return phys_to_virt(physical & ENTRY_ADDRESS);
}

static unsigned index_of(vaddr_t address, unsigned level)
{
	return address >> (PAGE_SHIFT + 9 * (level - 1)) & (TABLE_ENTRIES - 1);
}

// The entry of an address in the table of `level`; missing tables are made of *table. NULL: one is needed.
static uint64_t *walk(paddr_t root, vaddr_t address, unsigned level, paddr_t *table)
{
	uint64_t *entries = table_at(root);

	for (unsigned at = LEVELS; at > level; at--) {
		uint64_t *entry = &entries[index_of(address, at)];

		if (!(*entry & ENTRY_PRESENT)) {
			if (table == NULL || *table == PADDR_NONE)
				return NULL;
			*entry = *table | ENTRY_PRESENT;
			*table = PADDR_NONE;
		} else if (*entry & ENTRY_LARGE) {
			return entry;
		}
		entries = table_at(*entry);
	}
	return &entries[index_of(address, level)];
}

// The present entry that maps an address, or NULL.
static uint64_t *find(paddr_t root, vaddr_t address)
{
	uint64_t *entry = walk(root, address, 1, NULL);

	return entry && (*entry & ENTRY_PRESENT) ? entry : NULL;
}

static size_t size_of(uint64_t entry)
{
	return entry & ENTRY_LARGE ? MMU_LARGE_SIZE : PAGE_SIZE;
}

static enum mmu_result map(
	paddr_t root, vaddr_t address, paddr_t physical, size_t size, unsigned access, paddr_t *table)
{
	uint64_t *entry = walk(root, address, size == MMU_LARGE_SIZE ? 2 : 1, table);

	if (entry == NULL)
		return MMU_NEED_TABLE;
	if (*entry & ENTRY_PRESENT)
		return MMU_OCCUPIED;
	*entry = physical | access | ENTRY_PRESENT | (size == MMU_LARGE_SIZE ? ENTRY_LARGE : 0);
	return MMU_DONE;
}

// --- The contract

void arch_mmu_init(struct arch_address_space *space, paddr_t root)
{
	space->root = root;
}

static bool free_tables(
	paddr_t table, unsigned level, unsigned *limit, void (*free)(void *context, paddr_t), void *context)
{
	for (unsigned i = 0; level > 1 && i < TABLE_ENTRIES; i++) {
		uint64_t *entry = &table_at(table)[i];

		if (!(*entry & ENTRY_PRESENT) || (*entry & ENTRY_LARGE))
			continue;
		if (!free_tables(*entry & ENTRY_ADDRESS, level - 1, limit, free, context))
			return false;
		*entry = 0;
	}
	if (*limit == 0)
		return false;
	(*limit)--;
	free(context, table);
	return true;
}

bool arch_mmu_destroy(struct arch_address_space *space, unsigned limit,
	void (*free)(void *context, paddr_t table), void *context)
{
	return free_tables(space->root, LEVELS, &limit, free, context);
}

enum mmu_result arch_mmu_map(struct arch_address_space *space, vaddr_t address, paddr_t physical, size_t size,
	unsigned access, paddr_t *table)
{
	return map(space->root, address, physical, size, access, table);
}

void arch_mmu_fill_table(paddr_t table, paddr_t physical, unsigned access)
{
	for (size_t i = 0; i < TABLE_ENTRIES; i++)
		table_at(table)[i] = (physical + i * PAGE_SIZE) | access | ENTRY_PRESENT;
}

paddr_t arch_mmu_unmap(struct arch_address_space *space, vaddr_t address, size_t *size)
{
	uint64_t *entry = find(space->root, address);
	uint64_t old;

	if (entry == NULL)
		return PADDR_NONE;
	old = *entry;
	*entry = 0;
	*size = size_of(old);
	return old & ENTRY_ADDRESS;
}

bool arch_mmu_protect(struct arch_address_space *space, vaddr_t address, unsigned access)
{
	uint64_t *entry = find(space->root, address);

	if (entry)
		*entry = (*entry & ~ENTRY_ACCESS) | access;
	return entry != NULL;
}

paddr_t arch_mmu_query(struct arch_address_space *space, vaddr_t address, size_t *size, unsigned *access)
{
	const uint64_t *entry = walk(space->root, address, 1, NULL);

	*size = entry ? size_of(*entry) : MMU_LARGE_SIZE;
	if (entry == NULL || !(*entry & ENTRY_PRESENT))
		return PADDR_NONE;
	*access = (unsigned)(*entry & ENTRY_ACCESS);
	return (*entry & ENTRY_ADDRESS) + address % *size;
}

bool arch_mmu_switch(struct arch_cpu *cpu, struct arch_address_space *space)
{
	(void)cpu;
	(void)space;
	atomic_thread_fence(memory_order_seq_cst);
	return true;
}

static void flush_space(struct translation *tlb, paddr_t root)
{
	for (size_t i = 0; i < TLB_ENTRIES; i++) {
		if (tlb[i].root == root)
			tlb[i].root = 0;
	}
}

void arch_mmu_release_asid(struct arch_address_space *space)
{
	for (unsigned i = 0; i < cpu_count; i++)
		flush_space(tlbs[i], space->root);
}

enum mmu_result arch_mmu_kernel_map(vaddr_t address, paddr_t physical, unsigned access, paddr_t *table)
{
	return map(virt_to_phys(kernel_table), address, physical, PAGE_SIZE, access, table);
}

paddr_t arch_mmu_kernel_unmap(vaddr_t address)
{
	struct arch_address_space kernel = {virt_to_phys(kernel_table)};

	return arch_mmu_unmap(&kernel, address, &(size_t){0});
}

static struct translation *slot_of(paddr_t root, vaddr_t page)
{
	return &tlbs[host_cpu->index][((page >> PAGE_SHIFT) * 31 + (root >> PAGE_SHIFT) * 17) % TLB_ENTRIES];
}

void arch_tlb_flush(struct arch_address_space *space, vaddr_t address, size_t pages)
{
	if (space && pages > 512)
		flush_space(tlbs[host_cpu->index], space->root);
	for (size_t i = 0; space && i < pages && pages <= 512; i++) {
		struct translation *slot = slot_of(space->root, address + i * PAGE_SIZE);

		if (slot->root == space->root && slot->page == address + i * PAGE_SIZE)
			slot->root = 0;
	}
}

void arch_sync_code(const void *address, size_t length)
{
	(void)address;
	(void)length;
}

// --- For tests

paddr_t host_mmu_access(struct arch_address_space *space, vaddr_t address, unsigned access)
{
	vaddr_t page = address & ENTRY_ADDRESS;
	struct translation *slot = slot_of(space->root, page);

	if (slot->root != space->root || slot->page != page) {
		const uint64_t *entry = find(space->root, page);

		if (entry == NULL)
			return PADDR_NONE;
		*slot = (struct translation){space->root, page,
			(*entry & ENTRY_ADDRESS) + page % size_of(*entry), (unsigned)(*entry & ENTRY_ACCESS)};
	}
	if (access & ~slot->access) {
		const uint64_t *entry = find(space->root, page);

		// As real CPUs do, a fault looks at the page tables again before it is taken.
		if (entry == NULL || (access & ~*entry & ENTRY_ACCESS))
			return PADDR_NONE;
		slot->root = 0;
		return host_mmu_access(space, address, access);
	}
	return slot->frame + address % PAGE_SIZE;
}

paddr_t host_mmu_kernel_query(vaddr_t address)
{
	struct arch_address_space kernel = {virt_to_phys(kernel_table)};
	unsigned access;
	size_t size;

	return arch_mmu_query(&kernel, address, &size, &access);
}

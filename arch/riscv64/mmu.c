// SPDX-License-Identifier: MIT
//
// Address spaces: Sv39 page tables, ASIDs, the TLB.

#include "internal.h"
#include "page_table.h"
#include <arch/cpu.h>
#include <arch/mmu.h>
#include <arch/recent_table.h>
#include <isa/mmu.h>
#include <kernel/assert.h>
#include <kernel/cpu.h>
#include <kernel/string.h>

#define USER_ROOT_ENTRIES (unsigned)(ARCH_USER_END >> level_shift(ROOT_LEVEL))

#define FLUSH_PAGES_MAX 64 // more are flushed as a whole

// --- Entries

uint64_t isa_entry_bits(unsigned access)
{
	// Accessed and dirty from the start: a hart may fault where it would have to set them. MMU_DEVICE
	// needs nothing: what is uncached is a property of the physical address (PMA).
	uint64_t bits = ENTRY_VALID | ENTRY_ACCESSED;

	if (access & MMU_READ)
		bits |= ENTRY_READ;
	if (access & MMU_WRITE)
		bits |= ENTRY_WRITE | ENTRY_DIRTY;
	if (access & MMU_EXECUTE)
		bits |= ENTRY_EXECUTE;
	return bits | (access & MMU_USER ? ENTRY_USER : ENTRY_GLOBAL);
}

static unsigned entry_access(uint64_t entry)
{
	return (entry & ENTRY_READ ? MMU_READ : 0) | (entry & ENTRY_WRITE ? MMU_WRITE : 0) |
		(entry & ENTRY_EXECUTE ? MMU_EXECUTE : 0) | (entry & ENTRY_USER ? MMU_USER : 0);
}

static bool is_table(uint64_t entry)
{
	return (entry & (ENTRY_VALID | ENTRY_LEAF)) == ENTRY_VALID;
}

static uint64_t *table_of(uint64_t entry)
{
	return phys_to_virt(entry_physical(entry));
}

// The leaf entry at an address and its level; NULL: none.
static uint64_t *find_leaf(uint64_t *root, vaddr_t address, unsigned *level)
{
	uint64_t *table = root;

	for (*level = ROOT_LEVEL;; --*level) {
		uint64_t *entry = &table[table_index(address, *level)];

		if (!(*entry & ENTRY_VALID))
			return NULL;
		if (*entry & ENTRY_LEAF)
			return entry;
		if (*level == 0)
			return NULL;
		table = table_of(*entry);
	}
}

static enum mmu_result enter(uint64_t *entry, uint64_t value)
{
	if (*entry & ENTRY_VALID)
		return MMU_OCCUPIED;
	// What the page holds comes first, for other harts that use the entry at once.
	__atomic_store_n(entry, value, __ATOMIC_RELEASE);
	return MMU_DONE;
}

static __attribute__((noinline)) enum mmu_result map_entry(uint64_t *root, vaddr_t address, paddr_t physical,
	unsigned leaf_level, unsigned access, paddr_t *new_table)
{
	uint64_t *table = root;
	uint64_t *entry;

	for (unsigned level = ROOT_LEVEL; level > leaf_level; level--) {
		entry = &table[table_index(address, level)];
		if (!(*entry & ENTRY_VALID)) {
			if (*new_table == PADDR_NONE)
				return MMU_NEED_TABLE;
			// What the table holds comes first.
			__atomic_store_n(entry, entry_for(*new_table) | ENTRY_VALID, __ATOMIC_RELEASE);
			*new_table = PADDR_NONE;
		} else if (*entry & ENTRY_LEAF) {
			return MMU_OCCUPIED;
		}
		table = table_of(*entry);
	}
	return enter(&table[table_index(address, leaf_level)], entry_for(physical) | isa_entry_bits(access));
}

// Takes an entry out; NULL has none.
static paddr_t unmap_entry(uint64_t *entry)
{
	paddr_t physical;

	if (entry == NULL)
		return PADDR_NONE;
	physical = entry_physical(*entry);
	*entry = 0;
	return physical;
}

// --- Address spaces

static uint64_t satp_of(paddr_t root)
{
	return (uint64_t)SATP_SV39 << SATP_MODE_SHIFT | root >> PAGE_SHIFT;
}

static uint64_t *root_of(const struct arch_address_space *space)
{
	return phys_to_virt(space->root);
}

void arch_mmu_init(struct arch_address_space *space, paddr_t root)
{
	uint64_t *table = phys_to_virt(root);

	space->root = root;
	space->satp = satp_of(root);
	space->recent_table = RECENT_TABLE_NONE;
	atomic_init(&space->asid, 0);
	memcpy(table + TABLE_ENTRIES / 2, isa_kernel_root + TABLE_ENTRIES / 2, PAGE_SIZE / 2);
}

static inline uint64_t *find_user_leaf(struct arch_address_space *space, vaddr_t address, unsigned *level)
{
	uint64_t *entry = recent_table_entry(&space->recent_table, address);

	assert(address < ARCH_USER_END);
	*level = 0;
	if (entry)
		return *entry & ENTRY_VALID ? entry : NULL;
	entry = find_leaf(root_of(space), address, level);
	if (entry && *level == 0)
		recent_table_note(&space->recent_table, address, entry);
	return entry;
}

// Takes the tables below `table` out and frees them, lowest first; true: none is left.
static bool free_tables(uint64_t *table, unsigned entries, unsigned level, unsigned *limit,
	void (*free)(void *context, paddr_t table), void *context)
{
	for (unsigned i = 0; i < entries; i++) {
		if (!is_table(table[i]))
			continue;
		if (level > 1 &&
			!free_tables(table_of(table[i]), TABLE_ENTRIES, level - 1, limit, free, context))
			return false;
		if (*limit == 0)
			return false;
		--*limit;
		free(context, entry_physical(table[i]));
		table[i] = 0;
	}
	return true;
}

bool arch_mmu_destroy(struct arch_address_space *space, unsigned limit,
	void (*free)(void *context, paddr_t table), void *context)
{
	space->recent_table = RECENT_TABLE_NONE;
	if (!free_tables(root_of(space), USER_ROOT_ENTRIES, ROOT_LEVEL, &limit, free, context) || limit == 0)
		return false;
	free(context, space->root);
	space->root = PADDR_NONE;
	return true;
}

enum mmu_result arch_mmu_map(struct arch_address_space *space, vaddr_t address, paddr_t physical, size_t size,
	unsigned access, paddr_t *table)
{
	uint64_t *entry = size == PAGE_SIZE ? recent_table_entry(&space->recent_table, address) : NULL;

	assert(address < ARCH_USER_END && (address | physical) % size == 0);
	if (entry)
		return enter(entry, entry_for(physical) | isa_entry_bits(access));
	return map_entry(root_of(space), address, physical, size == PAGE_SIZE ? 0 : 1, access, table);
}

void arch_mmu_fill_table(paddr_t table, paddr_t physical, unsigned access)
{
	uint64_t *entries = phys_to_virt(table);

	for (size_t i = 0; i < TABLE_ENTRIES; i++)
		entries[i] = entry_for(physical + (i << PAGE_SHIFT)) | isa_entry_bits(access);
}

paddr_t arch_mmu_unmap(struct arch_address_space *space, vaddr_t address, size_t *size)
{
	unsigned level;
	uint64_t *entry = find_user_leaf(space, address, &level);

	*size = level_size(level);
	return unmap_entry(entry);
}

bool arch_mmu_protect(struct arch_address_space *space, vaddr_t address, unsigned access)
{
	unsigned level;
	uint64_t *entry = find_user_leaf(space, address, &level);

	if (entry == NULL)
		return false;
	*entry = entry_for(entry_physical(*entry)) | isa_entry_bits(access);
	return true;
}

paddr_t arch_mmu_query(struct arch_address_space *space, vaddr_t address, size_t *size, unsigned *access)
{
	unsigned level;
	const uint64_t *entry = find_user_leaf(space, address, &level);

	*size = level_size(level);
	if (entry == NULL)
		return PADDR_NONE;
	*access = entry_access(*entry);
	return entry_physical(*entry) + (address & (level_size(level) - 1));
}

enum mmu_result arch_mmu_kernel_map(vaddr_t address, paddr_t physical, unsigned access, paddr_t *table)
{
	enum mmu_result result;

	assert(address - ARCH_KERNEL_AREA_BASE < ARCH_KERNEL_AREA_SIZE);
	result = map_entry(isa_kernel_root, address, physical, 0, access, table);
	__asm__ volatile("sfence.vma %0" : : "r"(address) : "memory");
	return result;
}

paddr_t arch_mmu_kernel_unmap(vaddr_t address)
{
	unsigned level;
	paddr_t physical;

	assert(address - ARCH_KERNEL_AREA_BASE < ARCH_KERNEL_AREA_SIZE);
	physical = unmap_entry(find_leaf(isa_kernel_root, address, &level));
	__asm__ volatile("sfence.vma %0" : : "r"(address) : "memory");
	return physical;
}

// --- ASIDs
//
// An ASID is the low bits of a counter that only grows; the bits above are its generation. A hart that meets
// a generation for the first time flushes its TLB, so within a generation no ASID means two spaces to it. A
// space whose generation is over gets a new one at the next switch to it. Without ASIDs in the CPU (no bits)
// every number is a generation of its own, and each switch flushes. ASID 0 is the kernel's.

static _Atomic uint64_t last_asid = 1 << 16;
static unsigned asid_bits;
static uint64_t asid_mask;

void isa_asid_init(void)
{
	uint64_t satp = csr_read(satp);

	csr_write(satp, satp | (uint64_t)SATP_ASID_MASK << SATP_ASID_SHIFT);
	asid_mask = csr_read(satp) >> SATP_ASID_SHIFT & SATP_ASID_MASK;
	csr_write(satp, satp);
	while (asid_mask >> asid_bits != 0)
		asid_bits++;
	// No generation's: a new space, whose ASID is 0, must not seem to be of it.
	for (unsigned i = 0; i < ARCH_CPU_MAX; i++) {
		cpus[i].arch.asid_base = 1;
		cpus[i].arch.asid_mask = asid_mask;
	}
}

static uint64_t asid_number(uint64_t asid)
{
	return asid & asid_mask;
}

static uint64_t asid_new(void)
{
	uint64_t asid;

	do {
		asid = atomic_fetch_add_explicit(&last_asid, 1, memory_order_relaxed) + 1;
	} while (asid_bits != 0 && asid_number(asid) == 0);
	return asid;
}

// The space's ASID, of the present generation.
static uint64_t asid_of(struct arch_address_space *space)
{
	uint64_t asid = atomic_load_explicit(&space->asid, memory_order_relaxed);
	uint64_t fresh;

	if (asid >> asid_bits == atomic_load_explicit(&last_asid, memory_order_relaxed) >> asid_bits)
		return asid;
	fresh = asid_new();
	// Where another hart was first, its choice holds.
	return atomic_compare_exchange_strong(&space->asid, &asid, fresh) ? fresh : asid;
}

static void switch_to_generation(struct arch_cpu *cpu, struct arch_address_space *space)
{
	uint64_t asid = asid_of(space);
	uint64_t base = asid & ~asid_mask;

	isa_load_satp(space->satp | asid_number(asid) << SATP_ASID_SHIFT);
	if (cpu->asid_base != base) {
		cpu->asid_base = base;
		__asm__ volatile("sfence.vma" : : : "memory");
	}
}

bool arch_mmu_switch(struct arch_cpu *cpu, struct arch_address_space *space)
{
	if (space == NULL)
		isa_load_satp(satp_of(isa_image_to_phys(isa_kernel_root)));
	else if (!isa_mmu_try_switch(cpu, space))
		switch_to_generation(cpu, space);
	return true;
}

void arch_mmu_release_asid(struct arch_address_space *space)
{
	// Not handed out again in its generation.
	(void)space;
}

// --- The TLB

static void flush_kernel(vaddr_t address, size_t pages)
{
	if (pages > FLUSH_PAGES_MAX) {
		__asm__ volatile("sfence.vma" : : : "memory");
		return;
	}
	for (size_t i = 0; i < pages; i++)
		__asm__ volatile("sfence.vma %0" : : "r"(address + i * PAGE_SIZE) : "memory");
}

void arch_tlb_flush(struct arch_address_space *space, vaddr_t address, size_t pages)
{
	uint64_t asid, number;

	if (space == NULL) {
		flush_kernel(address, pages);
		return;
	}
	asid = atomic_load_explicit(&space->asid, memory_order_relaxed);
	number = asid_number(asid);
	if ((asid & ~asid_mask) != isa_cpu()->asid_base || asid_bits == 0) {
		// This hart may run the space under an ASID of an earlier generation.
		__asm__ volatile("sfence.vma" : : : "memory");
	} else if (pages > FLUSH_PAGES_MAX) {
		__asm__ volatile("sfence.vma zero, %0" : : "r"(number) : "memory");
	} else {
		for (size_t i = 0; i < pages; i++)
			__asm__ volatile("sfence.vma %0, %1"
					 :
					 : "r"(address + i * PAGE_SIZE), "r"(number)
					 : "memory");
	}
}

void arch_sync_code(const void *address, size_t length)
{
	// The stores come first, for the other harts, which are asked after this.
	(void)address;
	(void)length;
	__asm__ volatile("fence rw, rw\n\tfence.i" : : : "memory");
}

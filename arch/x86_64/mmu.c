// SPDX-License-Identifier: MIT
//
// Page tables of four levels. Their entries are written whole, so the CPU's walks see either the old or the
// new one.

#include <arch/mmu.h>
#include <arch/recent_table.h>
#include <isa/internal.h>
#include <isa/page_table.h>
#include <isa/registers.h>
#include <kernel/assert.h>

#define TABLE_FLAGS_USER   (PTE_PRESENT | PTE_WRITABLE | PTE_USER)
#define TABLE_FLAGS_KERNEL (PTE_PRESENT | PTE_WRITABLE)
#define USER_ENTRIES       (TABLE_ENTRIES / 2) // of the root table

static uint64_t read_entry(const uint64_t *entry)
{
	return __atomic_load_n(entry, __ATOMIC_RELAXED);
}

static void write_entry(uint64_t *entry, uint64_t value)
{
	__atomic_store_n(entry, value, __ATOMIC_RELEASE);
}

static uint64_t access_flags(unsigned access)
{
	uint64_t flags = PTE_PRESENT;

	if (access & MMU_WRITE)
		flags |= PTE_WRITABLE;
	if (!(access & MMU_EXECUTE))
		flags |= PTE_NO_EXECUTE;
	if (access & MMU_DEVICE)
		flags |= PTE_UNCACHED | PTE_WRITE_THROUGH;
	flags |= access & MMU_USER ? PTE_USER : PTE_GLOBAL;
	return flags;
}

static unsigned flags_access(uint64_t flags)
{
	unsigned access = MMU_READ;

	if (flags & PTE_WRITABLE)
		access |= MMU_WRITE;
	if (!(flags & PTE_NO_EXECUTE))
		access |= MMU_EXECUTE;
	if (flags & PTE_UNCACHED)
		access |= MMU_DEVICE;
	if (flags & PTE_USER)
		access |= MMU_USER;
	return access;
}

void arch_mmu_init(struct arch_address_space *space, paddr_t root)
{
	uint64_t *table = phys_to_virt(root);
	const uint64_t *kernel_table = phys_to_virt(kernel_root);

	for (unsigned i = USER_ENTRIES; i < TABLE_ENTRIES; i++)
		table[i] = kernel_table[i];
	*space = (struct arch_address_space){
		.root = root, .pcid = pcid_allocate(), .recent_table = RECENT_TABLE_NONE};
}

// Hands out the tables below `table` (of `level`), then forgets them; false: the limit came first.
static bool free_tables(
	uint64_t *table, unsigned level, unsigned *limit, void (*free)(void *, paddr_t), void *context)
{
	unsigned count = level == ROOT_LEVEL ? USER_ENTRIES : TABLE_ENTRIES;

	for (unsigned i = 0; i < count; i++) {
		uint64_t entry = table[i];

		if (!(entry & PTE_PRESENT) || entry_is_page(entry, level))
			continue;
		if (level > 2 && !free_tables(table_of(entry), level - 1, limit, free, context))
			return false;
		table[i] = 0;
		free(context, entry & PTE_ADDRESS);
		// At once: looking for the next one takes as long again.
		if (--*limit == 0)
			return false;
	}
	return true;
}

bool arch_mmu_destroy(struct arch_address_space *space, unsigned limit,
	void (*free)(void *context, paddr_t table), void *context)
{
	if (space->root == PADDR_NONE)
		return true;
	space->recent_table = RECENT_TABLE_NONE;
	if (!free_tables(phys_to_virt(space->root), ROOT_LEVEL, &limit, free, context))
		return false;
	free(context, space->root);
	space->root = PADDR_NONE;
	return true;
}

// Walks down to the entry of an address in the table of `level`. Tables missing on the way are made of
// *new_table; NULL without one.
static __attribute__((noinline)) uint64_t *walk_creating(paddr_t root, vaddr_t address, unsigned level,
	uint64_t table_flags, paddr_t *new_table, enum mmu_result *result)
{
	uint64_t *table = phys_to_virt(root);

	for (unsigned at = ROOT_LEVEL; at > level; at--) {
		uint64_t *entry = &table[table_index(address, at)];

		if (!(*entry & PTE_PRESENT)) {
			*result = MMU_NEED_TABLE;
			if (*new_table == PADDR_NONE)
				return NULL;
			write_entry(entry, *new_table | table_flags);
			*new_table = PADDR_NONE;
		} else if (entry_is_page(*entry, at)) {
			*result = MMU_OCCUPIED;
			return NULL;
		}
		table = table_of(*entry);
	}
	return &table[table_index(address, level)];
}

static enum mmu_result enter(uint64_t *entry, uint64_t leaf)
{
	if (read_entry(entry) & PTE_PRESENT)
		return MMU_OCCUPIED;
	write_entry(entry, leaf);
	return MMU_DONE;
}

enum mmu_result arch_mmu_map(struct arch_address_space *space, vaddr_t address, paddr_t physical, size_t size,
	unsigned access, paddr_t *table)
{
	bool large = size == MMU_LARGE_SIZE;
	uint64_t *entry = large ? NULL : recent_table_entry(&space->recent_table, address);
	enum mmu_result result = MMU_DONE;

	assert(size == PAGE_SIZE || large);
	assert(address % size == 0 && physical % size == 0 && address < ARCH_USER_END);
	if (entry == NULL) {
		entry = walk_creating(space->root, address, large ? 2 : 1, TABLE_FLAGS_USER, table, &result);
		if (entry == NULL)
			return result;
		if (!large)
			recent_table_note(&space->recent_table, address, entry);
	}
	return enter(entry, physical | access_flags(access) | (large ? PTE_LARGE : 0));
}

void arch_mmu_fill_table(paddr_t table, paddr_t physical, unsigned access)
{
	uint64_t *entries = phys_to_virt(table);

	for (size_t i = 0; i < TABLE_ENTRIES; i++)
		entries[i] = (physical + (i << PAGE_SHIFT)) | access_flags(access);
}

// The entry that maps an address, in a table of *level; NULL: none in that, and no table below it.
static uint64_t *find_entry(paddr_t root, vaddr_t address, unsigned *level)
{
	uint64_t *table = phys_to_virt(root);

	for (unsigned at = ROOT_LEVEL; at > 0; at--) {
		uint64_t *entry = &table[table_index(address, at)];
		uint64_t value = read_entry(entry);

		*level = at;
		if (!(value & PTE_PRESENT))
			return NULL;
		if (entry_is_page(value, at))
			return entry;
		table = table_of(value);
	}
	return NULL;
}

static inline uint64_t *find_user_entry(struct arch_address_space *space, vaddr_t address, unsigned *level)
{
	uint64_t *entry = recent_table_entry(&space->recent_table, address);

	*level = 1;
	if (entry)
		return read_entry(entry) & PTE_PRESENT ? entry : NULL;
	entry = find_entry(space->root, address, level);
	if (entry && *level == 1)
		recent_table_note(&space->recent_table, address, entry);
	return entry;
}

// The lowest bits of a large page's address field are flags (PAT) that the kernel leaves zero.
static paddr_t entry_address(uint64_t entry, unsigned level)
{
	return entry & PTE_ADDRESS & ~(uint64_t)(table_page_size(level) - 1);
}

static paddr_t take_out(uint64_t *entry, unsigned level)
{
	return entry_address(__atomic_exchange_n(entry, 0, __ATOMIC_ACQ_REL), level);
}

paddr_t arch_mmu_unmap(struct arch_address_space *space, vaddr_t address, size_t *size)
{
	unsigned level;
	uint64_t *entry = find_user_entry(space, address, &level);

	if (entry == NULL)
		return PADDR_NONE;
	*size = table_page_size(level);
	return take_out(entry, level);
}

bool arch_mmu_protect(struct arch_address_space *space, vaddr_t address, unsigned access)
{
	unsigned level;
	uint64_t *entry = find_user_entry(space, address, &level);

	if (entry == NULL)
		return false;
	write_entry(entry, entry_address(*entry, level) | access_flags(access) | (level > 1 ? PTE_LARGE : 0));
	return true;
}

paddr_t arch_mmu_query(struct arch_address_space *space, vaddr_t address, size_t *size, unsigned *access)
{
	unsigned level;
	const uint64_t *entry = find_user_entry(space, address, &level);
	uint64_t value = entry != NULL ? read_entry(entry) : 0;

	*size = table_page_size(level);
	if (!(value & PTE_PRESENT))
		return PADDR_NONE;
	*access = flags_access(value);
	return entry_address(value, level) + address % table_page_size(level);
}

// --- The kernel area

enum mmu_result arch_mmu_kernel_map(vaddr_t address, paddr_t physical, unsigned access, paddr_t *table)
{
	enum mmu_result result = MMU_DONE;
	uint64_t *entry = walk_creating(kernel_root, address, 1, TABLE_FLAGS_KERNEL, table, &result);

	assert(address - ARCH_KERNEL_AREA_BASE < ARCH_KERNEL_AREA_SIZE && !(access & MMU_USER));
	return entry ? enter(entry, physical | access_flags(access)) : result;
}

paddr_t arch_mmu_kernel_unmap(vaddr_t address)
{
	unsigned level;
	uint64_t *entry = find_entry(kernel_root, address, &level);
	paddr_t physical;

	if (entry == NULL)
		return PADDR_NONE;
	physical = take_out(entry, level);
	arch_tlb_flush(NULL, address, 1);
	return physical;
}

// SPDX-License-Identifier: MIT
//
// Page tables: four levels of 512 entries, 4 KiB pages (Arm ARM, chapter D8).

#include <arch/mmu.h>
#include <arch/recent_table.h>
#include <isa/internal.h>
#include <isa/registers.h>

#define LEVEL_SHIFT_TOP  39 // the bits of an address that index the top table
#define LEVEL_SHIFT_1G   30
#define LEVEL_SHIFT_2M   21
#define LEVEL_SHIFT_PAGE 12
#define LEVEL_BITS       9
#define ENTRIES          512

#define ENTRY_VALID          ((uint64_t)1 << 0)
#define ENTRY_TABLE          ((uint64_t)1 << 1) // a table, or at the last level a page; else a block
#define ENTRY_DEVICE         ((uint64_t)1 << 2) // memory type 1 of MAIR_EL1
#define ENTRY_USER           ((uint64_t)1 << 6)
#define ENTRY_READ_ONLY      ((uint64_t)1 << 7)
#define ENTRY_SHAREABLE      ((uint64_t)3 << 8) // inner
#define ENTRY_ACCESSED       ((uint64_t)1 << 10)
#define ENTRY_NOT_GLOBAL     ((uint64_t)1 << 11)
#define ENTRY_KERNEL_NO_EXEC ((uint64_t)1 << 53)
#define ENTRY_USER_NO_EXEC   ((uint64_t)1 << 54)
#define ENTRY_ADDRESS        ((uint64_t)0x0000fffffffff000)

#define GIBIBYTE ((size_t)1 << LEVEL_SHIFT_1G)

// Tables for what is mapped before the core can supply frames.
#define EARLY_TABLES 64

static uint64_t early_tables[EARLY_TABLES][ENTRIES] __attribute__((aligned(PAGE_SIZE)));
static size_t early_tables_used;
static paddr_t image_physical;

static uint64_t *entry_of(uint64_t *table, vaddr_t address, unsigned shift)
{
	return &table[(address >> shift) % ENTRIES];
}

static uint64_t *table_of(uint64_t entry)
{
	return phys_to_virt(entry & ENTRY_ADDRESS);
}

static bool is_table(uint64_t entry)
{
	return (entry & (ENTRY_VALID | ENTRY_TABLE)) == (ENTRY_VALID | ENTRY_TABLE);
}

// The attributes of a page or block, but for ENTRY_TABLE and ENTRY_NOT_GLOBAL.
static uint64_t attributes(unsigned access)
{
	uint64_t entry = ENTRY_VALID | ENTRY_ACCESSED | ENTRY_SHAREABLE | ENTRY_KERNEL_NO_EXEC;

	if (access & MMU_DEVICE)
		entry |= ENTRY_DEVICE;
	if (access & MMU_USER)
		entry |= ENTRY_USER;
	if (!(access & MMU_WRITE))
		entry |= ENTRY_READ_ONLY;
	if ((access & (MMU_EXECUTE | MMU_USER)) != (MMU_EXECUTE | MMU_USER))
		entry |= ENTRY_USER_NO_EXEC;
	return entry;
}

static unsigned access_of(uint64_t entry)
{
	unsigned access = MMU_READ;

	if (!(entry & ENTRY_READ_ONLY))
		access |= MMU_WRITE;
	if (!(entry & ENTRY_USER_NO_EXEC))
		access |= MMU_EXECUTE;
	if (entry & ENTRY_USER)
		access |= MMU_USER;
	if (entry & ENTRY_DEVICE)
		access |= MMU_DEVICE;
	return access;
}

// Table walks must see what was written before.
static void write_entry(uint64_t *entry, uint64_t value)
{
	*(volatile uint64_t *)entry = value;
	data_barrier(ishst);
}

static enum mmu_result enter(uint64_t *entry, uint64_t value)
{
	if (*entry & ENTRY_VALID)
		return MMU_OCCUPIED;
	// What the page holds comes first, for other CPUs that use the entry at once.
	__asm__ volatile("dmb ishst" : : : "memory");
	write_entry(entry, value);
	return MMU_DONE;
}

static __attribute__((noinline)) enum mmu_result map(
	uint64_t *root, vaddr_t address, uint64_t value, unsigned leaf_shift, paddr_t *table)
{
	uint64_t *entry = entry_of(root, address, LEVEL_SHIFT_TOP);

	for (unsigned shift = LEVEL_SHIFT_TOP; shift > leaf_shift; shift -= LEVEL_BITS) {
		if (!(*entry & ENTRY_VALID)) {
			if (*table == PADDR_NONE)
				return MMU_NEED_TABLE;
			data_barrier(ishst);
			write_entry(entry, *table | ENTRY_VALID | ENTRY_TABLE);
			*table = PADDR_NONE;
		} else if (!(*entry & ENTRY_TABLE)) {
			return MMU_OCCUPIED;
		}
		entry = entry_of(table_of(*entry), address, shift - LEVEL_BITS);
	}
	return enter(entry, leaf_shift == LEVEL_SHIFT_PAGE ? value | ENTRY_TABLE : value);
}

// The page or block entry that translates an address, and its size; NULL: there is none.
static uint64_t *find(uint64_t *root, vaddr_t address, size_t *size)
{
	uint64_t *table = root;

	for (unsigned shift = LEVEL_SHIFT_TOP;; shift -= LEVEL_BITS) {
		uint64_t *entry = entry_of(table, address, shift);

		*size = (size_t)1 << shift;
		if (!(*entry & ENTRY_VALID))
			return NULL;
		if (shift == LEVEL_SHIFT_PAGE || !(*entry & ENTRY_TABLE))
			return entry;
		table = table_of(*entry);
	}
}

// Takes an entry out; NULL has none.
static paddr_t unmap(uint64_t *entry)
{
	paddr_t physical;

	if (entry == NULL)
		return PADDR_NONE;
	physical = *entry & ENTRY_ADDRESS;
	write_entry(entry, 0);
	return physical;
}

void arch_mmu_init(struct arch_address_space *space, paddr_t root)
{
	space->root = root;
	space->recent_table = RECENT_TABLE_NONE;
	atomic_init(&space->asid, 0);
}

static inline uint64_t *find_user(struct arch_address_space *space, vaddr_t address, size_t *size)
{
	uint64_t *entry = recent_table_entry(&space->recent_table, address);

	*size = PAGE_SIZE;
	if (entry)
		return *entry & ENTRY_VALID ? entry : NULL;
	entry = find(phys_to_virt(space->root), address, size);
	if (entry && *size == PAGE_SIZE)
		recent_table_note(&space->recent_table, address, entry);
	return entry;
}

enum mmu_result arch_mmu_map(struct arch_address_space *space, vaddr_t address, paddr_t physical, size_t size,
	unsigned access, paddr_t *table)
{
	uint64_t value = physical | attributes(access) | ENTRY_NOT_GLOBAL;
	uint64_t *entry = size == PAGE_SIZE ? recent_table_entry(&space->recent_table, address) : NULL;

	if (entry)
		return enter(entry, value | ENTRY_TABLE);
	return map(phys_to_virt(space->root), address, value,
		size == PAGE_SIZE ? LEVEL_SHIFT_PAGE : LEVEL_SHIFT_2M, table);
}

void arch_mmu_fill_table(paddr_t table, paddr_t physical, unsigned access)
{
	uint64_t *entries = phys_to_virt(table);
	uint64_t value = attributes(access) | ENTRY_TABLE | ENTRY_NOT_GLOBAL;

	for (size_t i = 0; i < ENTRIES; i++)
		entries[i] = (physical + (i << PAGE_SHIFT)) | value;
}

paddr_t arch_mmu_unmap(struct arch_address_space *space, vaddr_t address, size_t *size)
{
	return unmap(find_user(space, address, size));
}

bool arch_mmu_protect(struct arch_address_space *space, vaddr_t address, unsigned access)
{
	size_t size;
	uint64_t *entry = find_user(space, address, &size);

	if (entry == NULL)
		return false;
	write_entry(entry, (*entry & (ENTRY_ADDRESS | ENTRY_TABLE | ENTRY_NOT_GLOBAL)) | attributes(access));
	return true;
}

paddr_t arch_mmu_query(struct arch_address_space *space, vaddr_t address, size_t *size, unsigned *access)
{
	const uint64_t *entry = find_user(space, address, size);

	if (entry == NULL)
		return PADDR_NONE;
	*access = access_of(*entry);
	return (*entry & ENTRY_ADDRESS) + (address & (*size - 1));
}

// Frees the tables below an entry of a table at `shift`, and then the one it names. False: the limit was
// reached.
static bool destroy_below(
	uint64_t *entry, unsigned shift, unsigned *limit, void (*free)(void *, paddr_t), void *context)
{
	if (shift > LEVEL_SHIFT_2M) {
		uint64_t *table = table_of(*entry);

		for (size_t i = 0; i < ENTRIES; i++) {
			// Most are empty, and interrupts are off.
			if (table[i] != 0 && is_table(table[i]) &&
				!destroy_below(&table[i], shift - LEVEL_BITS, limit, free, context))
				return false;
		}
	}
	free(context, *entry & ENTRY_ADDRESS);
	*entry = 0;
	// At once: looking for the next one takes as long again.
	return --*limit > 0;
}

bool arch_mmu_destroy(struct arch_address_space *space, unsigned limit,
	void (*free)(void *context, paddr_t table), void *context)
{
	uint64_t root_entry = space->root | ENTRY_VALID | ENTRY_TABLE;

	if (space->root == PADDR_NONE)
		return true;
	space->recent_table = RECENT_TABLE_NONE;
	destroy_below(&root_entry, LEVEL_SHIFT_TOP + LEVEL_BITS, &limit, free, context);
	if (root_entry != 0)
		return false;
	space->root = PADDR_NONE;
	return true;
}

enum mmu_result arch_mmu_kernel_map(vaddr_t address, paddr_t physical, unsigned access, paddr_t *table)
{
	enum mmu_result result = map(
		kernel_root, address, physical | attributes(access), LEVEL_SHIFT_PAGE, table);

	instruction_barrier();
	return result;
}

paddr_t arch_mmu_kernel_unmap(vaddr_t address)
{
	size_t size;
	paddr_t physical = unmap(find(kernel_root, address, &size));

	arch_tlb_flush(NULL, address, 1);
	return physical;
}

paddr_t image_to_phys(const void *address)
{
	return (paddr_t)((const uint8_t *)address - image_start) + image_physical;
}

static paddr_t take_early_table(void)
{
	return early_tables_used < EARLY_TABLES ? image_to_phys(early_tables[early_tables_used++])
						: PADDR_NONE;
}

// The tables are themselves in the data segment, and are reached by its addresses until the direct map has
// it.
void mmu_init(paddr_t image)
{
	image_physical = image;
	for (paddr_t physical = image_to_phys(data_start); physical < image_to_phys(image_end);
		physical += MMU_LARGE_SIZE) {
		uint64_t *table = kernel_root;

		for (unsigned shift = LEVEL_SHIFT_TOP; shift > LEVEL_SHIFT_2M; shift -= LEVEL_BITS) {
			uint64_t *entry = entry_of(table, (vaddr_t)phys_to_virt(physical), shift);

			if (*entry == 0)
				write_entry(entry, take_early_table() | ENTRY_VALID | ENTRY_TABLE);
			table = (uint64_t *)(image_start + ((*entry & ENTRY_ADDRESS) - image_physical));
		}
		write_entry(entry_of(table, physical, LEVEL_SHIFT_2M),
			physical | attributes(MMU_READ | MMU_WRITE));
	}
	instruction_barrier();
}

// The largest leaf that fits what is left at an address.
static unsigned leaf_shift_for(paddr_t physical, uint64_t length)
{
	if (physical % GIBIBYTE == 0 && length >= GIBIBYTE)
		return LEVEL_SHIFT_1G;
	if (physical % MMU_LARGE_SIZE == 0 && length >= MMU_LARGE_SIZE)
		return LEVEL_SHIFT_2M;
	return LEVEL_SHIFT_PAGE;
}

static bool map_direct_leaf(paddr_t physical, unsigned leaf_shift, unsigned access)
{
	paddr_t table = PADDR_NONE;
	uint64_t value = physical | attributes(access);

	while (map(kernel_root, (vaddr_t)phys_to_virt(physical), value, leaf_shift, &table) ==
		MMU_NEED_TABLE) {
		table = take_early_table();
		if (table == PADDR_NONE)
			return false;
	}
	return true;
}

bool mmu_map_direct(paddr_t base, uint64_t length, unsigned access)
{
	paddr_t physical = base & ~(PAGE_SIZE - 1);
	paddr_t end;

	if (base >= ARCH_DIRECT_MAP_SIZE || length > ARCH_DIRECT_MAP_SIZE - base)
		return false;
	end = (base + length + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
	while (physical < end) {
		unsigned leaf_shift = leaf_shift_for(physical, end - physical);
		size_t size;

		if (find(kernel_root, (vaddr_t)phys_to_virt(physical), &size) != NULL) {
			physical = (physical & ~(size - 1)) + size;
			continue;
		}
		// A table is there already: its entries one by one.
		while (size < (size_t)1 << leaf_shift)
			leaf_shift -= LEVEL_BITS;
		if (!map_direct_leaf(physical, leaf_shift, access))
			return false;
		physical += (size_t)1 << leaf_shift;
	}
	instruction_barrier();
	return true;
}

void *mmu_map_device(paddr_t base, uint64_t length)
{
	return mmu_map_direct(base, length, MMU_READ | MMU_WRITE | MMU_DEVICE) ? phys_to_virt(base) : NULL;
}

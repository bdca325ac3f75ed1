// SPDX-License-Identifier: MIT
//
// The kernel's own page tables, built once at boot: image (W^X), direct map, kernel area, devices.

#include "internal.h"
#include "page_table.h"
#include <arch/cpu.h>
#include <kernel/boot.h>

#define TABLE_POOL  64
#define AREA_TABLES (ARCH_KERNEL_AREA_SIZE / (1ull << 30))
#define ALIGNED     __attribute__((aligned(4096)))

extern const uint8_t kernel_header[], text_end[], rodata_end[], boot_stack_guard[], kernel_end[];

uint64_t isa_kernel_root[TABLE_ENTRIES] ALIGNED;
static uint64_t area_tables[AREA_TABLES][TABLE_ENTRIES] ALIGNED;
static uint64_t pool[TABLE_POOL][TABLE_ENTRIES] ALIGNED;
static unsigned pool_used;

static paddr_t image_physical;
static vaddr_t device_next = ARCH_DEVICE_BASE;

paddr_t isa_image_to_phys(const void *address)
{
	return (uintptr_t)address - ARCH_KERNEL_IMAGE_BASE + image_physical;
}

static uint64_t *image_table(uint64_t entry)
{
	return (uint64_t *)(entry_physical(entry) - image_physical + ARCH_KERNEL_IMAGE_BASE);
}

// The table that an entry points to, a new one where there is none; NULL: a page is mapped there, or the pool
// is empty.
static uint64_t *table_below(uint64_t *entry)
{
	if (*entry & ENTRY_LEAF)
		return NULL;
	if (!(*entry & ENTRY_VALID)) {
		if (pool_used == TABLE_POOL)
			return NULL;
		*entry = entry_for(isa_image_to_phys(pool[pool_used++])) | ENTRY_VALID;
	}
	return image_table(*entry);
}

// The size of the largest page that can begin a mapping.
static unsigned leaf_level(vaddr_t address, paddr_t physical, uint64_t length)
{
	unsigned level = ROOT_LEVEL;

	while (level > 0 && ((address | physical) % level_size(level) != 0 || length < level_size(level)))
		level--;
	return level;
}

// Maps whole pages; false: the tables do not suffice, or something else is mapped there.
static bool map(vaddr_t address, paddr_t physical, uint64_t length, unsigned access)
{
	while (length > 0) {
		unsigned leaf = leaf_level(address, physical, length);
		uint64_t *table = isa_kernel_root;
		uint64_t leaf_entry = entry_for(physical) | isa_entry_bits(access);
		uint64_t *entry;

		for (unsigned level = ROOT_LEVEL; level > leaf; level--) {
			table = table_below(&table[table_index(address, level)]);
			if (table == NULL)
				return false;
		}
		entry = &table[table_index(address, leaf)];
		if ((*entry & ENTRY_VALID) && *entry != leaf_entry)
			return false;
		*entry = leaf_entry;
		address += level_size(leaf);
		physical += level_size(leaf);
		length -= level_size(leaf);
	}
	return true;
}

static void map_image_part(const uint8_t *start, const uint8_t *end, unsigned access)
{
	map((vaddr_t)start, isa_image_to_phys(start), (uint64_t)(end - start), access);
}

static bool map_direct(uint64_t base, uint64_t length)
{
	uint64_t first = base & ~(PAGE_SIZE - 1);
	uint64_t last = (base + length + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);

	return map(ARCH_DIRECT_MAP_BASE + first, first, last - first, MMU_READ | MMU_WRITE);
}

static void map_memory(void)
{
	// Writable parts of the image only; page tables of the kernel area are among them.
	map_direct(isa_image_to_phys(rodata_end), (uint64_t)(kernel_end - rodata_end));
	if (!map_direct(virt_to_phys(isa_device_tree.blob), isa_device_tree.total_size) ||
		!map_direct(boot_machine.archive.base, boot_machine.archive.length))
		boot_machine.archive.length = 0;
	// Memory too fragmented for the tables is not used.
	for (size_t i = 0; i < boot_machine.memory_count; i++) {
		if (!map_direct(boot_machine.memory[i].base, boot_machine.memory[i].length))
			boot_machine.memory_count = i;
	}
}

void isa_mmu_boot(paddr_t image)
{
	image_physical = image;
	map_image_part(kernel_header, text_end, MMU_READ | MMU_EXECUTE);
	map_image_part(text_end, rodata_end, MMU_READ);
	map_image_part(rodata_end, boot_stack_guard, MMU_READ | MMU_WRITE);
	map_image_part(boot_stack_guard + PAGE_SIZE, kernel_end, MMU_READ | MMU_WRITE);
	for (unsigned i = 0; i < AREA_TABLES; i++)
		isa_kernel_root[table_index(ARCH_KERNEL_AREA_BASE, ROOT_LEVEL) + i] =
			entry_for(isa_image_to_phys(area_tables[i])) | ENTRY_VALID;
	// The root's entry of the device area must be there before address spaces copy it.
	table_below(&isa_kernel_root[table_index(ARCH_DEVICE_BASE, ROOT_LEVEL)]);
	map_memory();

	arch_mmu_switch(isa_cpu(), NULL);
	__asm__ volatile("sfence.vma" : : : "memory");
	isa_asid_init();
}

vaddr_t isa_map_device(paddr_t base, uint64_t length)
{
	paddr_t first = base & ~(PAGE_SIZE - 1);
	uint64_t size = ((base - first) + length + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
	// Aligned as the registers are, up to 2 MiB: for large pages.
	vaddr_t start = device_next + ((first - device_next) & (MMU_LARGE_SIZE - 1));

	if (length > ARCH_DEVICE_SIZE || size > ARCH_DEVICE_BASE + ARCH_DEVICE_SIZE - start ||
		!map(start, first, size, MMU_READ | MMU_WRITE | MMU_DEVICE))
		return 0;
	device_next = start + size;
	return start + (base - first);
}

// SPDX-License-Identifier: MIT
//
// The kernel's final page tables: the direct map of RAM, the kernel image with write and execute apart, and
// the root entry of the kernel area. Their pages are taken from the end of boot_machine's RAM ranges.

#include <isa/internal.h>
#include <isa/page_table.h>
#include <isa/registers.h>
#include <kernel/boot.h>
#include <kernel/panic.h>

#define LEVEL_4K 1
#define LEVEL_2M 2
#define LEVEL_1G 3

#define DATA      (PTE_PRESENT | PTE_GLOBAL | PTE_NO_EXECUTE | PTE_WRITABLE)
#define READ_ONLY (PTE_PRESENT | PTE_GLOBAL | PTE_NO_EXECUTE)
#define TEXT      (PTE_PRESENT | PTE_GLOBAL)
#define DEVICE    (DATA | PTE_UNCACHED | PTE_WRITE_THROUGH)

paddr_t kernel_root;

paddr_t boot_allocate_page(void)
{
	for (size_t i = 0; i < boot_machine.memory_count; i++) {
		struct boot_range *range = &boot_machine.memory[i];
		uint64_t *page;

		// The page must be in the direct map of boot.S.
		if (range->length < PAGE_SIZE || range->base + range->length > BOOT_MAPPED_SIZE)
			continue;
		range->length -= PAGE_SIZE;
		page = phys_to_virt(range->base + range->length);
		for (unsigned entry = 0; entry < TABLE_ENTRIES; entry++)
			page[entry] = 0;
		return range->base + range->length;
	}
	panic("no memory for the kernel's page tables");
}

static void map_page(vaddr_t address, paddr_t physical, unsigned level, uint64_t flags)
{
	uint64_t *table = phys_to_virt(kernel_root);

	for (unsigned at = ROOT_LEVEL; at > level; at--) {
		uint64_t *entry = &table[table_index(address, at)];

		if (!(*entry & PTE_PRESENT))
			*entry = boot_allocate_page() | PTE_PRESENT | PTE_WRITABLE;
		else if (entry_is_page(*entry, at))
			return; // is mapped with its neighbours
		table = table_of(*entry);
	}
	table[table_index(address, level)] = physical | flags | (level > LEVEL_4K ? PTE_LARGE : 0);
}

// Maps a range of whole pages, each with the largest size that fits.
static void map_range(vaddr_t address, paddr_t physical, uint64_t length, uint64_t flags)
{
	while (length > 0) {
		unsigned level = cpu_features.gigabyte_pages ? LEVEL_1G : LEVEL_2M;
		size_t size;

		while (level > LEVEL_4K &&
			((address | physical) % table_page_size(level) != 0 ||
				length < table_page_size(level)))
			level--;
		size = table_page_size(level);
		map_page(address, physical, level, flags);
		address += size;
		physical += size;
		length -= size;
	}
}

static paddr_t image_address(const void *symbol)
{
	return (uintptr_t)symbol - KERNEL_BASE;
}

static void map_image(const uint8_t *start, const uint8_t *end, uint64_t flags)
{
	map_range((uintptr_t)start, image_address(start), (uintptr_t)(end - start), flags);
}

// RAM [start, end), but for the kernel's text and read-only data.
static void map_ram(paddr_t start, paddr_t end)
{
	paddr_t protected_start = image_address(kernel_text_start);
	paddr_t protected_end = image_address(kernel_data_start);

	if (start < protected_start && protected_end < end) {
		map_ram(start, protected_start);
		map_range(ARCH_DIRECT_MAP_BASE + protected_start, protected_start,
			protected_end - protected_start, READ_ONLY);
		start = protected_end;
	}
	map_range(ARCH_DIRECT_MAP_BASE + start, start, end - start, DATA);
}

void mmu_boot_init(const struct boot_range *ranges, size_t count)
{
	kernel_root = boot_allocate_page();
	for (size_t i = 0; i < count; i++)
		map_ram(ranges[i].base, ranges[i].base + ranges[i].length);
	map_image(kernel_text_start, kernel_rodata_start, TEXT);
	map_image(kernel_rodata_start, kernel_data_start, READ_ONLY);
	map_image(kernel_data_start, boot_stack_guard, DATA);
	map_image(boot_stack_guard + PAGE_SIZE, kernel_image_end, DATA);

	// Present in the root before the first address space copies it.
	((uint64_t *)phys_to_virt(
		kernel_root))[table_index(ARCH_KERNEL_AREA_BASE, ROOT_LEVEL)] = boot_allocate_page() |
		PTE_PRESENT | PTE_WRITABLE;
	write_cr3(kernel_root);
}

volatile void *mmu_boot_map_device(paddr_t physical, size_t length)
{
	paddr_t start = physical & ~(paddr_t)(PAGE_SIZE - 1);
	paddr_t end = (physical + length + PAGE_SIZE - 1) & ~(paddr_t)(PAGE_SIZE - 1);

	if (end <= start || end > ARCH_DIRECT_MAP_SIZE)
		return NULL;
	map_range(ARCH_DIRECT_MAP_BASE + start, start, end - start, DEVICE);
	return phys_to_virt(physical);
}

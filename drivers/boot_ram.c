// SPDX-License-Identifier: MIT
//
// What the boot protocols of a PC have in common.

#include <kernel/boot_ram.h>
#include <kernel/log.h>

#define ENTRY_RAM 1

const void *boot_bytes(paddr_t address, uint64_t bytes, uint64_t mapped)
{
	if (address == 0 || address > mapped || bytes > mapped - address)
		return NULL;
	return phys_to_virt(address);
}

static paddr_t page_down(paddr_t address)
{
	return address & ~(paddr_t)(PAGE_SIZE - 1);
}

static paddr_t page_up(paddr_t address)
{
	return page_down(address + PAGE_SIZE - 1);
}

static void add_range(struct boot_range *ranges, size_t *count, paddr_t start, paddr_t end)
{
	if (start >= end)
		return;
	if (*count == BOOT_MEMORY_RANGES) {
		log_warning("boot: RAM at %#lx is one range too many", (unsigned long)start);
		return;
	}
	ranges[(*count)++] = (struct boot_range){.base = start, .length = end - start};
}

// Takes the pages of [start, end) out of all ranges.
static void exclude_range(struct boot_range *ranges, size_t *count, paddr_t start, paddr_t end)
{
	start = page_down(start);
	end = page_up(end);
	for (size_t i = *count; i-- > 0;) {
		paddr_t range_start = ranges[i].base;
		paddr_t range_end = range_start + ranges[i].length;

		if (start >= range_end || end <= range_start)
			continue;
		ranges[i] = ranges[--*count];
		add_range(ranges, count, range_start, start < range_end ? start : range_end);
		add_range(ranges, count, end, range_end);
	}
}

void boot_ram_read(struct boot_ram *ram, const void *entries, size_t count, size_t entry_size)
{
	for (size_t i = 0; i < count; i++) {
		const struct boot_ram_entry *entry = (const void *)((const char *)entries + i * entry_size);
		paddr_t end = entry->address + entry->length;

		if (entry->type != ENTRY_RAM || end < entry->address)
			continue;
		if (end > ARCH_DIRECT_MAP_SIZE)
			end = ARCH_DIRECT_MAP_SIZE;
		add_range(ram->ranges, &ram->count, page_up(entry->address), page_down(end));
	}
	for (size_t i = 0; i < count; i++) {
		const struct boot_ram_entry *entry = (const void *)((const char *)entries + i * entry_size);
		paddr_t end = entry->address + entry->length;

		if (entry->type != ENTRY_RAM && end > entry->address)
			exclude_range(ram->ranges, &ram->count, entry->address, end);
	}
}

void boot_ram_offer(const struct boot_ram *ram, const struct boot_range *used, size_t used_count)
{
	struct boot_range *memory = boot_machine.memory;
	size_t *count = &boot_machine.memory_count;
	const struct boot_range *archive = &boot_machine.archive;

	for (size_t i = 0; i < ram->count; i++)
		memory[(*count)++] = ram->ranges[i];
	for (size_t i = 0; i < used_count; i++)
		exclude_range(memory, count, used[i].base, used[i].base + used[i].length);
	if (archive->length != 0)
		exclude_range(memory, count, archive->base, archive->base + archive->length);
}

void boot_set_command_line(paddr_t address, uint64_t mapped)
{
	for (size_t i = 0; i + 1 < sizeof(boot_machine.command_line); i++) {
		const char *character = boot_bytes(address + i, 1, mapped);

		if (character == NULL || *character == '\0')
			break;
		boot_machine.command_line[i] = *character;
	}
}

void boot_set_archive(paddr_t address, uint64_t length, uint64_t mapped)
{
	if (boot_bytes(address, length, mapped) != NULL)
		boot_machine.archive = (struct boot_range){.base = address, .length = length};
}

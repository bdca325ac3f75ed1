// SPDX-License-Identifier: MIT
//
// Reads the start information of the PVH boot protocol.

#include <kernel/log.h>
#include <kernel/panic.h>
#include <kernel/pvh.h>

#define PVH_MAGIC      0x336ec578
#define PVH_MEMORY_RAM 1

struct start_info {
	uint32_t magic;
	uint32_t version;
	uint32_t flags;
	uint32_t module_count;
	uint64_t modules;
	uint64_t command_line;
	uint64_t rsdp;
	uint64_t memory_map; // from version 1 on
	uint32_t memory_map_entries;
	uint32_t reserved;
};

struct module {
	uint64_t address;
	uint64_t length;
	uint64_t command_line;
	uint64_t reserved;
};

struct memory_map_entry {
	uint64_t address;
	uint64_t length;
	uint32_t type;
	uint32_t reserved;
};

static uint64_t mapped_bytes; // of physical memory, from 0

static const void *physical_bytes(paddr_t address, uint64_t length)
{
	if (address == 0 || address > mapped_bytes || length > mapped_bytes - address)
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
		log_warning("pvh: RAM at %#lx is one range too many", start);
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

// Whole pages of RAM within the direct map, without what another entry says is not RAM.
static void read_memory_map(
	struct pvh_machine *machine, const struct memory_map_entry *entries, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		paddr_t end = entries[i].address + entries[i].length;

		if (entries[i].type != PVH_MEMORY_RAM || end < entries[i].address)
			continue;
		if (end > ARCH_DIRECT_MAP_SIZE)
			end = ARCH_DIRECT_MAP_SIZE;
		add_range(machine->ram, &machine->ram_count, page_up(entries[i].address), page_down(end));
	}
	for (uint32_t i = 0; i < count; i++) {
		paddr_t end = entries[i].address + entries[i].length;

		if (entries[i].type != PVH_MEMORY_RAM && end > entries[i].address)
			exclude_range(machine->ram, &machine->ram_count, entries[i].address, end);
	}
}

static void find_free_memory(
	const struct pvh_machine *machine, const struct boot_range *used, size_t used_count)
{
	struct boot_range *memory = boot_machine.memory;
	size_t *count = &boot_machine.memory_count;
	const struct boot_range *archive = &boot_machine.archive;

	for (size_t i = 0; i < machine->ram_count; i++)
		memory[(*count)++] = machine->ram[i];
	for (size_t i = 0; i < used_count; i++)
		exclude_range(memory, count, used[i].base, used[i].base + used[i].length);
	if (archive->length != 0)
		exclude_range(memory, count, archive->base, archive->base + archive->length);
}

static void read_command_line(paddr_t address)
{
	for (size_t i = 0; i + 1 < sizeof(boot_machine.command_line); i++) {
		const char *character = physical_bytes(address + i, 1);

		if (character == NULL || *character == '\0')
			break;
		boot_machine.command_line[i] = *character;
	}
}

void pvh_read(paddr_t start_info, uint64_t mapped, const struct boot_range *used, size_t used_count,
	struct pvh_machine *machine)
{
	const struct start_info *info;
	const struct memory_map_entry *entries;
	const struct module *archive;

	mapped_bytes = mapped;
	info = physical_bytes(start_info, sizeof(*info));
	if (info == NULL || info->magic != PVH_MAGIC || info->version < 1)
		panic("not started as PVH says");
	entries = physical_bytes(info->memory_map, info->memory_map_entries * sizeof(*entries));
	if (entries == NULL)
		panic("the boot loader gave no memory map");

	machine->rsdp = info->rsdp;
	read_command_line(info->command_line);
	archive = info->module_count > 0 ? physical_bytes(info->modules, sizeof(*archive)) : NULL;
	if (archive != NULL && physical_bytes(archive->address, archive->length) != NULL)
		boot_machine.archive = (struct boot_range){
			.base = archive->address, .length = archive->length};
	read_memory_map(machine, entries, info->memory_map_entries);
	find_free_memory(machine, used, used_count);
}

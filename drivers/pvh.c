// SPDX-License-Identifier: MIT
//
// Reads the start information of the PVH boot protocol.

#include <kernel/panic.h>
#include <kernel/pvh.h>

#define PVH_MAGIC 0x336ec578

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

void pvh_read(paddr_t start_info, uint64_t mapped, struct boot_loader *loader)
{
	const struct start_info *info = boot_bytes(start_info, sizeof(*info), mapped);
	const struct module *archive;
	const void *entries;

	if (info == NULL || info->magic != PVH_MAGIC || info->version < 1)
		panic("not started as PVH says");
	entries = boot_bytes(
		info->memory_map, info->memory_map_entries * sizeof(struct boot_ram_entry), mapped);
	if (entries == NULL)
		panic("the boot loader gave no memory map");
	boot_ram_read(&loader->ram, entries, info->memory_map_entries, sizeof(struct boot_ram_entry));

	boot_set_command_line(info->command_line, mapped);
	archive = info->module_count > 0 ? boot_bytes(info->modules, sizeof(*archive), mapped) : NULL;
	if (archive != NULL)
		boot_set_archive(archive->address, archive->length, mapped);
	loader->rsdp = info->rsdp;
}

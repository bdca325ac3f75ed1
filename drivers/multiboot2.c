// SPDX-License-Identifier: MIT
//
// Reads the boot information of Multiboot2: a list of tags.

#include <kernel/multiboot2.h>
#include <kernel/panic.h>

#define TAG_ALIGNMENT 8

enum tag_type {
	TAG_END = 0,
	TAG_COMMAND_LINE = 1,
	TAG_MODULE = 3,
	TAG_MEMORY_MAP = 6,
	TAG_RSDP_1 = 14, // a copy
	TAG_RSDP_2 = 15,
};

struct information {
	uint32_t size;
	uint32_t reserved;
};

struct tag {
	uint32_t type;
	uint32_t size;
};

struct tag_module {
	struct tag tag;
	uint32_t start;
	uint32_t end;
};

struct tag_memory_map {
	struct tag tag;
	uint32_t entry_size;
	uint32_t entry_version;
};

static void read_module(const struct tag *tag, uint64_t mapped)
{
	const struct tag_module *module = (const void *)tag;

	if (tag->size >= sizeof(*module) && boot_machine.archive.length == 0 && module->end > module->start)
		boot_set_archive(module->start, module->end - module->start, mapped);
}

static void read_memory_map(const struct tag *tag, struct boot_ram *ram)
{
	const struct tag_memory_map *map = (const void *)tag;

	if (tag->size >= sizeof(*map) && map->entry_size >= sizeof(struct boot_ram_entry) &&
		map->entry_size % TAG_ALIGNMENT == 0)
		boot_ram_read(ram, map + 1, (tag->size - sizeof(*map)) / map->entry_size, map->entry_size);
}

static void read_tag(const struct tag *tag, uint64_t mapped, struct boot_loader *loader)
{
	paddr_t content = virt_to_phys(tag + 1);

	switch (tag->type) {
	case TAG_COMMAND_LINE:
		boot_set_command_line(content, mapped);
		break;
	case TAG_MODULE:
		read_module(tag, mapped);
		break;
	case TAG_MEMORY_MAP:
		read_memory_map(tag, &loader->ram);
		break;
	case TAG_RSDP_1:
		if (loader->rsdp == 0)
			loader->rsdp = content;
		break;
	case TAG_RSDP_2:
		loader->rsdp = content;
		break;
	}
}

void multiboot2_read(paddr_t address, uint64_t mapped, struct boot_loader *loader)
{
	const struct information *information = boot_bytes(address, sizeof(*information), mapped);
	uint32_t offset = sizeof(*information);

	if (information == NULL || address % TAG_ALIGNMENT != 0 ||
		boot_bytes(address, information->size, mapped) == NULL)
		panic("not started as Multiboot2 says");
	while (offset + sizeof(struct tag) <= information->size) {
		const struct tag *tag = (const void *)((const char *)information + offset);

		if (tag->type == TAG_END || tag->size < sizeof(*tag) ||
			tag->size > information->size - offset)
			break;
		read_tag(tag, mapped, loader);
		offset += (tag->size + TAG_ALIGNMENT - 1) & ~(uint32_t)(TAG_ALIGNMENT - 1);
	}
	if (loader->ram.count == 0)
		panic("the boot loader gave no memory map");
}

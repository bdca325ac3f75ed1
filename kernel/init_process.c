// SPDX-License-Identifier: MIT
//
// The first user program: loaded from the kernel image, told about the machine, given everything.

#include <arch/cpu.h>
#include <arch/types.h>
#include <kernel/account.h>
#include <kernel/address_space.h>
#include <kernel/boot.h>
#include <kernel/capability.h>
#include <kernel/frame.h>
#include <kernel/init_process.h>
#include <kernel/log.h>
#include <kernel/memory.h>
#include <kernel/panic.h>
#include <kernel/process.h>
#include <kernel/random.h>
#include <kernel/resource.h>
#include <kernel/string.h>
#include <kernel/thread.h>
#include <tern/elf.h>

extern const uint8_t init_image_start[], init_image_end[];

#define BOOT_INFO_SIZE ((sizeof(struct boot_info) + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1))

static void check(bool done, const char *what)
{
	if (!done)
		panic("the first program cannot be started: %s", what);
}

static vaddr_t map(
	struct process *process, struct memory *memory, vaddr_t address, uint64_t length, uint64_t flags)
{
	struct map_request request = {.length = length, .address = address, .flags = flags};
	vaddr_t mapped;

	check(address_space_map(process->space, memory, &request,
		      MAPPING_READ | MAPPING_WRITE | MAPPING_EXECUTE, &mapped) == ERR_OK,
		"mapping");
	return mapped;
}

// Makes memory that begins with a copy of `data`.
static struct memory *memory_of(const void *data, size_t length, size_t offset, size_t size)
{
	struct memory *memory = memory_create(&root_account, size, 0);

	check(memory != NULL, "memory");
	check(memory_write(memory, offset, data, length) == MEMORY_OK, "memory");
	return memory;
}

// --- The image

static uint64_t segment_flags(uint32_t elf_flags)
{
	uint64_t flags = MAPPING_FIXED | MAPPING_READ;

	if (elf_flags & ELF_SEGMENT_WRITE)
		flags |= MAPPING_WRITE;
	else if (elf_flags & ELF_SEGMENT_EXECUTE)
		flags |= MAPPING_EXECUTE;
	return flags;
}

static void load_segment(struct process *process, const struct elf_segment *segment, vaddr_t base)
{
	uint64_t offset = segment->address % PAGE_SIZE;
	uint64_t size = (offset + segment->memory_size + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
	size_t image_size = (size_t)(init_image_end - init_image_start);
	struct memory *memory;

	check(segment->offset <= image_size && segment->file_size <= image_size - segment->offset,
		"its image");
	memory = memory_of(init_image_start + segment->offset, segment->file_size, offset, size);
	map(process, memory, base + segment->address - offset, size, segment_flags(segment->flags));
	object_put(&memory->object);
}

static vaddr_t load_image(struct process *process)
{
	const struct elf_header *header = (const struct elf_header *)init_image_start;
	size_t image_size = (size_t)(init_image_end - init_image_start);
	vaddr_t base = 0;

	check(image_size > sizeof(*header) &&
			memcmp(header->identification, ELF_MAGIC, ELF_MAGIC_LENGTH) == 0 &&
			header->segment_offset <= image_size &&
			header->segment_count * sizeof(struct elf_segment) <=
				image_size - header->segment_offset,
		"its image");
	if (header->type == ELF_TYPE_ANYWHERE)
		base = PROGRAM_BASE + random_distance(RANDOM_DISTANCE, PAGE_SIZE);
	for (unsigned i = 0; i < header->segment_count; i++) {
		struct elf_segment segment;

		memcpy(&segment, init_image_start + header->segment_offset + i * sizeof(segment),
			sizeof(segment));
		if (segment.type == ELF_SEGMENT_LOAD && segment.memory_size > 0)
			load_segment(process, &segment, base);
	}
	return base + header->entry;
}

// --- What it is given

static handle_t give(struct process *process, struct object *object)
{
	handle_t handle;

	check(capability_reserve(&process->table, &handle) == ERR_OK, "its capability table");
	capability_install(&process->table, handle, object, RIGHTS_ALL);
	return handle;
}

static handle_t give_resource(struct process *process, enum resource_kind kind, uint64_t length)
{
	struct resource *resource = resource_create(&root_account, kind, 0, length);
	handle_t handle;

	check(resource != NULL, "memory");
	handle = give(process, &resource->object);
	object_put(&resource->object);
	return handle;
}

static void give_resources(struct process *process, struct boot_info *info)
{
	uint32_t data;

	info->account = give(process, &root_account.object);
	info->resources[RESOURCE_PHYSICAL] = give_resource(process, RESOURCE_PHYSICAL, UINT64_MAX);
	info->resources[RESOURCE_INTERRUPT] = give_resource(
		process, RESOURCE_INTERRUPT, boot_machine.interrupt_lines);
	if (arch_io_port_read(0x80, 1, &data))
		info->resources[RESOURCE_IO_PORT] = give_resource(process, RESOURCE_IO_PORT, 0x10000);
	info->resources[RESOURCE_LOG] = give_resource(process, RESOURCE_LOG, 1);
	info->resources[RESOURCE_SYSTEM] = give_resource(process, RESOURCE_SYSTEM, 1);
}

static void give_archive(struct process *process, struct boot_info *info)
{
	struct boot_range *archive = &boot_machine.archive;
	uint64_t size = (archive->length + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
	struct memory *memory;

	if (archive->length == 0)
		return;
	// A boot loader may have left something behind it in its last page.
	memset((char *)phys_to_virt(archive->base) + archive->length, 0, size - archive->length);
	memory = memory_create_from_frames(&root_account, archive->base, size);
	check(memory != NULL, "memory");
	info->archive = give(process, &memory->object);
	info->archive_length = archive->length;
	object_put(&memory->object);
}

static void describe_machine(struct boot_info *info)
{
	info->magic = BOOT_MAGIC;
	info->cpu_count = boot_machine.cpu_count;
	info->memory_bytes = frame_total() * PAGE_SIZE;
	info->device_count = boot_machine.device_count;
	memcpy(info->devices, boot_machine.devices, sizeof(info->devices));
	memcpy(info->command_line, boot_machine.command_line, sizeof(info->command_line));
	memcpy(info->isa, ARCH_NAME, sizeof(ARCH_NAME));
}

// The page with the boot information, and above it the first thread's message buffer.
static vaddr_t give_boot_info(struct process *process)
{
	static struct boot_info info;
	struct memory *memory;
	vaddr_t address;

	give_resources(process, &info);
	give_archive(process, &info);
	describe_machine(&info);
	memory = memory_create(&root_account, BOOT_INFO_SIZE, 0);
	check(memory != NULL, "memory");
	address = map(process, memory, 0, BOOT_INFO_SIZE, MAPPING_READ);
	info.message_buffer = address + BOOT_INFO_SIZE;
	check(memory_write(memory, 0, &info, sizeof(info)) == MEMORY_OK, "memory");
	object_put(&memory->object);
	return address;
}

void init_process_start(void)
{
	struct thread_attributes attributes = {.name = "init", .priority = THREAD_PRIORITY_DEFAULT};
	struct process *process = process_create(&root_account, "init");
	struct thread *thread;
	vaddr_t boot_info;

	check(process != NULL, "memory");
	attributes.entry = load_image(process);
	boot_info = give_boot_info(process);
	attributes.argument = boot_info;
	attributes.message_buffer = boot_info + BOOT_INFO_SIZE;
	check(thread_create(process, &attributes, NULL, 0, &thread) == ERR_OK, "its thread");
	thread_start(thread);
	object_put(&thread->object);
	object_put(&process->object);
}

// SPDX-License-Identifier: MIT
//
// From the boot loader's description of the machine to kernel_main.

#include <arch/cpu.h>
#include <arch/time.h>
#include <isa/internal.h>
#include <isa/registers.h>
#include <kernel/acpi.h>
#include <kernel/apic.h>
#include <kernel/boot.h>
#include <kernel/cpu.h>
#include <kernel/device.h>
#include <kernel/log.h>
#include <kernel/panic.h>
#include <kernel/string.h>
#include <kernel/uart_16550.h>

#define LOW_MEMORY_END 0x100000 // the BIOS and old devices have their places below it
#define TRAMPOLINE_MIN 0x1000

paddr_t trampoline_page;

// --- PVH start information (Xen, public/arch-x86/hvm/start_info.h)

#define PVH_MAGIC      0x336ec578
#define PVH_MEMORY_RAM 1
#define MODULES_MAX    16

struct pvh_start_info {
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

struct pvh_module {
	uint64_t address;
	uint64_t length;
	uint64_t command_line;
	uint64_t reserved;
};

struct pvh_memory {
	uint64_t address;
	uint64_t length;
	uint32_t type;
	uint32_t reserved;
};

static bool is_mapped(paddr_t address, uint64_t length)
{
	return address != 0 && address <= BOOT_MAPPED_SIZE && length <= BOOT_MAPPED_SIZE - address;
}

// --- RAM

static struct boot_range ram[BOOT_MEMORY_RANGES]; // all of it, for the direct map
static size_t ram_count;

static void add_range(struct boot_range *ranges, size_t *count, paddr_t start, paddr_t end)
{
	if (start >= end)
		return;
	if (*count == BOOT_MEMORY_RANGES) {
		log_warning("boot: RAM at %lx is one range too many", start);
		return;
	}
	ranges[(*count)++] = (struct boot_range){.base = start, .length = end - start};
}

// Takes [start, end) out of all ranges.
static void exclude_range(struct boot_range *ranges, size_t *count, paddr_t start, paddr_t end)
{
	for (size_t i = *count; i-- > 0;) {
		paddr_t range_start = ranges[i].base;
		paddr_t range_end = range_start + ranges[i].length;

		if (start >= range_end || end <= range_start)
			continue;
		ranges[i] = ranges[--*count];
		add_range(ranges, count, range_start, start);
		add_range(ranges, count, end, range_end);
	}
}

static paddr_t page_down(paddr_t address)
{
	return address & ~(paddr_t)(PAGE_SIZE - 1);
}

static paddr_t page_up(paddr_t address)
{
	return page_down(address + PAGE_SIZE - 1);
}

// Whole pages of RAM within the direct map, without what another entry of the map says is not RAM.
static void read_memory_map(const struct pvh_memory *entries, uint32_t entry_count)
{
	for (uint32_t i = 0; i < entry_count; i++) {
		paddr_t end = entries[i].address + entries[i].length;

		if (entries[i].type != PVH_MEMORY_RAM || end < entries[i].address)
			continue;
		if (end > ARCH_DIRECT_MAP_SIZE)
			end = ARCH_DIRECT_MAP_SIZE;
		add_range(ram, &ram_count, page_up(entries[i].address), page_down(end));
	}
	for (uint32_t i = 0; i < entry_count; i++) {
		paddr_t end = entries[i].address + entries[i].length;

		if (entries[i].type != PVH_MEMORY_RAM && end > entries[i].address)
			exclude_range(ram, &ram_count, page_down(entries[i].address), page_up(end));
	}
}

// What may be allocated.
static void find_free_memory(void)
{
	struct boot_range *memory = boot_machine.memory;
	size_t *count = &boot_machine.memory_count;
	const struct boot_range *archive = &boot_machine.archive;

	for (size_t i = 0; i < ram_count; i++)
		add_range(memory, count, ram[i].base, ram[i].base + ram[i].length);
	exclude_range(memory, count, 0, LOW_MEMORY_END);
	exclude_range(memory, count, page_down((uintptr_t)kernel_image_start),
		page_up((uintptr_t)kernel_image_end - KERNEL_BASE));
	if (archive->length != 0)
		exclude_range(
			memory, count, page_down(archive->base), page_up(archive->base + archive->length));
}

// Other CPUs start in a page of RAM below 1 MiB; none where there is no such page.
static void find_trampoline_page(void)
{
	for (size_t i = 0; i < ram_count; i++) {
		paddr_t page = ram[i].base < TRAMPOLINE_MIN ? TRAMPOLINE_MIN : ram[i].base;

		if (page + PAGE_SIZE <= LOW_MEMORY_END && page + PAGE_SIZE <= ram[i].base + ram[i].length)
			trampoline_page = page;
	}
}

static void read_command_line(paddr_t address)
{
	for (size_t i = 0; i + 1 < sizeof boot_machine.command_line && is_mapped(address + i, 1); i++) {
		char character = *(const char *)phys_to_virt(address + i);

		if (character == '\0')
			break;
		boot_machine.command_line[i] = character;
	}
}

// Returns the address of the ACPI root pointer, 0: not told.
static paddr_t read_start_info(paddr_t address)
{
	const struct pvh_start_info *info = phys_to_virt(address);

	if (!is_mapped(address, sizeof *info) || info->magic != PVH_MAGIC)
		panic("not started as PVH says");
	if (info->version < 1 ||
		!is_mapped(info->memory_map, info->memory_map_entries * sizeof(struct pvh_memory)))
		panic("the boot loader gave no memory map");
	if (info->command_line != 0)
		read_command_line(info->command_line);
	if (info->module_count > 0 && is_mapped(info->modules, sizeof(struct pvh_module))) {
		const struct pvh_module *archive = phys_to_virt(info->modules);

		if (is_mapped(archive->address, archive->length))
			boot_machine.archive = (struct boot_range){
				.base = archive->address, .length = archive->length};
	}
	read_memory_map(phys_to_virt(info->memory_map), info->memory_map_entries);
	return info->rsdp;
}

// --- Devices

#define COM1_PORT     0x3f8
#define COM1_PORTS    8
#define COM1_ISA_LINE 4
#define COM_CLOCK_HZ  1843200
#define COM_SCRATCH   7
#define CMOS_PORT     0x70
#define CMOS_PORTS    2
#define CMOS_ISA_LINE 8

// A UART keeps what is written to its scratch register; an empty port does not.
static bool com1_is_there(void)
{
	static const uint8_t patterns[] = {0x55, 0xaa};

	for (unsigned i = 0; i < sizeof patterns; i++) {
		port_write8(COM1_PORT + COM_SCRATCH, patterns[i]);
		if (port_read8(COM1_PORT + COM_SCRATCH) != patterns[i])
			return false;
	}
	return true;
}

static struct boot_device *add_device(const char *name)
{
	static struct boot_device dropped;
	struct boot_device *device = &dropped;

	if (boot_machine.device_count < BOOT_DEVICES)
		device = &boot_machine.devices[boot_machine.device_count++];
	*device = (struct boot_device){.interrupt = UINT32_MAX};
	for (size_t i = 0; name[i] != '\0' && i + 1 < sizeof device->name; i++)
		device->name[i] = name[i];
	return device;
}

static struct boot_device *add_isa_device(
	const char *name, uint16_t port, uint16_t port_count, uint8_t isa_line)
{
	struct boot_device *device = add_device(name);

	device->bus = BUS_IO_PORT;
	device->base = port;
	device->length = port_count;
	device->interrupt = acpi_isa_interrupt(isa_line, &device->interrupt_flags);
	return device;
}

static void find_devices(bool com1_found)
{
	if (com1_found) {
		struct boot_device *uart = add_isa_device("uart16550", COM1_PORT, COM1_PORTS, COM1_ISA_LINE);

		uart->clock_hz = COM_CLOCK_HZ;
		uart->is_console = 1;
	}
	if (acpi_machine.has_cmos_clock)
		add_isa_device("rtc-cmos", CMOS_PORT, CMOS_PORTS, CMOS_ISA_LINE);
	if (acpi_machine.pci_ecam != 0) {
		struct boot_device *ecam = add_device("pci-ecam");

		ecam->bus = BUS_MEMORY;
		ecam->base = acpi_machine.pci_ecam;
		ecam->length = acpi_machine.pci_ecam_length;
	}
}

// The boot CPU first.
static void find_cpus(void)
{
	uint64_t boot_id = apic_id();

	boot_machine.cpu_hardware_ids[boot_machine.cpu_count++] = boot_id;
	for (size_t i = 0; i < acpi_machine.cpu_count; i++) {
		if (acpi_machine.cpu_hardware_ids[i] != boot_id && boot_machine.cpu_count < ARCH_CPU_MAX)
			boot_machine.cpu_hardware_ids[boot_machine.cpu_count++] =
				acpi_machine.cpu_hardware_ids[i];
	}
}

_Noreturn void boot_main(paddr_t start_info)
{
	bool com1_found = com1_is_there();
	paddr_t rsdp;

	cpu_features_init();
	arch_cpu_init(&cpus[0]);
	cpu_control_init();
	if (com1_found)
		uart_16550_init(&(struct uart_16550){
			.io_ports = true, .register_width = 1, .clock_hz = COM_CLOCK_HZ, .base = COM1_PORT});

	rsdp = read_start_info(start_info);
	if (!acpi_init(rsdp, BOOT_MAPPED_SIZE))
		log_warning("boot: no ACPI tables");
	find_free_memory();
	find_trampoline_page();
	mmu_boot_init(ram, ram_count);
	boot_machine.interrupt_lines = apic_init();
	arch_time_init();
	find_devices(com1_found);
	find_cpus();
	kernel_main();
}

// --- Power

#define POWER_DELAY      500000 // microseconds that the machine may take to obey
#define KEYBOARD_COMMAND 0x64
#define KEYBOARD_RESET   0xfe

void arch_power_off(void)
{
	acpi_power_off();
	delay_microseconds(POWER_DELAY);
}

void arch_reset(void)
{
	static const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) no_gates = {0};

	acpi_reset();
	delay_microseconds(POWER_DELAY);
	port_write8(KEYBOARD_COMMAND, KEYBOARD_RESET);
	delay_microseconds(POWER_DELAY);
	// An exception without a table of handlers resets the CPU.
	__asm__ volatile("lidt %0; int3" : : "m"(no_gates));
}

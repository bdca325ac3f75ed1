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
#include <kernel/log.h>
#include <kernel/multiboot2.h>
#include <kernel/pc.h>
#include <kernel/pvh.h>

#define LOW_MEMORY_END 0x100000 // the BIOS and old devices have their places below it
#define TRAMPOLINE_MIN 0x1000

paddr_t trampoline_page;

// Other CPUs start in a page of RAM below 1 MiB; none where there is no such page.
static void find_trampoline_page(const struct boot_ram *ram)
{
	for (size_t i = 0; i < ram->count; i++) {
		const struct boot_range *range = &ram->ranges[i];
		paddr_t page = range->base < TRAMPOLINE_MIN ? TRAMPOLINE_MIN : range->base;

		if (page + PAGE_SIZE <= LOW_MEMORY_END && page + PAGE_SIZE <= range->base + range->length)
			trampoline_page = page;
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

_Noreturn void boot_main(paddr_t information, uint32_t magic)
{
	static struct boot_loader loader;
	const struct boot_range used[] = {
		{0, LOW_MEMORY_END},
		{(uintptr_t)kernel_image_start,
			(uintptr_t)kernel_image_end - KERNEL_BASE - (uintptr_t)kernel_image_start},
	};

	cpu_features_init();
	arch_cpu_init(&cpus[0]);
	cpu_control_init();
	pc_console_init();

	if (magic == MULTIBOOT2_LOADER_MAGIC)
		multiboot2_read(information, BOOT_MAPPED_SIZE, &loader);
	else
		pvh_read(information, BOOT_MAPPED_SIZE, &loader);
	boot_ram_offer(&loader.ram, used, sizeof(used) / sizeof(used[0]));
	if (!acpi_init(loader.rsdp, BOOT_MAPPED_SIZE))
		log_warning("boot: no ACPI tables");
	find_trampoline_page(&loader.ram);
	mmu_boot_init(loader.ram.ranges, loader.ram.count);
	pc_console_init();
	boot_machine.interrupt_lines = apic_init();
	arch_time_init();
	pc_devices_find();
	find_cpus();
	kernel_main();
}

// --- Power

#define POWER_DELAY 500000 // microseconds that the machine may take to obey

void arch_power_off(void)
{
	acpi_power_off();
	delay_microseconds(POWER_DELAY);
}

void arch_reset(void)
{
	pc_reset();
	delay_microseconds(POWER_DELAY);
}

// SPDX-License-Identifier: MIT
//
// From the first page tables to kernel_main: what the machine is, from the device tree.

#include "internal.h"
#include <arch/cpu.h>
#include <arch/time.h>
#include <kernel/cpu.h>
#include <kernel/device.h>
#include <kernel/fdt_machine.h>
#include <kernel/plic.h>
#include <kernel/uart_16550.h>

#define BLOB_ALIGNMENT 8
#define CONSOLE_NAME   "uart16550"

_Noreturn void boot_main(uint64_t hart_id, paddr_t blob, paddr_t image);

extern const uint8_t kernel_header[], kernel_end[];

struct fdt isa_device_tree;

static const struct fdt_device_match devices[] = {
	{"ns16550a", CONSOLE_NAME},
	{"google,goldfish-rtc", "goldfish-rtc"},
	{"pci-host-ecam-generic", "pci-ecam"},
	{"virtio,mmio", "virtio-mmio"},
};

// Nobody is there yet to print a panic.
static _Noreturn void give_up(const char *reason)
{
	size_t length = __builtin_strlen(reason);

	early_console->write("Tern cannot boot: ", 18);
	early_console->write(reason, length);
	early_console->write("\n", 1);
	arch_power_off();
	arch_halt();
}

static void open_device_tree(paddr_t blob)
{
	if (blob % BLOB_ALIGNMENT != 0 || blob >= ARCH_DIRECT_MAP_SIZE - FDT_SIZE_LIMIT)
		give_up("the device tree is out of reach");
	if (!fdt_open(&isa_device_tree, phys_to_virt(blob)))
		give_up("the device tree is damaged");
}

// Harts that have no MMU cannot run the kernel.
static bool hart_usable(const struct fdt *fdt, fdt_node cpu)
{
	return fdt_get_string(fdt, cpu, "mmu-type") != NULL;
}

// An interrupt specifier of the PLIC is one cell: the line.
static bool decode_interrupt(const struct fdt_property *specifier, uint32_t *line, uint32_t *flags)
{
	*line = fdt_cells_u32(specifier, 0);
	*flags = 0;
	return *line > 0 && *line < boot_machine.interrupt_lines;
}

static void describe_machine(uint64_t hart_id, paddr_t image, const struct plic *plic)
{
	const struct fdt *fdt = &isa_device_tree;
	const struct boot_range used[] = {
		{.base = image, .length = (uint64_t)(kernel_end - kernel_header)},
		{.base = virt_to_phys(fdt->blob), .length = fdt->total_size},
	};

	fdt_machine_chosen(fdt);
	fdt_machine_memory(fdt, used, sizeof(used) / sizeof(used[0]), ARCH_DIRECT_MAP_SIZE);
	fdt_machine_cpus(fdt, hart_id, UINT64_MAX, hart_usable);
	boot_machine.interrupt_lines = plic->line_count;
	fdt_machine_devices(
		fdt, devices, sizeof(devices) / sizeof(devices[0]), decode_interrupt, CONSOLE_NAME);
}

static void start_interrupts(struct plic *plic)
{
	plic->base = isa_map_device(plic->physical, plic->length);
	if (plic->base == 0)
		give_up("the interrupt controller's registers are too large");
	plic_init(&isa_device_tree, plic);
	interrupt_controller->init_cpu();
}

static void start_console(void)
{
	const struct boot_device *device = fdt_machine_console();
	struct uart_16550 uart = {.register_width = 1};

	if (device == NULL)
		return;
	uart.register_shift = (uint8_t)device->register_shift;
	uart.base = isa_map_device(device->base, device->length);
	if (uart.base != 0)
		uart_16550_init(&uart);
}

_Noreturn void boot_main(uint64_t hart_id, paddr_t blob, paddr_t image)
{
	struct plic plic;

	arch_cpu_init(&cpus[0]);
	cpus[0].arch.hart_id = hart_id;
	sbi_console_init();
	open_device_tree(blob);
	if (!plic_find(&isa_device_tree, &plic))
		give_up("the device tree names no interrupt controller");
	describe_machine(hart_id, image, &plic);
	isa_mmu_boot(image);
	arch_time_init();
	start_interrupts(&plic);
	start_console();
	kernel_main();
}

// SPDX-License-Identifier: MIT
//
// From the device tree to kernel_main, on the boot CPU.

#include <arch/mmu.h>
#include <arch/time.h>
#include <isa/internal.h>
#include <isa/registers.h>
#include <kernel/boot.h>
#include <kernel/device.h>
#include <kernel/fdt_machine.h>
#include <kernel/gic.h>
#include <kernel/log.h>
#include <kernel/uart_pl011.h>

#define DEVICE_TREE_SIZE_MAX MMU_LARGE_SIZE // the boot protocol's limit

#define MPIDR_AFFINITY ((uint64_t)0xff00ffffff)

// An interrupt specifier of the GIC: type, number, flags (Linux,
// Documentation/devicetree/bindings/interrupt-controller/arm,gic.yaml).
#define GIC_CELLS      3
#define GIC_TYPE_SPI   0
#define GIC_TYPE_PPI   1
#define GIC_FLAGS_EDGE 0x3
#define GIC_FLAGS_LOW  0xa // falling edge, low level

#define TIMER_VIRTUAL 2 // the third interrupt of the timer's node

static const struct fdt_device_match devices[] = {
	{"arm,pl011", "pl011"},
	{"arm,pl031", "pl031"},
	{"pci-host-ecam-generic", "pci-ecam"},
	{"virtio,mmio", "virtio-mmio"},
};

static bool decode_interrupt(const struct fdt_property *specifier, uint32_t *line, uint32_t *flags)
{
	uint32_t type = fdt_cells_u32(specifier, 0), number = fdt_cells_u32(specifier, 1);
	uint32_t trigger = fdt_cells_u32(specifier, 2);

	if (specifier->length < GIC_CELLS * sizeof(uint32_t) || type > GIC_TYPE_PPI ||
		number >= (type == GIC_TYPE_SPI ? GIC_SPI_COUNT : GIC_PPI_COUNT))
		return false;
	*line = number + (type == GIC_TYPE_SPI ? GIC_SPI_FIRST : GIC_PPI_FIRST);
	*flags = (trigger & GIC_FLAGS_EDGE ? INTERRUPT_EDGE : 0) |
		(trigger & GIC_FLAGS_LOW ? INTERRUPT_ACTIVE_LOW : 0);
	return true;
}

static _Noreturn void give_up(const char *reason)
{
	log_error("cannot boot: %s", reason);
	arch_halt();
}

// The direct map has the blob in it from then on.
static bool open_device_tree(struct fdt *fdt, paddr_t address)
{
	return address % sizeof(uint64_t) == 0 &&
		mmu_map_direct(address, DEVICE_TREE_SIZE_MAX, MMU_READ | MMU_WRITE) &&
		fdt_open(fdt, phys_to_virt(address)) && fdt->total_size <= DEVICE_TREE_SIZE_MAX;
}

static void find_memory(const struct fdt *fdt, paddr_t image, paddr_t device_tree)
{
	const struct boot_range used[] = {
		{.base = image, .length = (uint64_t)(image_end - image_start)},
		{.base = device_tree, .length = fdt->total_size},
	};
	size_t count = 0;

	fdt_machine_memory(fdt, used, sizeof(used) / sizeof(used[0]), ARCH_DIRECT_MAP_SIZE);
	for (size_t i = 0; i < boot_machine.memory_count; i++) {
		struct boot_range range = boot_machine.memory[i];

		// Where the early tables do not suffice for it, memory is left out.
		if (mmu_map_direct(range.base, range.length, MMU_READ | MMU_WRITE))
			boot_machine.memory[count++] = range;
	}
	boot_machine.memory_count = count;
	if (!mmu_map_direct(boot_machine.archive.base, boot_machine.archive.length, MMU_READ | MMU_WRITE))
		boot_machine.archive = (struct boot_range){0};
}

static void find_console(void)
{
	const struct boot_device *console = fdt_machine_console();
	void *registers = console == NULL ? NULL : mmu_map_device(console->base, console->length);

	if (registers != NULL)
		uart_pl011_init(registers);
}

static uint32_t find_timer_line(const struct fdt *fdt)
{
	fdt_node node = fdt_find_compatible(fdt, FDT_NONE, "arm,armv8-timer");
	const uint32_t skipped = TIMER_VIRTUAL * GIC_CELLS * sizeof(uint32_t);
	struct fdt_property interrupts;
	uint32_t line, flags;

	if (!fdt_get(fdt, node, "interrupts", &interrupts) || interrupts.length <= skipped)
		give_up("the device tree has no timer");
	interrupts.data = (const uint8_t *)interrupts.data + skipped;
	interrupts.length -= skipped;
	if (!decode_interrupt(&interrupts, &line, &flags) || line >= GIC_SPI_FIRST)
		give_up("the timer's interrupt is not one");
	return line;
}

// Maps the registers that entry `index` of a node's "reg" names.
static bool map_registers(
	const struct fdt *fdt, fdt_node node, unsigned index, struct gic_registers *registers)
{
	uint64_t address;

	if (!fdt_get_reg(fdt, node, index, &address, &registers->size))
		return false;
	registers->base = mmu_map_device(address, registers->size);
	return registers->base != NULL;
}

static bool find_gic_v3(const struct fdt *fdt, uint32_t timer_line)
{
	fdt_node node = fdt_find_compatible(fdt, FDT_NONE, "arm,gic-v3");
	struct gic_registers distributor, regions[GIC_REGIONS];
	uint32_t count = 1;

	if (node == FDT_NONE || !map_registers(fdt, node, 0, &distributor))
		return false;
	fdt_get_u32(fdt, node, "#redistributor-regions", &count);
	if (count > GIC_REGIONS)
		count = GIC_REGIONS;
	for (uint32_t i = 0; i < count; i++) {
		if (!map_registers(fdt, node, 1 + i, &regions[i]))
			return false;
	}
	return gic_v3_init(&distributor, regions, count, timer_line);
}

static bool find_gic_v2(const struct fdt *fdt, uint32_t timer_line)
{
	static const char *const names[] = {"arm,cortex-a15-gic", "arm,gic-400", "arm,cortex-a7-gic"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		fdt_node node = fdt_find_compatible(fdt, FDT_NONE, names[i]);
		struct gic_registers distributor, interface;

		if (node != FDT_NONE && map_registers(fdt, node, 0, &distributor) &&
			map_registers(fdt, node, 1, &interface))
			return gic_v2_init(&distributor, &interface, timer_line);
	}
	return false;
}

static void find_interrupt_controller(const struct fdt *fdt)
{
	uint32_t timer_line = find_timer_line(fdt);

	if (!find_gic_v3(fdt, timer_line) && !find_gic_v2(fdt, timer_line))
		give_up("the device tree has no interrupt controller that is known");
	boot_machine.interrupt_lines = gic_line_count();
	interrupt_controller->init_cpu();
}

void boot_main(paddr_t device_tree, paddr_t image)
{
	struct fdt fdt;

	mmu_init(image);
	arch_cpu_init(&cpus[0]);
	if (!open_device_tree(&fdt, device_tree))
		arch_halt(); // nobody to tell
	fdt_machine_chosen(&fdt);
	fdt_machine_devices(&fdt, devices, sizeof(devices) / sizeof(devices[0]), decode_interrupt, "pl011");
	find_console();
	find_memory(&fdt, image, device_tree);
	fdt_machine_cpus(&fdt, read_system_register(mpidr_el1) & MPIDR_AFFINITY, MPIDR_AFFINITY, NULL);
	psci_init(&fdt);
	arch_time_init();
	find_interrupt_controller(&fdt);
	kernel_main();
}

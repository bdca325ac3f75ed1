// SPDX-License-Identifier: MIT
//
// The Generic Interrupt Controller, version 3 (Arm IHI 0069): distributor and redistributors in memory, the
// CPU interface in system registers.

#include "gic.h"
#include <kernel/boot.h>
#include <kernel/cpu.h>
#include <kernel/device.h>

// Byte offsets in a redistributor.
enum gic_v3_redistributor {
	GICR_TYPER = 0x0008,
	GICR_WAKER = 0x0014,
	GICR_SGI_PAGE = 0x10000,
	GICR_SIZE = 0x20000,
	GICR_SIZE_WITH_VIRTUAL = 0x40000, // GICv4
};

#define GICD_SIZE            0x10000
#define GICD_AFFINITY        0x10 // affinity routing
#define GICD_ENABLE_GROUP_1  0x02
#define GICD_WRITE_PENDING   ((uint32_t)1 << 31)
#define TYPER_VIRTUAL        ((uint64_t)1 << 1)
#define TYPER_LAST           ((uint64_t)1 << 4)
#define TYPER_AFFINITY_SHIFT 32
#define WAKER_SLEEP          ((uint32_t)1 << 1)
#define WAKER_ASLEEP         ((uint32_t)1 << 2)
#define LINE_SPURIOUS        1020 // and above
#define POLLS                (1 << 20)

static volatile uint8_t *distributor;
static struct gic_registers regions[GIC_REGIONS];
static size_t region_count;

static void write_pending_wait(void)
{
	for (unsigned polls = 0; polls < POLLS; polls++) {
		if (!(gic_read(distributor, GICD_CTLR) & GICD_WRITE_PENDING))
			return;
	}
}

// One interrupt. The next one comes by itself, after what trap_exit does.
static void dispatch(uint32_t vector)
{
	uint64_t line;

	(void)vector;
	__asm__ volatile("mrs %0, s3_0_c12_c12_0\n\tdsb sy" : "=r"(line) : : "memory"); // ICC_IAR1_EL1
	if (line >= LINE_SPURIOUS)
		return;
	gic_deliver((uint32_t)line);
	__asm__ volatile("msr s3_0_c12_c12_1, %0\n\tisb" : : "r"(line) : "memory"); // ICC_EOIR1_EL1
}

// The affinity fields of MPIDR_EL1 are where GICD_IROUTER has them.
static bool configure(uint32_t line, uint32_t flags, unsigned cpu_index)
{
	uint64_t affinity = boot_machine.cpu_hardware_ids[cpu_index];

	if (!gic_configure_trigger(line, flags))
		return false;
	*(volatile uint64_t *)(distributor + GICD_IROUTER + (uint64_t)line * sizeof(uint64_t)) = affinity;
	return true;
}

// The affinity of a CPU in the 32 bits of GICR_TYPER.
static uint32_t packed_affinity(uint64_t hardware_id)
{
	return (uint32_t)(hardware_id >> 8 & 0xff000000) | (uint32_t)(hardware_id & 0xffffff);
}

static volatile uint8_t *find_in_region(const struct gic_registers *region, uint32_t affinity)
{
	uint64_t offset = 0;

	while (offset + GICR_SIZE <= region->size) {
		volatile uint8_t *base = region->base + offset;
		uint64_t type = *(volatile uint64_t *)(base + GICR_TYPER);

		if (type >> TYPER_AFFINITY_SHIFT == affinity)
			return base;
		if (type & TYPER_LAST)
			break;
		offset += type & TYPER_VIRTUAL ? GICR_SIZE_WITH_VIRTUAL : GICR_SIZE;
	}
	return NULL;
}

static volatile uint8_t *find_redistributor(uint32_t affinity)
{
	volatile uint8_t *base = NULL;

	for (size_t i = 0; i < region_count && base == NULL; i++)
		base = find_in_region(&regions[i], affinity);
	return base;
}

static void wake(volatile uint8_t *redistributor)
{
	gic_write(redistributor, GICR_WAKER, gic_read(redistributor, GICR_WAKER) & ~WAKER_SLEEP);
	for (unsigned polls = 0; polls < POLLS; polls++) {
		if (!(gic_read(redistributor, GICR_WAKER) & WAKER_ASLEEP))
			return;
	}
}

static void init_cpu(void)
{
	uint64_t id = boot_machine.cpu_hardware_ids[cpu_self()->index];
	volatile uint8_t *redistributor = find_redistributor(packed_affinity(id));
	uint64_t enable;

	// Without one, no private interrupt comes: the CPU will be missed when it should answer.
	if (redistributor != NULL) {
		wake(redistributor);
		gic_init_private(redistributor + GICR_SGI_PAGE);
	}
	__asm__ volatile("mrs %0, s3_0_c12_c12_5" : "=r"(enable)); // ICC_SRE_EL1
	__asm__ volatile("msr s3_0_c12_c12_5, %0\n\tisb" : : "r"(enable | 1));
	__asm__ volatile("msr s3_0_c4_c6_0, %0" : : "r"((uint64_t)GIC_PRIORITY_ALL)); // ICC_PMR_EL1
	__asm__ volatile("msr s3_0_c12_c12_3, xzr");                                  // ICC_BPR1_EL1
	__asm__ volatile("msr s3_0_c12_c12_4, xzr"); // ICC_CTLR_EL1: EOI also deactivates
	__asm__ volatile("msr s3_0_c12_c12_7, %0\n\tisb" : : "r"((uint64_t)1)); // ICC_IGRPEN1_EL1
}

// ICC_SGI1R_EL1: a list of CPUs that share all but the lowest affinity field, in sixteens.
static void send_ipi(unsigned cpu_index)
{
	uint64_t id = boot_machine.cpu_hardware_ids[cpu_index];
	uint64_t level0 = id & 0xff, level1 = id >> 8 & 0xff, level2 = id >> 16 & 0xff,
		 level3 = id >> 32 & 0xff;
	uint64_t request = level3 << 48 | level0 / 16 << 44 | level2 << 32 | (uint64_t)GIC_LINE_IPI << 24 |
		level1 << 16 | (uint64_t)1 << level0 % 16;

	__asm__ volatile("msr s3_0_c12_c11_5, %0\n\tisb" : : "r"(request) : "memory");
}

static const struct interrupt_controller gic_v3 = {
	.name = "GICv3",
	.dispatch = dispatch,
	.configure = configure,
	.mask = gic_mask,
	.unmask = gic_unmask,
	.init_cpu = init_cpu,
	.send_ipi = send_ipi,
};

bool gic_v3_init(const struct gic_registers *distributor_registers,
	const struct gic_registers *region_registers, size_t count, uint32_t timer_line)
{
	if (distributor_registers->size < GICD_SIZE || count > GIC_REGIONS)
		return false;
	distributor = distributor_registers->base;
	for (size_t i = 0; i < count; i++)
		regions[i] = region_registers[i];
	region_count = count;
	gic_write(distributor, GICD_CTLR, 0);
	write_pending_wait();
	gic_write(distributor, GICD_CTLR, GICD_AFFINITY);
	gic_init_distributor(distributor, timer_line, GIC_GROUPS_1);
	gic_write(distributor, GICD_CTLR, GICD_AFFINITY | GICD_ENABLE_GROUP_1);
	write_pending_wait();
	interrupt_controller = &gic_v3;
	return true;
}

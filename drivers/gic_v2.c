// SPDX-License-Identifier: MIT
//
// The Generic Interrupt Controller, version 2 (Arm IHI 0048): distributor and CPU interface in memory.

#include "gic.h"
#include <kernel/cpu.h>
#include <kernel/device.h>

// Byte offsets in the CPU interface.
enum gic_v2_interface {
	GICC_CTLR = 0x00,
	GICC_PMR = 0x04,
	GICC_BPR = 0x08,
	GICC_IAR = 0x0c,
	GICC_EOIR = 0x10,
	GICC_SIZE = 0x1000,
};

#define GICD_SIZE         0x1000
#define CTLR_ENABLE       1
#define IAR_LINE          0x3ff // above it: the CPU that sent an IPI
#define LINE_SPURIOUS     1020  // and above
#define SGIR_TARGET_SHIFT 16

static volatile uint8_t *distributor, *interface;
static uint8_t cpu_masks[ARCH_CPU_MAX]; // the bit of each CPU's interface

// One interrupt. The next one comes by itself, after what trap_exit does. Writing EOIR takes what IAR said whole, the sender included.
static void dispatch(uint32_t vector)
{
	uint32_t acknowledged = gic_read(interface, GICC_IAR);
	uint32_t line = acknowledged & IAR_LINE;

	(void)vector;
	if (line >= LINE_SPURIOUS)
		return;
	gic_deliver(line);
	gic_write(interface, GICC_EOIR, acknowledged);
}

static bool configure(uint32_t line, uint32_t flags, unsigned cpu_index)
{
	if (!gic_configure_trigger(line, flags))
		return false;
	distributor[GICD_ITARGETSR + line] = cpu_masks[cpu_index];
	return true;
}

// The target fields of private lines read as the CPU's own bit (IHI 0048, 4.3.12); with one CPU they may read
// as 0.
static void init_cpu(void)
{
	uint8_t mask = distributor[GICD_ITARGETSR];

	cpu_masks[cpu_self()->index] = mask != 0 ? mask : 1;
	gic_init_private(distributor);
	gic_write(interface, GICC_PMR, GIC_PRIORITY_ALL);
	gic_write(interface, GICC_BPR, 0);
	gic_write(interface, GICC_CTLR, CTLR_ENABLE);
}

static void send_ipi(unsigned cpu_index)
{
	gic_write(distributor, GICD_SGIR, (uint32_t)cpu_masks[cpu_index] << SGIR_TARGET_SHIFT | GIC_LINE_IPI);
}

static const struct interrupt_controller gic_v2 = {
	.name = "GICv2",
	.dispatch = dispatch,
	.configure = configure,
	.mask = gic_mask,
	.unmask = gic_unmask,
	.init_cpu = init_cpu,
	.send_ipi = send_ipi,
};

bool gic_v2_init(const struct gic_registers *distributor_registers,
	const struct gic_registers *interface_registers, uint32_t timer_line)
{
	if (distributor_registers->size < GICD_SIZE || interface_registers->size < GICC_SIZE)
		return false;
	distributor = distributor_registers->base;
	interface = interface_registers->base;
	gic_write(distributor, GICD_CTLR, 0);
	gic_init_distributor(distributor, timer_line, GIC_GROUPS_0);
	gic_write(distributor, GICD_CTLR, CTLR_ENABLE);
	interrupt_controller = &gic_v2;
	return true;
}

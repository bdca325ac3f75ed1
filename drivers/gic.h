// SPDX-License-Identifier: MIT
//
// What GICv2 and GICv3 have in common: the distributor's registers for lines, and what comes of an
// acknowledged interrupt.

#ifndef DRIVERS_GIC_H
#define DRIVERS_GIC_H

#include <kernel/gic.h>

// Software-generated interrupt 0 is the IPI.
#define GIC_LINE_IPI 0

#define GIC_GROUPS_0 \
	0 // of GICv2: the only ones a system without security has, else the firmware's choice stays
#define GIC_GROUPS_1 UINT32_MAX // of GICv3: non-secure

#define GIC_PRIORITY     0x80 // of every line
#define GIC_PRIORITY_ALL 0xff // mask that lets every priority in

// Byte offsets in the distributor; those for private lines are the same in a GICv3 redistributor's SGI page.
enum gic_register {
	GICD_CTLR = 0x0000,
	GICD_TYPER = 0x0004,
	GICD_IGROUPR = 0x0080,
	GICD_ISENABLER = 0x0100,
	GICD_ICENABLER = 0x0180,
	GICD_ICACTIVER = 0x0380,
	GICD_IPRIORITYR = 0x0400,
	GICD_ITARGETSR = 0x0800,
	GICD_ICFGR = 0x0c00,
	GICD_SGIR = 0x0f00,
	GICD_IROUTER = 0x6000,
};

static inline uint32_t gic_read(volatile uint8_t *base, uint32_t offset)
{
	return *(volatile uint32_t *)(base + offset);
}

static inline void gic_write(volatile uint8_t *base, uint32_t offset, uint32_t value)
{
	*(volatile uint32_t *)(base + offset) = value;
}

// Takes the number of lines from the distributor and puts all shared ones into a known state: masked, not
// active, level, of one priority and one group: all bits of `groups` are its number.
void gic_init_distributor(volatile uint8_t *distributor, uint32_t timer_line, uint32_t groups);
// The same for this CPU's private lines, whose registers are at `base`; unmasks IPI and timer.
void gic_init_private(volatile uint8_t *base);

// Operations of struct interrupt_controller.
bool gic_configure_trigger(uint32_t line, uint32_t flags);
void gic_mask(uint32_t line);
void gic_unmask(uint32_t line);

// Calls the core for an acknowledged interrupt.
void gic_deliver(uint32_t line);

#endif

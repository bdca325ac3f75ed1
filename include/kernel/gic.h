// SPDX-License-Identifier: MIT
//
// The Arm Generic Interrupt Controller, versions 2 and 3. Lines are its interrupt identifiers (INTIDs).

#ifndef KERNEL_GIC_H
#define KERNEL_GIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GIC_PPI_FIRST 16 // private peripheral interrupts: each CPU has its own
#define GIC_PPI_COUNT 16
#define GIC_SPI_FIRST 32 // shared peripheral interrupts: the lines of devices
#define GIC_SPI_COUNT 988

#define GIC_REGIONS 8 // of redistributors

// Mapped registers and their extent in bytes.
struct gic_registers {
	volatile uint8_t *base;
	uint64_t size;
};

// Make the controller that has these registers the interrupt_controller. False: it is not what it claims to
// be. `timer_line` is the private line for trap_timer.
bool gic_v2_init(
	const struct gic_registers *distributor, const struct gic_registers *interface, uint32_t timer_line);
bool gic_v3_init(const struct gic_registers *distributor, const struct gic_registers *regions,
	size_t region_count, uint32_t timer_line);

// Lines are below it.
uint32_t gic_line_count(void);

#endif

// SPDX-License-Identifier: MIT
//
// The local and I/O APICs of x86_64: what the ISA needs beyond the interrupt_controller operations.

#ifndef KERNEL_APIC_H
#define KERNEL_APIC_H

#include <stdbool.h>
#include <stdint.h>

// Takes over the interrupts of the machine that acpi_machine describes: legacy controllers masked, all lines
// masked. Sets interrupt_controller. Returns the number of lines.
uint32_t apic_init(void);

// This CPU's hardware id.
uint32_t apic_id(void);

// The local timer, counting down once from `count` (0: stopped), or at a value of the time-stamp counter.
// Rate unknown.
void apic_timer_start(uint32_t count);
uint32_t apic_timer_count(void);
void apic_timer_use_deadlines(void);

// Resets another CPU, and starts it at a page below 1 MiB (Intel SDM volume 3, 9.4).
void apic_send_init(uint64_t hardware_id);
void apic_send_startup(uint64_t hardware_id, uint8_t page);

#endif

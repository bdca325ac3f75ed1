// SPDX-License-Identifier: MIT
//
// The devices that the kernel drives itself, each behind a structure of operations: early console and
// interrupt controller.

#ifndef KERNEL_DEVICE_H
#define KERNEL_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Writes bytes by polling. Works in any context, from the first instructions after boot to a panic.
struct early_console {
	void (*write)(const char *text, size_t length);
};

extern const struct early_console *early_console; // NULL: none found

struct interrupt_controller {
	const char *name;
	// Handles one interrupt that is pending on this CPU, if any is: calls trap_timer, trap_ipi or
	// trap_interrupt and ends it. If more are pending, the CPU is interrupted again, and others run first
	// if they are more urgent. `vector` is the ISA's hint (x86_64: the vector).
	void (*dispatch)(uint32_t vector);
	// Sets up a device line (INTERRUPT_EDGE ...), masked, routed to `cpu_index`; false for a line that no
	// device can have.
	bool (*configure)(uint32_t line, uint32_t flags, unsigned cpu_index);
	void (*mask)(uint32_t line);
	void (*unmask)(uint32_t line);
	// Prepares this CPU's part of it.
	void (*init_cpu)(void);
	// Sends an IPI to another CPU; NULL where the ISA does it in another way.
	void (*send_ipi)(unsigned cpu_index);
};

// trap_interrupt masks the line before it signals it; dispatch ends the interrupt (EOI, complete) after
// trap_interrupt returned.
extern const struct interrupt_controller *interrupt_controller;

#endif

// SPDX-License-Identifier: MIT
//
// What the console needs of a UART: bursts in and out, and interrupts for either.

#ifndef CONSOLE_UART_H
#define CONSOLE_UART_H

#include <runtime/device.h>
#include <stddef.h>

struct uart_operations {
	const char *name; // of the device
	// Takes the device over as the kernel or the firmware left it, with receive interrupts on.
	void (*start)(const struct device *device);
	// Takes up to `room` bytes that have arrived; returns how many.
	size_t (*receive)(const struct device *device, uint8_t *bytes, size_t room);
	// Hands over as many bytes as the device takes at once; returns how many, 0 while it is busy.
	size_t (*transmit)(const struct device *device, const uint8_t *bytes, size_t length);
	// Chooses the interrupts: when there is something to receive, when there is room to transmit.
	void (*set_interrupts)(const struct device *device, bool receive, bool transmit);
	// Whether an interrupt is asserted.
	bool (*is_pending)(const struct device *device);
	// Whether the last byte has left the device.
	bool (*is_idle)(const struct device *device);
};

extern const struct uart_operations uart_16550_operations;
extern const struct uart_operations uart_pl011_operations;

#endif

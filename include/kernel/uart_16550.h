// SPDX-License-Identifier: MIT
//
// The 16550 UART as an early console, behind I/O ports or memory-mapped registers.

#ifndef KERNEL_UART_16550_H
#define KERNEL_UART_16550_H

#include <stdbool.h>
#include <stdint.h>

struct uart_16550 {
	bool io_ports;          // false: memory-mapped
	uint8_t register_shift; // distance of registers as a power of two
	uint8_t register_width; // bytes of an access: 1 or 4
	uint32_t clock_hz;      // input clock, for 115200 baud; 0: the speed stays as the firmware left it
	uintptr_t base;         // first port, or virtual address of the registers
};

// Sets it to 8 data bits, no parity, polled, and makes it the early console.
void uart_16550_init(const struct uart_16550 *uart);

#endif

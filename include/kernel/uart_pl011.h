// SPDX-License-Identifier: MIT
//
// The Arm PL011 UART as early console.

#ifndef KERNEL_UART_PL011_H
#define KERNEL_UART_PL011_H

// Makes the UART with these registers (mapped) the early console. The firmware's line settings stay.
void uart_pl011_init(volatile void *registers);

#endif

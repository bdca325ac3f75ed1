// SPDX-License-Identifier: MIT
//
// The 16550 UART (National Semiconductor PC16550D), polled, for output only.

#include <arch/cpu.h>
#include <kernel/device.h>
#include <kernel/uart_16550.h>

enum uart_register {
	UART_TRANSMIT = 0,
	UART_DIVISOR_LOW = 0, // while LINE_DIVISOR_ACCESS is set
	UART_INTERRUPT_ENABLE = 1,
	UART_DIVISOR_HIGH = 1,
	UART_FIFO_CONTROL = 2,
	UART_LINE_CONTROL = 3,
	UART_MODEM_CONTROL = 4,
	UART_LINE_STATUS = 5,
};

#define FIFO_ENABLE_AND_CLEAR 0x07
#define LINE_8N1              0x03
#define LINE_DIVISOR_ACCESS   0x80
#define MODEM_READY           0x03 // DTR and RTS
#define STATUS_TRANSMIT_EMPTY 0x20
#define BAUD_RATE             115200
#define CLOCKS_PER_BIT        16
#define TRANSMIT_POLLS        (1 << 18) // then the byte is dropped: a broken UART must not stop the kernel

static struct uart_16550 console;

static uint8_t read_register(enum uart_register index)
{
	uintptr_t address = console.base + ((uintptr_t)index << console.register_shift);
	uint32_t value = 0;

	if (console.io_ports)
		arch_io_port_read((uint16_t)address, 1, &value);
	else if (console.register_width == 4)
		value = *(volatile uint32_t *)address;
	else
		value = *(volatile uint8_t *)address;
	return (uint8_t)value;
}

static void write_register(enum uart_register index, uint8_t value)
{
	uintptr_t address = console.base + ((uintptr_t)index << console.register_shift);

	if (console.io_ports)
		arch_io_port_write((uint16_t)address, 1, value);
	else if (console.register_width == 4)
		*(volatile uint32_t *)address = value;
	else
		*(volatile uint8_t *)address = value;
}

static void write_text(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		for (unsigned polls = 0; polls < TRANSMIT_POLLS; polls++) {
			if (read_register(UART_LINE_STATUS) & STATUS_TRANSMIT_EMPTY) {
				write_register(UART_TRANSMIT, (uint8_t)text[i]);
				break;
			}
			arch_cpu_relax();
		}
	}
}

static const struct early_console uart_16550_console = {.write = write_text};

void uart_16550_init(const struct uart_16550 *uart)
{
	console = *uart;

	write_register(UART_INTERRUPT_ENABLE, 0);
	if (console.clock_hz != 0) {
		uint32_t divisor = console.clock_hz / (CLOCKS_PER_BIT * BAUD_RATE);

		write_register(UART_LINE_CONTROL, LINE_8N1 | LINE_DIVISOR_ACCESS);
		write_register(UART_DIVISOR_LOW, (uint8_t)divisor);
		write_register(UART_DIVISOR_HIGH, (uint8_t)(divisor >> 8));
	}
	write_register(UART_LINE_CONTROL, LINE_8N1);
	write_register(UART_FIFO_CONTROL, FIFO_ENABLE_AND_CLEAR);
	write_register(UART_MODEM_CONTROL, MODEM_READY);
	early_console = &uart_16550_console;
}

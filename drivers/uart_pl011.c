// SPDX-License-Identifier: MIT
//
// The Arm PrimeCell UART PL011 (DDI 0183), polled, for output only.

#include <arch/cpu.h>
#include <kernel/device.h>
#include <kernel/uart_pl011.h>

// Byte offsets of registers.
enum pl011_register {
	PL011_DATA = 0x00,
	PL011_FLAGS = 0x18,
	PL011_LINE_CONTROL = 0x2c,
	PL011_CONTROL = 0x30,
	PL011_INTERRUPT_MASK = 0x38,
};

#define FLAG_TRANSMIT_FULL 0x20
#define LINE_8_BITS_FIFO   0x70
#define CONTROL_ENABLE     0x101     // UART and transmitter
#define TRANSMIT_POLLS     (1 << 18) // then the byte is dropped: a broken UART must not stop the kernel

static volatile uint8_t *console;

static uint32_t read_register(enum pl011_register offset)
{
	return *(volatile uint32_t *)(console + offset);
}

static void write_register(enum pl011_register offset, uint32_t value)
{
	*(volatile uint32_t *)(console + offset) = value;
}

static void write_text(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		for (unsigned polls = 0; polls < TRANSMIT_POLLS; polls++) {
			if (!(read_register(PL011_FLAGS) & FLAG_TRANSMIT_FULL)) {
				write_register(PL011_DATA, (uint8_t)text[i]);
				break;
			}
			arch_cpu_relax();
		}
	}
}

static const struct early_console uart_pl011_console = {.write = write_text};

void uart_pl011_init(volatile void *registers)
{
	console = registers;
	write_register(PL011_INTERRUPT_MASK, 0);
	write_register(PL011_LINE_CONTROL, LINE_8_BITS_FIFO);
	write_register(PL011_CONTROL, CONTROL_ENABLE);
	early_console = &uart_pl011_console;
}

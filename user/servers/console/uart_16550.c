// SPDX-License-Identifier: MIT
//
// The 16550 UART with its FIFOs of 16 bytes (datasheet: PC16550D).

#include "uart.h"

#define FIFO_SIZE 16

enum {
	REGISTER_DATA = 0,
	REGISTER_INTERRUPT_ENABLE = 1,
	REGISTER_INTERRUPT_CAUSE = 2, // reading
	REGISTER_FIFO_CONTROL = 2,    // writing
	REGISTER_MODEM_CONTROL = 4,
	REGISTER_LINE_STATUS = 5,
};

enum {
	ENABLE_RECEIVE = 1 << 0,
	ENABLE_TRANSMIT = 1 << 1,
	CAUSE_NONE = 1 << 0,
	FIFO_ENABLE = 1 << 0, // interrupt at the first byte
	MODEM_READY = 3 << 0, // data terminal ready, request to send
	MODEM_INTERRUPT = 1 << 3,
	STATUS_RECEIVED = 1 << 0,
	STATUS_ROOM = 1 << 5, // the transmit FIFO is empty
	STATUS_IDLE = 1 << 6,
};

static void start(const struct device *device)
{
	device_write8(device, REGISTER_FIFO_CONTROL, FIFO_ENABLE);
	device_write8(device, REGISTER_MODEM_CONTROL, MODEM_READY | MODEM_INTERRUPT);
	device_write8(device, REGISTER_INTERRUPT_ENABLE, ENABLE_RECEIVE);
	// QEMU keeps what was typed before the machine was ready until the data register is read.
	if (!(device_read8(device, REGISTER_LINE_STATUS) & STATUS_RECEIVED)) {
		device_read8(device, REGISTER_DATA);
	}
}

static size_t receive(const struct device *device, uint8_t *bytes, size_t room)
{
	size_t count = 0;
	while (count < room && (device_read8(device, REGISTER_LINE_STATUS) & STATUS_RECEIVED))
		bytes[count++] = device_read8(device, REGISTER_DATA);
	return count;
}

static size_t transmit(const struct device *device, const uint8_t *bytes, size_t length)
{
	size_t burst = length < FIFO_SIZE ? length : FIFO_SIZE;
	if (!(device_read8(device, REGISTER_LINE_STATUS) & STATUS_ROOM))
		return 0;
	device_write8_all(device, REGISTER_DATA, bytes, burst);
	return burst;
}

static void set_interrupts(const struct device *device, bool receive_wanted, bool transmit_wanted)
{
	device_write8(device, REGISTER_INTERRUPT_ENABLE,
		(receive_wanted ? ENABLE_RECEIVE : 0) | (transmit_wanted ? ENABLE_TRANSMIT : 0));
}

static bool is_pending(const struct device *device)
{
	return !(device_read8(device, REGISTER_INTERRUPT_CAUSE) & CAUSE_NONE);
}

static bool is_idle(const struct device *device)
{
	return device_read8(device, REGISTER_LINE_STATUS) & STATUS_IDLE;
}

const struct uart_operations uart_16550_operations = {
	.name = "uart16550",
	.start = start,
	.receive = receive,
	.transmit = transmit,
	.set_interrupts = set_interrupts,
	.is_pending = is_pending,
	.is_idle = is_idle,
};

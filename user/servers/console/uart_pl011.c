// SPDX-License-Identifier: MIT
//
// Arm's PL011 UART (technical reference manual: DDI 0183).

#include "uart.h"

enum {
	REGISTER_DATA = 0x00,
	REGISTER_FLAGS = 0x18,
	REGISTER_INTERRUPT_MASK = 0x38,
	REGISTER_INTERRUPT_STATUS = 0x40, // of those in the mask
	REGISTER_INTERRUPT_CLEAR = 0x44,
};

enum {
	FLAG_BUSY = 1 << 3,
	FLAG_RECEIVE_EMPTY = 1 << 4,
	FLAG_TRANSMIT_FULL = 1 << 5,
	INTERRUPT_RECEIVE = 1 << 4,
	INTERRUPT_TRANSMIT = 1 << 5,
	INTERRUPT_RECEIVE_TIMEOUT = 1 << 6, // bytes below the FIFO's threshold have waited
	INTERRUPTS_ALL = 0x7ff,
};

static void start(const struct device *device)
{
	device_write32(device, REGISTER_INTERRUPT_CLEAR, INTERRUPTS_ALL);
	device_write32(device, REGISTER_INTERRUPT_MASK, INTERRUPT_RECEIVE | INTERRUPT_RECEIVE_TIMEOUT);
}

static size_t receive(const struct device *device, uint8_t *bytes, size_t room)
{
	size_t count = 0;
	device_write32(device, REGISTER_INTERRUPT_CLEAR, INTERRUPT_RECEIVE | INTERRUPT_RECEIVE_TIMEOUT);
	while (count < room && !(device_read32(device, REGISTER_FLAGS) & FLAG_RECEIVE_EMPTY))
		bytes[count++] = (uint8_t)device_read32(device, REGISTER_DATA);
	return count;
}

static size_t transmit(const struct device *device, const uint8_t *bytes, size_t length)
{
	size_t count = 0;
	while (count < length && !(device_read32(device, REGISTER_FLAGS) & FLAG_TRANSMIT_FULL))
		device_write32(device, REGISTER_DATA, bytes[count++]);
	return count;
}

static void set_interrupts(const struct device *device, bool receive_wanted, bool transmit_wanted)
{
	device_write32(device, REGISTER_INTERRUPT_MASK,
		(receive_wanted ? INTERRUPT_RECEIVE | INTERRUPT_RECEIVE_TIMEOUT : 0) |
			(transmit_wanted ? INTERRUPT_TRANSMIT : 0));
}

static bool is_pending(const struct device *device)
{
	return device_read32(device, REGISTER_INTERRUPT_STATUS) != 0;
}

static bool is_idle(const struct device *device)
{
	return !(device_read32(device, REGISTER_FLAGS) & FLAG_BUSY);
}

const struct uart_operations uart_pl011_operations = {
	.name = "pl011",
	.start = start,
	.receive = receive,
	.transmit = transmit,
	.set_interrupts = set_interrupts,
	.is_pending = is_pending,
	.is_idle = is_idle,
};

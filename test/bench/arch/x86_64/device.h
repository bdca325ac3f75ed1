// SPDX-License-Identifier: MIT
//
// A device that interrupts when it is told to: the second UART, which reports that it has nothing left to send as soon as it
// may.

#ifndef DEVICE_H
#define DEVICE_H

#define DEVICE_LINE  3
#define DEVICE_FLAGS INTERRUPT_EDGE

#define PORT_INTERRUPT_ENABLE   0x2f9
#define PORT_INTERRUPT_IDENTITY 0x2fa
#define PORT_SCRATCH            0x2ff
#define TRANSMITTER_EMPTY       2

struct device {
	handle_t ports;
};

static inline bool device_open(struct device *device)
{
	uint64_t value = 0;

	device->ports = start_handle(START_PORTS);
	io_port_write(device->ports, PORT_SCRATCH, 1, 0x5a);
	io_port_read(device->ports, PORT_SCRATCH, 1, &value);
	return value == 0x5a;
}

static inline void device_raise(const struct device *device)
{
	io_port_write(device->ports, PORT_INTERRUPT_ENABLE, 1, TRANSMITTER_EMPTY);
}

static inline void device_touch(const struct device *device)
{
	io_port_write(device->ports, PORT_SCRATCH, 1, 0);
}

static inline void device_quiet(const struct device *device)
{
	uint64_t identity;

	io_port_read(device->ports, PORT_INTERRUPT_IDENTITY, 1, &identity);
	io_port_write(device->ports, PORT_INTERRUPT_ENABLE, 1, 0);
}

#endif

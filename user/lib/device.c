// SPDX-License-Identifier: MIT
//
// The one device that a driver was given.

#include <runtime/device.h>
#include <runtime/start.h>
#include <runtime/system_calls.h>
#include <stdlib.h>
#include <string.h>

static uint64_t number(const char *variable)
{
	const char *text = getenv(variable);
	return text != NULL ? strtoull(text, NULL, 10) : 0;
}

static enum error map_registers(handle_t memory, struct device *device)
{
	uint64_t address;
	struct map_request map = {
		.memory = memory,
		.length = (device->base + device->length + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1),
		.flags = MAPPING_READ | MAPPING_WRITE | MAPPING_DEVICE,
	};
	enum error error = address_space_map(HANDLE_SELF, &map, &address);
	if (error == ERR_OK)
		device->base += address;
	return error;
}

enum error device_open(struct device *device)
{
	const char *bus = getenv("DEVICE_BUS");
	handle_t registers = start_handle(START_REGISTERS);
	*device = (struct device){
		.name = getenv("DEVICE_NAME"),
		.interrupt = start_handle(START_INTERRUPT),
		.base = number("DEVICE_BASE"),
		.length = number("DEVICE_LENGTH"),
		.shift = (unsigned)number("DEVICE_SHIFT"),
	};
	if (device->name == NULL || bus == NULL || registers == HANDLE_NONE)
		return ERR_NOT_FOUND;
	if (strcmp(bus, "port") == 0) {
		device->ports = registers;
		return ERR_OK;
	}
	return map_registers(registers, device);
}

uint8_t device_read8(const struct device *device, unsigned index)
{
	uint64_t place = device->base + ((uint64_t)index << device->shift);
	uint64_t value = 0;
	if (device->ports == HANDLE_NONE)
		return *(volatile uint8_t *)place;
	io_port_read(device->ports, (uint32_t)place, 1, &value);
	return (uint8_t)value;
}

void device_write8(const struct device *device, unsigned index, uint8_t value)
{
	uint64_t place = device->base + ((uint64_t)index << device->shift);
	if (device->ports == HANDLE_NONE)
		*(volatile uint8_t *)place = value;
	else
		io_port_write(device->ports, (uint32_t)place, 1, value);
}

void device_write8_all(const struct device *device, unsigned index, const uint8_t *bytes, size_t length)
{
	uint64_t place = device->base + ((uint64_t)index << device->shift);
	if (device->ports != HANDLE_NONE) {
		io_port_write_bytes(device->ports, (uint32_t)place, bytes, length);
		return;
	}
	for (size_t i = 0; i < length; i++)
		*(volatile uint8_t *)place = bytes[i];
}

uint32_t device_read32(const struct device *device, unsigned offset)
{
	return *(volatile uint32_t *)(device->base + offset);
}

void device_write32(const struct device *device, unsigned offset, uint32_t value)
{
	*(volatile uint32_t *)(device->base + offset) = value;
}

// SPDX-License-Identifier: MIT
//
// A device that interrupts when it is told to: QEMU's `edu` on the PCI bus, in slot 1. The device.h of an ISA includes this
// after it has said where the bus's configuration space (CONFIGURATION) and a window for devices' memory (WINDOW) are.

#ifndef EDU_H
#define EDU_H

#define SLOT_1 ((uint64_t)1 << 15)

// Words of the configuration space.
enum {
	PCI_IDENTITY = 0,
	PCI_COMMAND = 1,
	PCI_BASE_ADDRESS = 4,
};

#define IDENTITY      0x11e81234
#define ENABLE_MEMORY 2

// Words of the device's memory.
enum {
	EDU_CHECK = 1,
	EDU_RAISE = 0x60 / 4,
	EDU_ACKNOWLEDGE = 0x64 / 4,
};

struct device {
	volatile uint32_t *registers;
};

static inline volatile uint32_t *device_map(uint64_t physical)
{
	struct map_request request = {
		.length = PAGE_SIZE, .flags = MAPPING_READ | MAPPING_WRITE | MAPPING_DEVICE};
	uint64_t address;

	if (memory_create_physical(start_handle(START_PHYSICAL), physical, PAGE_SIZE, &request.memory) ||
		address_space_map(HANDLE_SELF, &request, &address))
		return NULL;
	return (volatile uint32_t *)address;
}

static inline bool device_open(struct device *device)
{
	volatile uint32_t *configuration = device_map(CONFIGURATION + SLOT_1);

	device->registers = device_map(WINDOW);
	if (configuration == NULL || device->registers == NULL || configuration[PCI_IDENTITY] != IDENTITY)
		return false;
	configuration[PCI_BASE_ADDRESS] = WINDOW;
	configuration[PCI_COMMAND] = ENABLE_MEMORY;
	return true;
}

static inline void device_raise(const struct device *device)
{
	device->registers[EDU_RAISE] = 1;
}

static inline void device_touch(const struct device *device)
{
	device->registers[EDU_CHECK] = 1;
}

static inline void device_quiet(const struct device *device)
{
	device->registers[EDU_ACKNOWLEDGE] = 1;
}

#endif

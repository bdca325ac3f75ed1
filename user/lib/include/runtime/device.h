// SPDX-License-Identifier: MIT
//
// The one device that a driver was given: the start handles "registers" (I/O ports or memory) and
// "interrupt", and a description in environment strings: DEVICE_NAME (as in struct boot_device), DEVICE_BUS
// (port or memory), DEVICE_BASE (first port, or offset in the memory), DEVICE_LENGTH (ports or bytes),
// DEVICE_SHIFT (distance of registers as a power of two).

#ifndef RUNTIME_DEVICE_H
#define RUNTIME_DEVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <tern/types.h>

struct device {
	const char *name;
	handle_t interrupt; // HANDLE_NONE: none
	handle_t ports;     // HANDLE_NONE: registers are memory
	uint64_t base;      // first port, or address
	uint64_t length;
	unsigned shift;
};

// Reads the description and maps the registers. Errors: NOT_FOUND (no device given), those of mapping.
enum error device_open(struct device *device);

// Accesses register number `index` of a device whose registers stand 1 << shift bytes apart.
uint8_t device_read8(const struct device *device, unsigned index);
void device_write8(const struct device *device, unsigned index, uint8_t value);
// Writes bytes one after the other to one register.
void device_write8_all(const struct device *device, unsigned index, const uint8_t *bytes, size_t length);

// Accesses the 32-bit register at an offset in bytes.
uint32_t device_read32(const struct device *device, unsigned offset);
void device_write32(const struct device *device, unsigned offset, uint32_t value);

#endif

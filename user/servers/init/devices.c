// SPDX-License-Identifier: MIT
//
// Devices of the machine for their drivers.

#include "devices.h"
#include <runtime/format.h>
#include <runtime/system_calls.h>
#include <string.h>

static const struct boot_device *find(const struct boot_info *info, const char *name)
{
	bool console = strcmp(name, "console") == 0;
	for (uint64_t i = 0; i < info->device_count; i++) {
		const struct boot_device *device = &info->devices[i];
		if (console ? device->is_console : strncmp(device->name, name, BOOT_DEVICE_NAME) == 0)
			return device;
	}
	return NULL;
}

static enum error make_capabilities(
	const struct boot_info *info, const struct boot_device *device, struct device_grant *grant)
{
	enum error error;
	if (device->bus == BUS_IO_PORT) {
		error = resource_create(
			info->resources[RESOURCE_IO_PORT], device->base, device->length, &grant->registers);
	} else {
		uint64_t first = device->base & ~(PAGE_SIZE - 1);
		uint64_t end = (device->base + device->length + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
		error = memory_create_physical(
			info->resources[RESOURCE_PHYSICAL], first, end - first, &grant->registers);
	}
	if (error == ERR_OK && device->interrupt != UINT32_MAX) {
		error = interrupt_create(info->resources[RESOURCE_INTERRUPT], device->interrupt,
			device->interrupt_flags, &grant->interrupt);
	}
	return error;
}

static void describe(const struct boot_device *device, struct device_grant *grant)
{
	bool ports = device->bus == BUS_IO_PORT;
	uint64_t base = ports ? device->base : device->base % PAGE_SIZE;
	format_text(
		grant->strings[0], DEVICE_STRING_LENGTH, "DEVICE_NAME=%.*s", BOOT_DEVICE_NAME, device->name);
	format_text(grant->strings[1], DEVICE_STRING_LENGTH, "DEVICE_BUS=%s", ports ? "port" : "memory");
	format_text(grant->strings[2], DEVICE_STRING_LENGTH, "DEVICE_BASE=%zu", base);
	format_text(grant->strings[3], DEVICE_STRING_LENGTH, "DEVICE_LENGTH=%zu", device->length);
	format_text(grant->strings[4], DEVICE_STRING_LENGTH, "DEVICE_SHIFT=%u", device->register_shift);
}

bool device_find(const struct boot_info *info, const struct manifest_names *names, struct device_grant *grant)
{
	const struct boot_device *device = NULL;
	for (size_t i = 0; i < names->count && device == NULL; i++)
		device = find(info, names->name[i]);
	if (device == NULL)
		return false;
	enum error error = make_capabilities(info, device, grant);
	if (error != ERR_OK) {
		log_print(LOG_ERROR, "device %.*s: %s", BOOT_DEVICE_NAME, device->name, error_text(error));
		return false;
	}
	describe(device, grant);
	return true;
}

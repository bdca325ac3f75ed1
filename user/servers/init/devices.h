// SPDX-License-Identifier: MIT
//
// Devices of the machine for their drivers: capabilities, and a description in environment strings, which
// runtime/device.h reads.

#ifndef INIT_DEVICES_H
#define INIT_DEVICES_H

#include "manifest.h"
#include <tern/boot.h>

#define DEVICE_STRINGS       5
#define DEVICE_STRING_LENGTH 48

// What a driver is given, made once and lent to each incarnation of it.
struct device_grant {
	handle_t registers; // I/O ports, or memory
	handle_t interrupt; // HANDLE_NONE: the device has none
	char strings[DEVICE_STRINGS][DEVICE_STRING_LENGTH];
};

// Finds the first device of the names and makes its capabilities. False: the machine has none of them, or it
// could not be had.
bool device_find(
	const struct boot_info *info, const struct manifest_names *names, struct device_grant *grant);

#endif

// SPDX-License-Identifier: MIT
//
// The clocks that count in a register: Arm's PL031 (DDI 0224) in seconds, the goldfish clock of QEMU's virt
// machines in nanoseconds.

#include "rtc.h"

enum {
	PL031_DATA = 0x00,
	GOLDFISH_TIME_LOW = 0x00, // reading it latches the high half
	GOLDFISH_TIME_HIGH = 0x04,
};

uint64_t rtc_pl031_read(const struct device *device)
{
	return device_read32(device, PL031_DATA) * NANOSECONDS;
}

uint64_t rtc_goldfish_read(const struct device *device)
{
	uint64_t low = device_read32(device, GOLDFISH_TIME_LOW);
	return (uint64_t)device_read32(device, GOLDFISH_TIME_HIGH) << 32 | low;
}

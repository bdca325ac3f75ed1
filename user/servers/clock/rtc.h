// SPDX-License-Identifier: MIT
//
// Real-time clocks. Each function reads the time of day: nanoseconds since 1970-01-01 00:00 UTC.

#ifndef CLOCK_RTC_H
#define CLOCK_RTC_H

#include <runtime/device.h>

#define NANOSECONDS ((uint64_t)1000000000)

uint64_t rtc_cmos_read(const struct device *device);
uint64_t rtc_pl031_read(const struct device *device);
uint64_t rtc_goldfish_read(const struct device *device);

#endif

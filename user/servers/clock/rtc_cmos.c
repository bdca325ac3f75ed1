// SPDX-License-Identifier: MIT
//
// The PC's clock (MC146818) behind an index and a data port: calendar fields, in binary or BCD, which must
// not be read while the clock changes them.

#include "rtc.h"
#include <string.h>

enum {
	PORT_INDEX = 0,
	PORT_DATA = 1,
};

enum {
	FIELD_SECONDS = 0,
	FIELD_MINUTES = 2,
	FIELD_HOURS = 4,
	FIELD_DAY = 7,
	FIELD_MONTH = 8,
	FIELD_YEAR = 9,
	STATUS_A = 10,
	STATUS_B = 11,
};

#define STATUS_A_CHANGING 0x80
#define STATUS_B_24_HOURS 0x02
#define STATUS_B_BINARY   0x04
#define HOURS_AFTERNOON   0x80
#define TRIES             1000

struct fields {
	uint8_t seconds, minutes, hours, day, month, year;
};

static uint8_t read_field(const struct device *device, uint8_t field)
{
	device_write8(device, PORT_INDEX, field);
	return device_read8(device, PORT_DATA);
}

static struct fields read_fields(const struct device *device)
{
	return (struct fields){
		.seconds = read_field(device, FIELD_SECONDS),
		.minutes = read_field(device, FIELD_MINUTES),
		.hours = read_field(device, FIELD_HOURS),
		.day = read_field(device, FIELD_DAY),
		.month = read_field(device, FIELD_MONTH),
		.year = read_field(device, FIELD_YEAR),
	};
}

// Reads until two readings agree and no change was under way.
static struct fields read_stable(const struct device *device)
{
	struct fields first = read_fields(device), second = first;
	for (unsigned i = 0; i < TRIES; i++) {
		bool changing = read_field(device, STATUS_A) & STATUS_A_CHANGING;
		first = read_fields(device);
		second = read_fields(device);
		if (!changing && memcmp(&first, &second, sizeof(first)) == 0)
			break;
	}
	return second;
}

static unsigned decode(uint8_t value, bool binary)
{
	return binary ? value : (value >> 4) * 10u + (value & 15);
}

// Days from 1970-01-01 to a date of the Gregorian calendar; the year begins in March, so that the leap day is
// last.
static uint64_t days_since_1970(unsigned year, unsigned month, unsigned day)
{
	unsigned from_march = (month + 9) % 12;
	unsigned march_year = year - (month < 3);
	uint64_t days = 365ull * march_year + march_year / 4 - march_year / 100 + march_year / 400;
	return days + (153 * from_march + 2) / 5 + day - 1 - 719468;
}

uint64_t rtc_cmos_read(const struct device *device)
{
	struct fields fields = read_stable(device);
	uint8_t status = read_field(device, STATUS_B);
	bool binary = status & STATUS_B_BINARY;
	unsigned hours = decode(fields.hours & ~HOURS_AFTERNOON, binary);
	if (!(status & STATUS_B_24_HOURS))
		hours = hours % 12 + (fields.hours & HOURS_AFTERNOON ? 12 : 0);
	uint64_t days = days_since_1970(
		2000 + decode(fields.year, binary), decode(fields.month, binary), decode(fields.day, binary));
	uint64_t minutes = (days * 24 + hours) * 60 + decode(fields.minutes, binary);
	return (minutes * 60 + decode(fields.seconds, binary)) * NANOSECONDS;
}

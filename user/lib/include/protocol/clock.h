// SPDX-License-Identifier: MIT
//
// The wall clock. Spoken by the driver of the real-time clock, under the name "clock".

#ifndef PROTOCOL_CLOCK_H
#define PROTOCOL_CLOCK_H

enum clock_label {
	// Tells what to add to the monotonic clock (clock_get) to get the time of day.
	//   out: word 0: nanoseconds since 1970-01-01 00:00 UTC at which the monotonic clock was 0
	// Errors: NOT_SUPPORTED (no real-time clock in this machine).
	CLOCK_GET_OFFSET = 0x600,
};

#endif

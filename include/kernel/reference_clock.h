// SPDX-License-Identifier: MIT
//
// Counters of known speed, against which a PC's other clocks are measured.

#ifndef KERNEL_REFERENCE_CLOCK_H
#define KERNEL_REFERENCE_CLOCK_H

#include <stdint.h>

#define HPET_SIZE 0x400 // bytes of its registers

struct reference_clock {
	const char *name;
	uint64_t hz;
	uint32_t mask; // of its bits: it wraps around
	uint32_t (*read)(void);
};

// The best one that the machine has: HPET, at `hpet` if that is not NULL, else ACPI timer, else 8254.
struct reference_clock reference_clock_open(volatile void *hpet);

#endif

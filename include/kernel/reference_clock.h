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
	uint64_t mask; // of its bits: it wraps around
	uint64_t (*read)(void);
};

// The best one that the machine has: HPET, at `hpet` if that is not NULL, else ACPI timer, else 8254.
struct reference_clock reference_clock_open(volatile void *hpet);

// The frequency of a counter that counts up, in Hz; takes 40 ms. One that is closer to whole megahertz than
// the measurement can tell is said to be just that.
uint64_t reference_clock_measure(const struct reference_clock *reference, uint64_t (*read)(void));

#endif

// SPDX-License-Identifier: MIT
//
// The inline part of arch/time.h: the virtual counter (Arm ARM, chapter D12).

#ifndef ISA_TIME_H
#define ISA_TIME_H

#include <isa/registers.h>

#define CLOCK_SHIFT 50

// Set once at boot. nanoseconds = (counter - base) * multiplier / 2^CLOCK_SHIFT
struct arch_clock {
	uint64_t base;
	uint64_t multiplier;
	uint64_t frequency; // Hz
};

extern struct arch_clock arch_clock;

// The barrier keeps the counter from being read ahead of time.
static inline uint64_t arch_time_now(void)
{
	const struct arch_clock *clock = &arch_clock;
	uint64_t ticks;

	__asm__("" : "+r"(clock)); // for one load of both
	instruction_barrier();
	ticks = read_system_register(cntvct_el0) - clock->base;
	return (uint64_t)(((unsigned __int128)ticks * clock->multiplier) >> CLOCK_SHIFT);
}

#endif

// SPDX-License-Identifier: MIT

#ifndef ISA_TIME_H
#define ISA_TIME_H

// Set by arch_time_init: ticks at boot, and nanoseconds per tick as a fixed-point number.
#define CLOCK_SHIFT 32
extern uint64_t isa_clock_start;
extern uint64_t isa_clock_multiplier;

static inline uint64_t isa_clock_ticks(void)
{
	uint64_t ticks;

	__asm__ volatile("rdtime %0" : "=r"(ticks));
	return ticks;
}

static inline uint64_t arch_time_now(void)
{
	unsigned __int128 product = (unsigned __int128)(isa_clock_ticks() - isa_clock_start) *
		isa_clock_multiplier;

	return (uint64_t)(product >> CLOCK_SHIFT);
}

#endif

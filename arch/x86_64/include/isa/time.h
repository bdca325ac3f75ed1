// SPDX-License-Identifier: MIT
//
// The monotonic clock: the time-stamp counter, which is taken to run at one constant speed on all CPUs.

#ifndef ISA_TIME_H
#define ISA_TIME_H

struct time_scale {
	uint64_t tsc_at_boot;
	uint64_t nanoseconds_per_tick; // 32.32 fixed point
	uint64_t ticks_per_nanosecond; // 32.32 fixed point
};

extern struct time_scale time_scale;

static inline uint64_t read_tsc(void)
{
	uint32_t low, high;

	// LFENCE: no earlier than the instructions before it.
	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

static inline uint64_t multiply_fixed(uint64_t value, uint64_t factor)
{
	return (uint64_t)(((unsigned __int128)value * factor) >> 32);
}

static inline uint64_t arch_time_now(void)
{
	return multiply_fixed(read_tsc() - time_scale.tsc_at_boot, time_scale.nanoseconds_per_tick);
}

#endif

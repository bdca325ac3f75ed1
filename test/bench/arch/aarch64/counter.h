// SPDX-License-Identifier: MIT
//
// Counting instructions on AArch64: under QEMU's icount the virtual counter counts them, one step for every 16 (62.5 MHz).

#ifndef COUNTER_H
#define COUNTER_H

#include <stdint.h>

#define COUNTER_STEP 16 // instructions between two values of it

static inline uint64_t counter_read(void)
{
	uint64_t value;

	__asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(value) : : "memory");
	return value;
}

static inline uint64_t counter_instructions(uint64_t difference)
{
	return difference * COUNTER_STEP;
}

// A known sequence: `rounds` times two instructions.
static inline void counter_loop(uint64_t rounds)
{
	__asm__ volatile("1: subs %0, %0, #1; b.ne 1b" : "+r"(rounds) : : "cc");
}

// Uses the floating-point registers.
static inline void use_fpu(uint64_t pattern)
{
	__asm__ volatile("fmov d9, %0" : : "r"(pattern));
}

static inline uint64_t read_fpu(void)
{
	uint64_t pattern;

	__asm__ volatile("fmov %0, d9" : "=r"(pattern));
	return pattern;
}

#endif

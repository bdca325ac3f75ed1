// SPDX-License-Identifier: MIT
//
// Counting instructions on x86_64: under QEMU's icount the time-stamp counter counts them, at 1 GHz.

#ifndef COUNTER_H
#define COUNTER_H

#include <stdint.h>

#define COUNTER_STEP 1 // instructions between two values of it

static inline uint64_t counter_read(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

static inline uint64_t counter_instructions(uint64_t difference)
{
	return difference;
}

// A known sequence: `rounds` times two instructions.
static inline void counter_loop(uint64_t rounds)
{
	__asm__ volatile("1: subq $1, %0; jnz 1b" : "+r"(rounds) : : "cc");
}

// Uses the floating-point registers.
static inline void use_fpu(uint64_t pattern)
{
	__asm__ volatile("movq %0, %%xmm9" : : "r"(pattern));
}

static inline uint64_t read_fpu(void)
{
	uint64_t pattern;

	__asm__ volatile("movq %%xmm9, %0" : "=r"(pattern));
	return pattern;
}

#endif

// SPDX-License-Identifier: MIT
//
// Counting instructions on RISC-V: the counter of retired instructions.

#ifndef COUNTER_H
#define COUNTER_H

#include <stdint.h>

#define COUNTER_STEP 1 // instructions between two values of it

static inline uint64_t counter_read(void)
{
	uint64_t value;

	__asm__ volatile("rdinstret %0" : "=r"(value) : : "memory");
	return value;
}

static inline uint64_t counter_instructions(uint64_t difference)
{
	return difference;
}

// A known sequence: `rounds` times two instructions.
static inline void counter_loop(uint64_t rounds)
{
	__asm__ volatile("1: addi %0, %0, -1; bnez %0, 1b" : "+r"(rounds));
}

// Uses the floating-point registers.
static inline void use_fpu(uint64_t pattern)
{
	__asm__ volatile("fmv.d.x f9, %0" : : "r"(pattern) : "f9");
}

static inline uint64_t read_fpu(void)
{
	uint64_t pattern;

	__asm__ volatile("fmv.x.d %0, f9" : "=r"(pattern));
	return pattern;
}

#endif

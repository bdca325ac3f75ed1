// SPDX-License-Identifier: MIT
//
// Floating-point state for the tests: all bits of all registers, and how they round. The tests are compiled without any use of
// the FPU, so what a thread has there is only what these put there.

#ifndef FPU_H
#define FPU_H

#include <stdint.h>

// Puts a state made of a pattern into the FPU: another in each register.
void fpu_load(uint64_t pattern);
// What is different now from the state of a pattern, and from that of a thread that has not used its FPU yet; 0: nothing.
uint64_t fpu_difference(uint64_t pattern);
uint64_t fpu_residue(void);
// Loads it, and tells what is different after `count` rounds of an empty loop.
uint64_t fpu_hold(uint64_t pattern, uint64_t count);

#endif

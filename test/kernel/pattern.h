// SPDX-License-Identifier: MIT
//
// System calls with a value of its own in every register.

#ifndef TEST_PATTERN_H
#define TEST_PATTERN_H

#include "isa.h"

// Makes a call with a pattern in all registers but those of its number, handle and next argument; `registers` is what it leaves.
static inline void call_with_pattern(uint64_t registers[ISA_CALL_REGISTERS], uint64_t pattern,
	uint64_t number, uint64_t handle, uint64_t argument)
{
	for (unsigned i = 0; i < ISA_CALL_REGISTERS; i++)
		registers[i] = pattern | i;
	registers[ISA_CALL_NUMBER] = number;
	registers[ISA_CALL_HANDLE] = handle;
	registers[ISA_CALL_INFO] = argument;
	isa_call_with_registers(registers);
}

// What a register has after a call that says nothing in it: as before if it is preserved, else nobody's.
static inline uint64_t left_of_pattern(uint64_t pattern, unsigned number)
{
	return (uint32_t)ISA_CALL_PRESERVED >> number & 1 ? pattern | number : 0;
}

#endif

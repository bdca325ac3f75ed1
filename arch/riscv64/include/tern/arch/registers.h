// SPDX-License-Identifier: MIT
//
// All user-visible registers of a thread on RISC-V, but for the floating-point state.

#ifndef TERN_ARCH_REGISTERS_H
#define TERN_ARCH_REGISTERS_H

#include <stdint.h>

struct registers {
	uint64_t pc;
	uint64_t x[32]; // x[0] is zero; x[2] is sp, x[4] tp
};

#endif

// SPDX-License-Identifier: MIT
//
// All user-visible registers of a thread on AArch64, but for the floating-point and vector state.

#ifndef TERN_ARCH_REGISTERS_H
#define TERN_ARCH_REGISTERS_H

#include <stdint.h>

struct registers {
	uint64_t x[31];
	uint64_t sp;
	uint64_t pc;
	uint64_t pstate; // privileged bits are fixed by the kernel
	uint64_t tpidr;
};

#endif

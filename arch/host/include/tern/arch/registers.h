// SPDX-License-Identifier: MIT
//
// A stand-in for unit tests of portable code on the build machine.

#ifndef TERN_ARCH_REGISTERS_H
#define TERN_ARCH_REGISTERS_H

#include <stdint.h>

struct registers {
	uint64_t pc;
	uint64_t sp;
	uint64_t argument[8];
};

#endif

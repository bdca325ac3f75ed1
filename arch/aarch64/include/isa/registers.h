// SPDX-License-Identifier: MIT
//
// System registers and barriers.

#ifndef ISA_REGISTERS_H
#define ISA_REGISTERS_H

#include <stdint.h>

#define read_system_register(name)                                 \
	({                                                         \
		uint64_t value_;                                   \
		__asm__ volatile("mrs %0, " #name : "=r"(value_)); \
		value_;                                            \
	})

#define write_system_register(name, value) \
	__asm__ volatile("msr " #name ", %0" : : "r"((uint64_t)(value)) : "memory")

static inline void instruction_barrier(void)
{
	__asm__ volatile("isb" : : : "memory");
}

// Waits until memory accesses and TLB or cache operations are complete. `what` is sy, ish, ishst, nsh ...
#define data_barrier(what) __asm__ volatile("dsb " #what : : : "memory")

// A field of an ID register: four bits from `shift`.
static inline unsigned id_field(uint64_t id_register, unsigned shift)
{
	return (unsigned)(id_register >> shift) & 0xf;
}

#endif

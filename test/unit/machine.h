// SPDX-License-Identifier: MIT
//
// A small machine for unit tests of memory management: RAM, one CPU, accounts and objects as the core has
// them, but no more of it than mm/ needs.

#ifndef TEST_UNIT_MACHINE_H
#define TEST_UNIT_MACHINE_H

#include <kernel/account.h>
#include <stdbool.h>
#include <stdint.h>

// Ends the test with a message where the condition does not hold.
#define CHECK(condition)                                              \
	do {                                                          \
		if (!(condition))                                     \
			check_failed(#condition, __FILE__, __LINE__); \
	} while (0)

_Noreturn void check_failed(const char *condition, const char *file, int line);

// RAM of some MiB in two ranges with a hole between them; frame_init done.
void machine_start(uint64_t mebibytes);

// The same sequence for the same seed.
void random_seed(uint64_t seed);
uint64_t random_below(uint64_t bound);

// Called at each preemption point where it is not NULL.
extern void (*machine_at_preemption_point)(void);

// Takes frames until only `left` are free, and gives them back.
void machine_take_frames(uint64_t left);
void machine_return_frames(void);

#endif

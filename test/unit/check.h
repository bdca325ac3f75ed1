// SPDX-License-Identifier: MIT
//
// What every unit test uses: checks that end it, and repeatable random numbers.

#ifndef TEST_UNIT_CHECK_H
#define TEST_UNIT_CHECK_H

#include <stdint.h>

// Ends the test with a message where the condition does not hold.
#define CHECK(condition)                                              \
	do {                                                          \
		if (!(condition))                                     \
			check_failed(#condition, __FILE__, __LINE__); \
	} while (0)

_Noreturn void check_failed(const char *condition, const char *file, int line);

// The same sequence for the same seed.
void random_seed(uint64_t seed);
uint64_t random_below(uint64_t bound);

#endif

// SPDX-License-Identifier: MIT
//
// Random numbers that a seed repeats.

#include "test.h"

#define SEED_BYTES 4 // short enough to be typed again

uint64_t test_random(void)
{
	uint64_t seed = test_seed;

	while (seed == 0)
		if (random_get(&seed, SEED_BYTES) != ERR_OK)
			test_fail(__FILE__, __LINE__, "no random numbers");
	test_note("seed %llu", (unsigned long long)seed);
	return seed * 0x9e3779b97f4a7c15 | 1; // small ones begin with much alike
}

uint64_t random_next(uint64_t *state, uint64_t bound)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (*state >> 11) % bound;
}

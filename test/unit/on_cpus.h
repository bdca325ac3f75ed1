// SPDX-License-Identifier: MIT
//
// Host threads as CPUs, for tests of concurrent code.

#ifndef TEST_UNIT_ON_CPUS_H
#define TEST_UNIT_ON_CPUS_H

// Runs the function on CPUs 0 to count - 1 at once, with a seed for rand_r each, until all have returned.
void on_cpus(unsigned count, void (*function)(unsigned cpu, unsigned *seed));

#endif

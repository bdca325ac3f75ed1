// SPDX-License-Identifier: MIT
//
// Linux's clocks and times.

#ifndef INTERFACE_TIME_H
#define INTERFACE_TIME_H

#include <stdint.h>

#define LINUX_CLOCK_REALTIME           0
#define LINUX_CLOCK_MONOTONIC          1
#define LINUX_CLOCK_PROCESS_CPUTIME_ID 2
#define LINUX_CLOCK_THREAD_CPUTIME_ID  3
#define LINUX_CLOCK_MONOTONIC_RAW      4
#define LINUX_CLOCK_REALTIME_COARSE    5
#define LINUX_CLOCK_MONOTONIC_COARSE   6
#define LINUX_CLOCK_BOOTTIME           7

#define LINUX_TIMER_ABSTIME 1

#define LINUX_CLOCK_TICKS 100 // of times() in a second

#define NANOSECONDS_PER_SECOND      ((uint64_t)1000000000)
#define NANOSECONDS_PER_MICROSECOND ((uint64_t)1000)

struct linux_timespec {
	int64_t seconds;
	int64_t nanoseconds;
};

#endif

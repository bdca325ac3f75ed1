// SPDX-License-Identifier: MIT
//
// The HAL contract: the monotonic clock and this CPU's one-shot timer.

#ifndef ARCH_TIME_H
#define ARCH_TIME_H

#include <arch/types.h>

// Finds and calibrates clock and timer. Once, on the boot CPU; then on each other CPU the second one.
void arch_time_init(void);
void arch_time_init_cpu(void);

// Nanoseconds since about boot, the same on all CPUs, never going back.
static inline uint64_t arch_time_now(void);

// Makes trap_timer come at an absolute time, at once if it is past; DEADLINE_NEVER: not at all. Interrupts
// disabled.
void arch_timer_set(uint64_t deadline);

#include <isa/time.h>

#endif

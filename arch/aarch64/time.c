// SPDX-License-Identifier: MIT
//
// The generic timer: the virtual counter and the virtual timer, which count together.

#include <arch/time.h>
#include <isa/registers.h>

#define NANOSECONDS   ((uint64_t)1000000000)
#define FREQUENCY_MIN 100000 // below it the multiplier would not fit
#define TIMER_ENABLE  1

struct arch_clock arch_clock;

// NANOSECONDS * 2^CLOCK_SHIFT / frequency, in two digits of half the shift.
static uint64_t clock_multiplier(uint64_t frequency)
{
	uint64_t quotient = NANOSECONDS / frequency, remainder = NANOSECONDS % frequency;

	for (unsigned digit = 0; digit < 2; digit++) {
		remainder <<= CLOCK_SHIFT / 2;
		quotient = (quotient << CLOCK_SHIFT / 2) + remainder / frequency;
		remainder %= frequency;
	}
	return quotient;
}

void arch_time_init(void)
{
	arch_clock.frequency = read_system_register(cntfrq_el0);
	if (arch_clock.frequency < FREQUENCY_MIN)
		arch_clock.frequency = NANOSECONDS; // the firmware left it unset: as Armv8.6 demands it
	arch_clock.multiplier = clock_multiplier(arch_clock.frequency);
	arch_clock.base = read_system_register(cntvct_el0);
	arch_time_init_cpu();
}

void arch_time_init_cpu(void)
{
	arch_timer_set(DEADLINE_NEVER);
	write_system_register(cntv_ctl_el0, TIMER_ENABLE);
	instruction_barrier();
}

// The timer's condition holds from the compare value on, so one that is never reached is an unset timer.
// Rounded up: when the interrupt comes, arch_time_now has reached the deadline.
void arch_timer_set(uint64_t deadline)
{
	uint64_t seconds = deadline / NANOSECONDS, rest = deadline % NANOSECONDS;
	uint64_t compare = UINT64_MAX;

	if (seconds < UINT64_MAX / 4 / arch_clock.frequency)
		compare = arch_clock.base + seconds * arch_clock.frequency +
			rest * arch_clock.frequency / NANOSECONDS + 1;
	write_system_register(cntv_cval_el0, compare);
	instruction_barrier();
}

// SPDX-License-Identifier: MIT
//
// The clock is the time CSR, the same on all harts; the timer is stimecmp (Sstc) or the firmware's.

#include "internal.h"
#include <arch/cpu.h>
#include <arch/time.h>
#include <kernel/panic.h>

#define NANOSECONDS       1000000000ull
#define RELAX_NANOSECONDS 10000
#define TIME_SET_TIMER    0
#define TICKS_NEVER       UINT64_MAX
#define FREQUENCY_MAX     (NANOSECONDS - 1)
#define STIMECMP_CSR_NAME "0x14d"
#define RECIPROCAL_SHIFT  64

uint64_t isa_clock_start;
uint64_t isa_clock_multiplier;
static uint64_t ticks_multiplier; // ticks per nanosecond, times 2^RECIPROCAL_SHIFT
static uint64_t relax_ticks;      // of isa_relax_sleep
static bool has_stimecmp;

static uint32_t timebase_frequency(void)
{
	uint32_t frequency = 0;

	fdt_get_u32(
		&isa_device_tree, fdt_find_path(&isa_device_tree, "/cpus"), "timebase-frequency", &frequency);
	return frequency;
}

// 2^(RECIPROCAL_SHIFT + CLOCK_SHIFT) / divisor: ticks as the exact inverse of what arch_time_now does, so
// that a deadline is not missed by the error of a rounded frequency. The divisor is above 2^CLOCK_SHIFT.
static uint64_t reciprocal(uint64_t divisor)
{
	uint64_t quotient = 0, remainder = 1;

	for (unsigned bit = 0; bit < RECIPROCAL_SHIFT + CLOCK_SHIFT; bit++) {
		bool carry = remainder >> 63 != 0;

		remainder <<= 1;
		quotient <<= 1;
		if (carry || remainder >= divisor) {
			remainder -= divisor;
			quotient |= 1;
		}
	}
	return quotient;
}

static void set_ticks(uint64_t ticks)
{
	if (has_stimecmp)
		__asm__ volatile("csrw " STIMECMP_CSR_NAME ", %0" : : "r"(ticks));
	else
		sbi_call(SBI_TIME, TIME_SET_TIMER, ticks, 0, 0);
}

void arch_time_init(void)
{
	uint32_t frequency = timebase_frequency();

	if (frequency == 0 || frequency > FREQUENCY_MAX)
		panic("the device tree gives no usable timebase-frequency: %u", frequency);
	isa_clock_multiplier = (NANOSECONDS << CLOCK_SHIFT) / frequency;
	ticks_multiplier = reciprocal(isa_clock_multiplier);
	relax_ticks = frequency / (NANOSECONDS / RELAX_NANOSECONDS) + 1;
	isa_clock_start = isa_clock_ticks();
	has_stimecmp = isa_has_stimecmp();
	if (!has_stimecmp && !sbi_has(SBI_TIME))
		panic("neither the CPU nor the firmware has a timer");
	arch_time_init_cpu();
}

void arch_time_init_cpu(void)
{
	arch_timer_set(DEADLINE_NEVER);
}

void arch_timer_set(uint64_t deadline)
{
	unsigned __int128 product = (unsigned __int128)deadline * ticks_multiplier;
	uint64_t ticks = TICKS_NEVER;

	// One tick later than rounded down, so that the deadline is past when the interrupt comes.
	if (deadline != DEADLINE_NEVER &&
		__builtin_add_overflow((uint64_t)(product >> RECIPROCAL_SHIFT), isa_clock_start + 1, &ticks))
		ticks = TICKS_NEVER;
	isa_cpu()->timer_ticks = ticks;
	set_ticks(ticks);
	csr_set(sie, SIE_TIMER);
}

// The timer is borrowed. If an interrupt is pending already, this does not wait, but still makes way.
void isa_relax_sleep(void)
{
	uint64_t enabled = csr_read(sie);

	if (arch_irq_enabled())
		return;
	set_ticks(isa_clock_ticks() + relax_ticks);
	csr_set(sie, SIE_TIMER);
	__asm__ volatile("wfi" : : : "memory");
	set_ticks(isa_cpu()->timer_ticks);
	csr_write(sie, enabled);
}

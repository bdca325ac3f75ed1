// SPDX-License-Identifier: MIT
//
// The clock is the time-stamp counter, its speed measured against a clock of known speed: HPET, else ACPI
// timer, else the legacy interval timer. The one-shot timer is the local APIC's.

#include <arch/cpu.h>
#include <arch/time.h>
#include <isa/internal.h>
#include <isa/registers.h>
#include <kernel/acpi.h>
#include <kernel/apic.h>
#include <kernel/log.h>
#include <kernel/reference_clock.h>
#include <kernel/trap.h>

#define NANOSECONDS_PER_SECOND      1000000000
#define NANOSECONDS_PER_MICROSECOND 1000
#define TIMER_FAR                   ((uint64_t)1 << 60) // nanoseconds; in ticks of up to 8 GHz it fits 64 bits

struct time_scale time_scale;

static uint64_t timer_ticks_per_nanosecond; // of the APIC timer, 32.32 fixed point

// Nanoseconds per tick or ticks per nanosecond, 32.32 fixed point: numerator * 2^32 / denominator, which for
// the compiler would be a division of 128 bits by a library function.
static uint64_t fixed_ratio(uint64_t numerator, uint64_t denominator)
{
	uint64_t quotient, remainder;

	__asm__("divq %4"
		: "=a"(quotient), "=d"(remainder)
		: "0"(numerator << 32), "1"(numerator >> 32), "r"(denominator)
		: "cc");
	return quotient;
}

static uint64_t apic_timer_elapsed(void)
{
	return UINT32_MAX - apic_timer_count();
}

static uint64_t measure_apic_timer(uint64_t tsc_hz)
{
	struct reference_clock tsc = {.hz = tsc_hz, .mask = UINT64_MAX, .read = read_tsc};
	uint64_t hz;

	apic_timer_start(UINT32_MAX);
	hz = reference_clock_measure(&tsc, apic_timer_elapsed);
	apic_timer_start(0);
	return hz;
}

void arch_time_init(void)
{
	struct reference_clock reference;
	uint64_t tsc_hz, timer_hz;

	reference = reference_clock_open(
		acpi_machine.hpet != 0 ? mmu_boot_map_device(acpi_machine.hpet, HPET_SIZE) : NULL);
	tsc_hz = reference_clock_measure(&reference, read_tsc);
	time_scale = (struct time_scale){
		.tsc_at_boot = read_tsc(),
		.nanoseconds_per_tick = fixed_ratio(NANOSECONDS_PER_SECOND, tsc_hz),
		.ticks_per_nanosecond = fixed_ratio(tsc_hz, NANOSECONDS_PER_SECOND),
	};
	if (cpu_features.tsc_deadline) {
		log_info("time: counter at %lu kHz by %s, timer by deadline", tsc_hz / 1000, reference.name);
	} else {
		timer_hz = measure_apic_timer(tsc_hz);
		timer_ticks_per_nanosecond = fixed_ratio(timer_hz, NANOSECONDS_PER_SECOND);
		log_info("time: counter at %lu kHz by %s, timer at %lu kHz", tsc_hz / 1000, reference.name,
			timer_hz / 1000);
	}
	arch_time_init_cpu();
}

void arch_time_init_cpu(void)
{
	if (cpu_features.tsc_deadline)
		apic_timer_use_deadlines();
}

void delay_microseconds(uint64_t microseconds)
{
	uint64_t end = arch_time_now() + microseconds * NANOSECONDS_PER_MICROSECOND;

	while (arch_time_now() < end)
		arch_cpu_relax();
}

// --- The timer

void arch_timer_set(uint64_t deadline)
{
	uint64_t now;

	isa_cpu_self()->timer_deadline = deadline;
	if (cpu_features.tsc_deadline) {
		// For what is further away, timer_interrupt sets it again.
		uint64_t reached = deadline < TIMER_FAR ? deadline : TIMER_FAR;

		// MFENCE: the write must not pass those of the local APIC's registers. 0 disarms.
		__asm__ volatile("mfence" : : : "memory");
		write_msr(MSR_TSC_DEADLINE,
			deadline == DEADLINE_NEVER ? 0
						   : time_scale.tsc_at_boot + 1 +
					multiply_fixed(reached, time_scale.ticks_per_nanosecond));
		return;
	}
	if (deadline == DEADLINE_NEVER) {
		apic_timer_start(0);
		return;
	}
	now = arch_time_now();
	if (deadline <= now) {
		apic_timer_start(1);
	} else {
		uint64_t ticks = multiply_fixed(deadline - now, timer_ticks_per_nanosecond) + 1;

		apic_timer_start(ticks < UINT32_MAX ? (uint32_t)ticks : UINT32_MAX);
	}
}

void timer_interrupt(void)
{
	struct arch_cpu *cpu = isa_cpu_self();

	// The counter cannot reach all deadlines in one run.
	if (cpu->timer_deadline > arch_time_now())
		arch_timer_set(cpu->timer_deadline);
	else
		trap_timer();
}

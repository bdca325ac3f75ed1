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
#define HZ_PER_MHZ                  1000000

struct time_scale time_scale;

static uint64_t timer_ticks_per_nanosecond; // of the APIC timer, 32.32 fixed point; 0: deadlines of the
					    // time-stamp counter

// --- Measuring

struct sample {
	uint64_t tsc;
	uint32_t count;
};

#define SAMPLE_ATTEMPTS 8

// A counter's value and the time of the reading. An emulator or the machine's firmware may stop us in
// between: the quickest of some attempts counts.
static struct sample take_sample(uint32_t (*read)(void))
{
	struct sample best = {0};
	uint64_t shortest = UINT64_MAX;

	for (unsigned i = 0; i < SAMPLE_ATTEMPTS; i++) {
		uint64_t before = read_tsc();
		uint32_t count = read();
		uint64_t after = read_tsc();

		if (after - before < shortest) {
			shortest = after - before;
			best = (struct sample){.tsc = before + (after - before) / 2, .count = count};
		}
	}
	return best;
}

// A frequency so close to whole megahertz that the reference cannot tell is taken to be that.
static uint64_t round_hz(uint64_t hz)
{
	uint64_t rounded = (hz + HZ_PER_MHZ / 2) / HZ_PER_MHZ * HZ_PER_MHZ;
	uint64_t distance = hz > rounded ? hz - rounded : rounded - hz;

	return distance <= hz / 40000 ? rounded : hz;
}

// value * factor / divisor, with a product of 128 bits; the result must fit.
static uint64_t multiply_divide(uint64_t value, uint64_t factor, uint64_t divisor)
{
	uint64_t quotient, high;

	__asm__("mulq %3\n\t"
		"divq %4"
		: "=a"(quotient), "=&d"(high)
		: "0"(value), "r"(factor), "r"(divisor)
		: "cc");
	return quotient;
}

static uint64_t measure_tsc(const struct reference_clock *reference)
{
	uint32_t window = (uint32_t)(reference->hz / 1000 * 40);
	struct sample start = take_sample(reference->read);
	struct sample end;

	do {
		end = take_sample(reference->read);
	} while (((end.count - start.count) & reference->mask) < window);
	return multiply_divide(
		end.tsc - start.tsc, reference->hz, (end.count - start.count) & reference->mask);
}

static uint64_t measure_apic_timer(uint64_t tsc_hz)
{
	struct sample start, end;

	apic_timer_start(UINT32_MAX);
	start = take_sample(apic_timer_count);
	do {
		end = take_sample(apic_timer_count);
	} while (end.tsc - start.tsc < tsc_hz / 100);
	apic_timer_start(0);
	return multiply_divide(start.count - end.count, tsc_hz, end.tsc - start.tsc);
}

static uint64_t fixed_ratio(uint64_t numerator, uint64_t denominator)
{
	return multiply_divide(numerator, (uint64_t)1 << 32, denominator);
}

void arch_time_init(void)
{
	struct reference_clock reference;
	uint64_t tsc_hz, timer_hz;

	reference = reference_clock_open(
		acpi_machine.hpet != 0 ? mmu_boot_map_device(acpi_machine.hpet, HPET_SIZE) : NULL);
	tsc_hz = round_hz(measure_tsc(&reference));
	time_scale = (struct time_scale){
		.tsc_at_boot = read_tsc(),
		.nanoseconds_per_tick = fixed_ratio(NANOSECONDS_PER_SECOND, tsc_hz),
		.ticks_per_nanosecond = fixed_ratio(tsc_hz, NANOSECONDS_PER_SECOND),
	};
	if (cpu_features.tsc_deadline) {
		log_info("time: counter at %lu kHz by %s, timer by deadline", tsc_hz / 1000, reference.name);
	} else {
		timer_hz = round_hz(measure_apic_timer(tsc_hz));
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
		// MFENCE: the write must not pass those of the local APIC's registers. 0 disarms.
		__asm__ volatile("mfence" : : : "memory");
		write_msr(MSR_TSC_DEADLINE,
			deadline == DEADLINE_NEVER ? 0
						   : time_scale.tsc_at_boot + 1 +
					multiply_fixed(deadline, time_scale.ticks_per_nanosecond));
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

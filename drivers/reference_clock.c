// SPDX-License-Identifier: MIT
//
// The PC's counters of known speed: HPET (IA-PC HPET Specification 1.0a), ACPI timer (ACPI 6.4, 4.8.3.3),
// 8254.

#include <arch/cpu.h>
#include <kernel/acpi.h>
#include <kernel/reference_clock.h>

// --- HPET

#define HPET_PERIOD             0x004 // femtoseconds: the upper half of the capabilities
#define HPET_CONFIGURATION      0x010
#define HPET_COUNTER            0x0f0
#define HPET_ENABLE             1
#define HPET_PERIOD_MAX         100000000
#define FEMTOSECONDS_PER_SECOND 1000000000000000

static volatile uint8_t *hpet_registers;

static volatile uint32_t *hpet_register(uint32_t offset)
{
	return (volatile uint32_t *)(hpet_registers + offset);
}

static uint64_t read_hpet(void)
{
	return *hpet_register(HPET_COUNTER);
}

// --- ACPI timer

#define ACPI_TIMER_HZ   3579545
#define ACPI_TIMER_BITS 0xffffff

static uint64_t read_acpi_timer(void)
{
	uint32_t value = 0;

	arch_io_port_read(acpi_machine.timer_port, 4, &value);
	return value;
}

// --- 8254

#define PIT_HZ             1193182
#define PIT_BITS           0xffff
#define PIT_CHANNEL_2      0x42
#define PIT_COMMAND        0x43
#define PIT_CHANNEL_2_RATE 0xb4 // counts down, again and again
#define PIT_LATCH_2        0x80
#define PIT_GATE           0x61
#define PIT_GATE_OPEN      0x01
#define PIT_GATE_KEPT      0xfc // neither gate nor loudspeaker

static uint32_t read_port(uint16_t port)
{
	uint32_t value = 0;

	arch_io_port_read(port, 1, &value);
	return value;
}

static uint64_t read_pit(void)
{
	uint32_t low;

	arch_io_port_write(PIT_COMMAND, 1, PIT_LATCH_2);
	low = read_port(PIT_CHANNEL_2);
	return PIT_BITS - (low | read_port(PIT_CHANNEL_2) << 8);
}

static void start_pit(void)
{
	arch_io_port_write(PIT_GATE, 1, (read_port(PIT_GATE) & PIT_GATE_KEPT) | PIT_GATE_OPEN);
	arch_io_port_write(PIT_COMMAND, 1, PIT_CHANNEL_2_RATE);
	// 65536, low byte first.
	arch_io_port_write(PIT_CHANNEL_2, 1, 0);
	arch_io_port_write(PIT_CHANNEL_2, 1, 0);
}

struct reference_clock reference_clock_open(volatile void *hpet)
{
	hpet_registers = hpet;
	if (hpet != NULL) {
		uint32_t period = *hpet_register(HPET_PERIOD);

		*hpet_register(HPET_CONFIGURATION) |= HPET_ENABLE;
		if (period != 0 && period <= HPET_PERIOD_MAX)
			return (struct reference_clock){
				"HPET", FEMTOSECONDS_PER_SECOND / period, UINT32_MAX, read_hpet};
	}
	if (acpi_machine.timer_port != 0)
		return (struct reference_clock){
			"ACPI timer", ACPI_TIMER_HZ, ACPI_TIMER_BITS, read_acpi_timer};
	start_pit();
	return (struct reference_clock){"8254", PIT_HZ, PIT_BITS, read_pit};
}

// --- Measuring

#define WINDOWS_PER_SECOND 25
#define HZ_PER_MHZ         1000000
#define PRECISION          40000 // one part in ...
#define SAMPLE_ATTEMPTS    8

struct sample {
	uint64_t count;
	uint64_t reference;
};

// Both counters at one time. An emulator or the firmware may stop us in between: the quickest of some
// attempts counts.
static struct sample take_sample(const struct reference_clock *reference, uint64_t (*read)(void))
{
	struct sample best = {0};
	uint64_t shortest = UINT64_MAX;

	for (unsigned i = 0; i < SAMPLE_ATTEMPTS; i++) {
		uint64_t before = read();
		uint64_t now = reference->read();
		uint64_t after = read();

		if (after - before < shortest) {
			shortest = after - before;
			best = (struct sample){.count = before + shortest / 2, .reference = now};
		}
	}
	return best;
}

static uint64_t round_hz(uint64_t hz)
{
	uint64_t rounded = (hz + HZ_PER_MHZ / 2) / HZ_PER_MHZ * HZ_PER_MHZ;
	uint64_t distance = hz > rounded ? hz - rounded : rounded - hz;

	return distance <= hz / PRECISION ? rounded : hz;
}

uint64_t reference_clock_measure(const struct reference_clock *reference, uint64_t (*read)(void))
{
	struct sample start = take_sample(reference, read);
	struct sample end;
	uint64_t ticks;

	do {
		end = take_sample(reference, read);
		ticks = (end.reference - start.reference) & reference->mask;
	} while (ticks < reference->hz / WINDOWS_PER_SECOND);
	// Fits: even at 5 GHz both and after a stop of half a second.
	return round_hz((end.count - start.count) * reference->hz / ticks);
}

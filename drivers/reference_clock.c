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

static uint32_t read_hpet(void)
{
	return *hpet_register(HPET_COUNTER);
}

// --- ACPI timer

#define ACPI_TIMER_HZ   3579545
#define ACPI_TIMER_BITS 0xffffff

static uint32_t read_acpi_timer(void)
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

static uint32_t read_pit(void)
{
	uint32_t low;

	arch_io_port_write(PIT_COMMAND, 1, PIT_LATCH_2);
	low = read_port(PIT_CHANNEL_2);
	return 0 - (low | read_port(PIT_CHANNEL_2) << 8);
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

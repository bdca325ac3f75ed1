// SPDX-License-Identifier: MIT
//
// What the kernel takes from the ACPI tables (ACPI 6.4): CPUs, interrupt routing, clocks, power. Every table
// is checked for length and checksum before it is read.

#ifndef KERNEL_ACPI_H
#define KERNEL_ACPI_H

#include <arch/types.h>

#define ACPI_IO_APICS  8
#define ACPI_OVERRIDES 16

struct acpi_io_apic {
	paddr_t address;
	uint32_t first_line;
};

struct acpi_override {
	uint8_t isa_line;
	uint32_t line;
	uint32_t flags; // INTERRUPT_EDGE, INTERRUPT_ACTIVE_LOW
};

struct acpi_machine {
	paddr_t local_apic; // 0: not told
	uint64_t cpu_hardware_ids[ARCH_CPU_MAX];
	size_t cpu_count;
	struct acpi_io_apic io_apics[ACPI_IO_APICS];
	size_t io_apic_count;
	struct acpi_override overrides[ACPI_OVERRIDES];
	size_t override_count;

	uint16_t timer_port; // counts 24 bits at 3.579545 MHz; 0: none
	paddr_t hpet;        // 0: none
	bool has_cmos_clock;

	paddr_t pci_ecam; // of segment 0; 0: none
	uint64_t pci_ecam_length;

	uint16_t console_port; // a 16550; 0: not told
	uint32_t console_line; // UINT32_MAX: no interrupt
};

extern struct acpi_machine acpi_machine;

// Reads the tables, all of which must be in the direct map's first `mapped` bytes. `rsdp` 0: searches where a
// BIOS leaves it. False: no tables; acpi_machine then says what a machine without them has.
bool acpi_init(paddr_t rsdp, uint64_t mapped);

// The interrupt line and its flags to which an ISA interrupt is wired.
uint32_t acpi_isa_interrupt(uint8_t isa_line, uint32_t *flags);

// Return only if the machine cannot.
void acpi_power_off(void);
void acpi_reset(void);

#endif

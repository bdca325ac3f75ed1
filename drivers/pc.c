// SPDX-License-Identifier: MIT
//
// What every PC has at fixed places. Interrupts of the ISA bus are routed as ACPI says.

#include <arch/cpu.h>
#include <kernel/acpi.h>
#include <kernel/boot.h>
#include <kernel/pc.h>
#include <kernel/uart_16550.h>

#define COM1_PORT           0x3f8
#define COM1_ISA_LINE       4
#define COM_PORTS           8
#define COM_CLOCK_HZ        1843200
#define COM_SCRATCH         7
#define CMOS_PORT           0x70
#define CMOS_PORTS          2
#define CMOS_ISA_LINE       8
#define KEYBOARD_COMMAND    0x64
#define KEYBOARD_RESET_LINE 0xfe

static uint16_t console_port; // 0: none

// A UART keeps what is written to its scratch register; an empty port does not.
static bool uart_is_at(uint16_t port)
{
	for (uint32_t pattern = 0x55; pattern <= 0xaa; pattern += 0x55) {
		uint32_t value = 0;

		arch_io_port_write((uint16_t)(port + COM_SCRATCH), 1, pattern);
		arch_io_port_read((uint16_t)(port + COM_SCRATCH), 1, &value);
		if (value != pattern)
			return false;
	}
	return true;
}

void pc_console_init(void)
{
	uint16_t port = acpi_machine.console_port != 0 ? acpi_machine.console_port : COM1_PORT;

	if (port == console_port || !uart_is_at(port))
		return;
	console_port = port;
	uart_16550_init(&(struct uart_16550){
		.io_ports = true,
		.register_width = 1,
		.clock_hz = COM_CLOCK_HZ,
		.base = port,
	});
}

static struct boot_device *add_device(const char *name, uint32_t bus, uint64_t base, uint64_t length)
{
	static struct boot_device dropped;
	struct boot_device *device = &dropped;

	if (boot_machine.device_count < BOOT_DEVICES)
		device = &boot_machine.devices[boot_machine.device_count++];
	*device = (struct boot_device){.bus = bus, .base = base, .length = length, .interrupt = UINT32_MAX};
	for (size_t i = 0; name[i] != '\0' && i + 1 < sizeof(device->name); i++)
		device->name[i] = name[i];
	return device;
}

void pc_devices_find(void)
{
	struct boot_device *device;

	if (console_port != 0) {
		device = add_device("uart16550", BUS_IO_PORT, console_port, COM_PORTS);
		device->clock_hz = COM_CLOCK_HZ;
		device->is_console = 1;
		if (console_port == COM1_PORT)
			device->interrupt = acpi_isa_interrupt(COM1_ISA_LINE, &device->interrupt_flags);
		else
			device->interrupt = acpi_machine.console_line;
	}
	if (acpi_machine.has_cmos_clock) {
		device = add_device("rtc-cmos", BUS_IO_PORT, CMOS_PORT, CMOS_PORTS);
		device->interrupt = acpi_isa_interrupt(CMOS_ISA_LINE, &device->interrupt_flags);
	}
	if (acpi_machine.pci_ecam != 0)
		add_device("pci-ecam", BUS_MEMORY, acpi_machine.pci_ecam, acpi_machine.pci_ecam_length);
}

void pc_reset(void)
{
	acpi_reset();
	arch_io_port_write(KEYBOARD_COMMAND, 1, KEYBOARD_RESET_LINE);
}

// SPDX-License-Identifier: MIT
//
// What every PC has at fixed places: serial port, CMOS clock, the ways to reset it.

#ifndef KERNEL_PC_H
#define KERNEL_PC_H

// Makes the first serial port, or the one that ACPI's tables name once they have been read, the early
// console, if it is there.
void pc_console_init(void);

// Adds console, clock and PCI to the devices of boot_machine.
void pc_devices_find(void);

// Returns only if the machine cannot. The caller waits a while for it to happen.
void pc_reset(void);

#endif

// SPDX-License-Identifier: MIT
//
// What the kernel tells the first user program: a page with this structure, whose address is the first
// argument of its entry point. The handles are in the first process's table.

#ifndef TERN_BOOT_H
#define TERN_BOOT_H

#include <tern/types.h>

#define BOOT_MAGIC        0x6e726554746f6f42 // "BootTern"
#define BOOT_DEVICES      40 // AArch64 virt has 32 of virtio-mmio alone; boot_info stays within a page
#define BOOT_COMMAND_LINE 512
#define BOOT_DEVICE_NAME  24

enum resource_kind {
	RESOURCE_PHYSICAL,  // device and other physical addresses, in bytes (never RAM that the kernel
			    // manages)
	RESOURCE_INTERRUPT, // interrupt lines
	RESOURCE_IO_PORT,   // x86_64 I/O ports
	RESOURCE_LOG,       // read and write the kernel log (range [0, 1))
	RESOURCE_SYSTEM,    // power off, reset, statistics, trace (range [0, 1))
	RESOURCE_KIND_COUNT,
};

enum boot_device_bus {
	BUS_MEMORY,
	BUS_IO_PORT,
};

// A device that the kernel found in the device tree or the ACPI tables and leaves to a user driver.
struct boot_device {
	// "uart16550", "pl011", "rtc-cmos", "pl031", "goldfish-rtc", "virtio-mmio", "pci-ecam"
	char name[BOOT_DEVICE_NAME];
	uint32_t bus;             // enum boot_device_bus
	uint32_t interrupt;       // line for interrupt_create; UINT32_MAX: none
	uint32_t interrupt_flags; // for interrupt_create
	uint32_t register_shift;  // distance of registers as a power of two
	uint64_t base;            // physical address or first port
	uint64_t length;          // bytes or ports
	uint64_t clock_hz;        // input clock; 0: unknown
	uint32_t is_console;      // 1: the kernel's early console uses it
	uint32_t reserved;
};

struct boot_info {
	uint64_t magic;
	uint64_t message_buffer;                 // address of the first thread's message buffer
	handle_t account;                        // the root account
	handle_t resources[RESOURCE_KIND_COUNT]; // the whole range of each kind; HANDLE_NONE where the
						 // machine has none
	handle_t archive;        // memory: the boot archive (read, map, execute); HANDLE_NONE: none
	uint64_t archive_length; // bytes
	uint64_t cpu_count;
	uint64_t memory_bytes; // usable RAM at boot
	uint64_t device_count;
	struct boot_device devices[BOOT_DEVICES];
	char command_line[BOOT_COMMAND_LINE];
	char isa[16]; // "x86_64", "aarch64", "riscv64"
};

#endif

// SPDX-License-Identifier: MIT
//
// Fills boot_machine from a device tree: memory, chosen values, CPUs, devices. What is specific to an ISA
// (its ranges in use, its interrupt controller's cells) is handed in.

#ifndef KERNEL_FDT_MACHINE_H
#define KERNEL_FDT_MACHINE_H

#include <kernel/boot.h>
#include <kernel/fdt.h>

// Command line, archive and seed, of /chosen. The archive must lie in RAM; else there is none.
void fdt_machine_chosen(const struct fdt *fdt);

// The memory that may be allocated: RAM below `limit`, less what the tree reserves, less the archive that
// fdt_machine_chosen found, less `used`: kernel image, the blob itself, early tables. Adds to what
// boot_machine.memory has.
void fdt_machine_memory(
	const struct fdt *fdt, const struct boot_range *used, size_t used_count, paddr_t limit);

// The extent of RAM as the tree's memory nodes have it, reservations included: entry `index`, in the tree's
// order.
bool fdt_machine_ram(const struct fdt *fdt, unsigned index, struct boot_range *ram);

// The CPUs, `boot_id` first. `usable` may turn down nodes that are not disabled; NULL: none. Ids are masked
// with `id_mask`.
void fdt_machine_cpus(const struct fdt *fdt, uint64_t boot_id, uint64_t id_mask,
	bool (*usable)(const struct fdt *fdt, fdt_node cpu));

// Whether a node's status allows its use.
bool fdt_machine_available(const struct fdt *fdt, fdt_node node);

// What to look for, in order: boot_machine.devices may run full.
struct fdt_device_match {
	const char *compatible;
	const char *name; // of struct boot_device
};

// Lists every available device that matches. `interrupt` decodes the first specifier of the node's
// "interrupts" by the controller's cells; false: the device is listed without interrupt. The one that /chosen
// names as stdout, else the first of `console_name`, is_console.
void fdt_machine_devices(const struct fdt *fdt, const struct fdt_device_match *matches, size_t count,
	bool (*interrupt)(const struct fdt_property *specifier, uint32_t *line, uint32_t *flags),
	const char *console_name);

// The device listed with is_console, or NULL.
const struct boot_device *fdt_machine_console(void);

#endif

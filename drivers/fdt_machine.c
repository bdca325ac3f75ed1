// SPDX-License-Identifier: MIT
//
// Fills boot_machine from a device tree (Devicetree Specification v0.4, chapter 3).

#include <kernel/fdt_machine.h>

static uint64_t round_up_page(uint64_t value)
{
	return value > UINT64_MAX - (PAGE_SIZE - 1) ? UINT64_MAX & ~(PAGE_SIZE - 1)
						    : (value + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
}

static uint64_t round_down_page(uint64_t value)
{
	return value & ~(PAGE_SIZE - 1);
}

static bool strings_equal(const char *a, const char *b)
{
	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static void copy_string(char *destination, const char *source, size_t size)
{
	size_t length = 0;

	while (length < size - 1 && source[length] != '\0') {
		destination[length] = source[length];
		length++;
	}
	destination[length] = '\0';
}

bool fdt_machine_available(const struct fdt *fdt, fdt_node node)
{
	struct fdt_property property;
	const char *status = fdt_get_string(fdt, node, "status");

	if (status == NULL)
		return !fdt_get(fdt, node, "status", &property);
	return strings_equal(status, "okay") || strings_equal(status, "ok");
}

static bool has_device_type(const struct fdt *fdt, fdt_node node, const char *type)
{
	const char *value = fdt_get_string(fdt, node, "device_type");

	return value != NULL && strings_equal(value, type) && fdt_machine_available(fdt, node);
}

bool fdt_machine_ram(const struct fdt *fdt, unsigned index, struct boot_range *ram)
{
	for (fdt_node node = fdt_first_child(fdt, fdt_root(fdt)); node != FDT_NONE;
		node = fdt_next_sibling(fdt, node)) {
		if (!has_device_type(fdt, node, "memory"))
			continue;
		for (unsigned i = 0; fdt_get_reg(fdt, node, i, &ram->base, &ram->length); i++) {
			if (index-- == 0)
				return true;
		}
	}
	return false;
}

static bool lies_in_ram(const struct fdt *fdt, uint64_t start, uint64_t end)
{
	struct boot_range ram;

	for (unsigned i = 0; fdt_machine_ram(fdt, i, &ram); i++) {
		if (start >= ram.base && end <= ram.base + ram.length)
			return true;
	}
	return false;
}

// A number of one or two cells.
static bool get_number(const struct fdt *fdt, fdt_node node, const char *name, uint64_t *value)
{
	struct fdt_property property;

	if (!fdt_get(fdt, node, name, &property) || (property.length != 4 && property.length != 8))
		return false;
	*value = fdt_cells_u32(&property, 0);
	if (property.length == 8)
		*value = *value << 32 | fdt_cells_u32(&property, 1);
	return true;
}

void fdt_machine_chosen(const struct fdt *fdt)
{
	fdt_node chosen = fdt_find_path(fdt, "/chosen");
	const char *arguments = fdt_get_string(fdt, chosen, "bootargs");
	struct fdt_property seed;
	uint64_t start, end;

	if (arguments != NULL)
		copy_string(boot_machine.command_line, arguments, sizeof(boot_machine.command_line));

	if (get_number(fdt, chosen, "linux,initrd-start", &start) &&
		get_number(fdt, chosen, "linux,initrd-end", &end) && start < end &&
		lies_in_ram(fdt, start, end))
		boot_machine.archive = (struct boot_range){.base = start, .length = end - start};

	if (fdt_get(fdt, chosen, "rng-seed", &seed)) {
		for (uint32_t i = 0; i < seed.length; i++)
			boot_machine.seed[i % sizeof(boot_machine.seed)] ^= ((const uint8_t *)seed.data)[i];
	}
}

// Adds the page-aligned range [start, end) where there is room for it.
static void add_memory(uint64_t start, uint64_t end)
{
	if (start < end && boot_machine.memory_count < BOOT_MEMORY_RANGES)
		boot_machine.memory[boot_machine.memory_count++] = (struct boot_range){
			.base = start, .length = end - start};
}

// Takes the page-aligned range [start, end) out of what was added.
static void remove_memory(uint64_t start, uint64_t end)
{
	size_t index = 0;

	while (index < boot_machine.memory_count) {
		struct boot_range range = boot_machine.memory[index];
		uint64_t range_end = range.base + range.length;

		if (end <= range.base || start >= range_end || start >= end) {
			index++;
			continue;
		}
		boot_machine.memory[index] = boot_machine.memory[--boot_machine.memory_count];
		// What is left is outside [start, end) and is passed over when the loop comes to it.
		if (start > range.base)
			add_memory(range.base, start);
		if (end < range_end)
			add_memory(end, range_end);
	}
}

static void remove_bytes(uint64_t base, uint64_t length)
{
	uint64_t end = length > UINT64_MAX - base ? UINT64_MAX : base + length;

	remove_memory(round_down_page(base), round_up_page(end));
}

static void remove_reserved(const struct fdt *fdt)
{
	uint64_t base, length;

	for (unsigned i = 0; fdt_get_reservation(fdt, i, &base, &length); i++)
		remove_bytes(base, length);

	for (fdt_node node = fdt_first_child(fdt, fdt_find_path(fdt, "/reserved-memory")); node != FDT_NONE;
		node = fdt_next_sibling(fdt, node)) {
		if (!fdt_machine_available(fdt, node))
			continue;
		for (unsigned i = 0; fdt_get_reg(fdt, node, i, &base, &length); i++)
			remove_bytes(base, length);
	}
}

void fdt_machine_memory(
	const struct fdt *fdt, const struct boot_range *used, size_t used_count, paddr_t limit)
{
	struct boot_range ram;

	for (unsigned i = 0; fdt_machine_ram(fdt, i, &ram); i++) {
		uint64_t end = ram.base + ram.length;
		uint64_t first = round_up_page(ram.base), last = round_down_page(end < limit ? end : limit);

		remove_memory(first, last); // two nodes may name the same memory
		add_memory(first, last);
	}
	remove_reserved(fdt);
	if (boot_machine.archive.base + boot_machine.archive.length > limit)
		boot_machine.archive = (struct boot_range){0};
	remove_bytes(boot_machine.archive.base, boot_machine.archive.length);
	for (size_t i = 0; i < used_count; i++)
		remove_bytes(used[i].base, used[i].length);
}

void fdt_machine_cpus(const struct fdt *fdt, uint64_t boot_id, uint64_t id_mask,
	bool (*usable)(const struct fdt *fdt, fdt_node cpu))
{
	fdt_node cpus = fdt_find_path(fdt, "/cpus");

	boot_machine.cpu_hardware_ids[0] = boot_id;
	boot_machine.cpu_count = 1;
	for (fdt_node node = fdt_first_child(fdt, cpus); node != FDT_NONE;
		node = fdt_next_sibling(fdt, node)) {
		uint64_t id;

		if (!has_device_type(fdt, node, "cpu") || !get_number(fdt, node, "reg", &id) ||
			(usable != NULL && !usable(fdt, node)))
			continue;
		id &= id_mask;
		if (id != boot_id && boot_machine.cpu_count < ARCH_CPU_MAX)
			boot_machine.cpu_hardware_ids[boot_machine.cpu_count++] = id;
	}
}

// The node that /chosen names as standard output: a path or an alias, with options after a colon.
static fdt_node stdout_node(const struct fdt *fdt)
{
	const char *name = fdt_get_string(fdt, fdt_find_path(fdt, "/chosen"), "stdout-path");
	char path[128] = {0};

	if (name == NULL)
		return FDT_NONE;
	copy_string(path, name, sizeof(path));
	for (size_t i = 0; i < sizeof(path); i++) {
		if (path[i] == ':')
			path[i] = '\0';
	}
	if (path[0] == '/')
		return fdt_find_path(fdt, path);
	name = fdt_get_string(fdt, fdt_find_path(fdt, "/aliases"), path);
	return name != NULL ? fdt_find_path(fdt, name) : FDT_NONE;
}

// The rate of a device's input clock: its own property, or that of its first clock where it is a fixed one.
static uint32_t clock_rate(const struct fdt *fdt, fdt_node node)
{
	struct fdt_property clocks;
	uint32_t rate = 0;

	if (!fdt_get_u32(fdt, node, "clock-frequency", &rate) && fdt_get(fdt, node, "clocks", &clocks))
		fdt_get_u32(fdt, fdt_find_phandle(fdt, fdt_cells_u32(&clocks, 0)), "clock-frequency", &rate);
	return rate;
}

static void add_device(const struct fdt *fdt, fdt_node node, const char *name,
	bool (*interrupt)(const struct fdt_property *specifier, uint32_t *line, uint32_t *flags))
{
	struct boot_device device = {.bus = BUS_MEMORY, .interrupt = UINT32_MAX};
	struct fdt_property interrupts;

	if (boot_machine.device_count == BOOT_DEVICES || !fdt_machine_available(fdt, node) ||
		!fdt_get_reg(fdt, node, 0, &device.base, &device.length))
		return;
	copy_string(device.name, name, sizeof(device.name));
	fdt_get_u32(fdt, node, "reg-shift", &device.register_shift);
	device.clock_hz = clock_rate(fdt, node);
	if (fdt_get(fdt, node, "interrupts", &interrupts) &&
		!interrupt(&interrupts, &device.interrupt, &device.interrupt_flags)) {
		device.interrupt = UINT32_MAX;
		device.interrupt_flags = 0;
	}
	boot_machine.devices[boot_machine.device_count++] = device;
}

static void choose_console(const struct fdt *fdt, const char *console_name)
{
	struct boot_device *console = NULL;
	uint64_t base = 0, length;
	bool named = fdt_get_reg(fdt, stdout_node(fdt), 0, &base, &length);

	for (size_t i = 0; i < boot_machine.device_count; i++) {
		struct boot_device *device = &boot_machine.devices[i];

		if (strings_equal(device->name, console_name) &&
			(console == NULL || (named && device->base == base)))
			console = device;
	}
	if (console != NULL)
		console->is_console = 1;
}

void fdt_machine_devices(const struct fdt *fdt, const struct fdt_device_match *matches, size_t count,
	bool (*interrupt)(const struct fdt_property *specifier, uint32_t *line, uint32_t *flags),
	const char *console_name)
{
	for (size_t i = 0; i < count; i++) {
		for (fdt_node node = fdt_find_compatible(fdt, FDT_NONE, matches[i].compatible);
			node != FDT_NONE; node = fdt_find_compatible(fdt, node, matches[i].compatible))
			add_device(fdt, node, matches[i].name, interrupt);
	}
	choose_console(fdt, console_name);
}

const struct boot_device *fdt_machine_console(void)
{
	for (size_t i = 0; i < boot_machine.device_count; i++) {
		if (boot_machine.devices[i].is_console)
			return &boot_machine.devices[i];
	}
	return NULL;
}

// SPDX-License-Identifier: MIT
//
// The platform-level interrupt controller (RISC-V PLIC specification 1.0). Its contexts, one for each
// privilege level of each hart, are told by the device tree: entry n of "interrupts-extended" is where
// context n leads.

#include <kernel/boot.h>
#include <kernel/cpu.h>
#include <kernel/device.h>
#include <kernel/plic.h>
#include <kernel/spinlock.h>
#include <kernel/trap.h>

#define PRIORITY_OFFSET   0x0
#define ENABLE_OFFSET     0x2000
#define ENABLE_STRIDE     0x80
#define CONTEXT_OFFSET    0x200000
#define CONTEXT_STRIDE    0x1000
#define CONTEXT_THRESHOLD 0
#define CONTEXT_CLAIM     4

#define LINES_MAX           1024
#define CONTEXT_NONE        UINT32_MAX
#define SUPERVISOR_EXTERNAL 9 // the interrupt of a hart that a context for this kernel leads to
#define CELLS_OF_CONTEXT    2 // phandle and interrupt number

static vaddr_t base;
static uint32_t line_count;
static uint32_t contexts[ARCH_CPU_MAX]; // by CPU index
static struct spinlock lock = SPINLOCK_INITIALIZER(RANK_INTERRUPT);

static uint32_t read_register(uintptr_t offset)
{
	return *(volatile uint32_t *)(base + offset);
}

static void write_register(uintptr_t offset, uint32_t value)
{
	*(volatile uint32_t *)(base + offset) = value;
}

static uintptr_t enable_register(uint32_t context, uint32_t line)
{
	return ENABLE_OFFSET + (uintptr_t)context * ENABLE_STRIDE + line / 32 * 4;
}

static uintptr_t context_register(uint32_t context, uintptr_t index)
{
	return CONTEXT_OFFSET + (uintptr_t)context * CONTEXT_STRIDE + index;
}

static uint32_t own_context(void)
{
	return contexts[cpu_self()->index];
}

// A line with priority 0 never interrupts. (Were it disabled instead, its completion would be ignored.)
static void mask(uint32_t line)
{
	write_register(PRIORITY_OFFSET + (uintptr_t)line * 4, 0);
}

static void unmask(uint32_t line)
{
	write_register(PRIORITY_OFFSET + (uintptr_t)line * 4, 1);
}

// One interrupt. The next one comes by itself, after what trap_exit does.
static void dispatch(uint32_t vector)
{
	uint32_t context = own_context();
	uint32_t line;

	(void)vector;
	if (context == CONTEXT_NONE)
		return;
	line = read_register(context_register(context, CONTEXT_CLAIM));
	if (line == 0)
		return;
	trap_interrupt(line);
	write_register(context_register(context, CONTEXT_CLAIM), line);
}

// Edge or level is the business of the gateway before the PLIC.
static bool configure(uint32_t line, uint32_t flags, unsigned cpu_index)
{
	(void)flags;
	if (line == 0 || line >= line_count || contexts[cpu_index] == CONTEXT_NONE)
		return false;
	mask(line);
	spin_lock(&lock);
	for (unsigned i = 0; i < boot_machine.cpu_count; i++) {
		uintptr_t enable;
		uint32_t bits;

		if (contexts[i] == CONTEXT_NONE)
			continue;
		enable = enable_register(contexts[i], line);
		bits = read_register(enable) & ~((uint32_t)1 << line % 32);
		write_register(enable, i == cpu_index ? bits | (uint32_t)1 << line % 32 : bits);
	}
	spin_unlock(&lock);
	return true;
}

static void init_cpu(void)
{
	if (own_context() != CONTEXT_NONE)
		write_register(context_register(own_context(), CONTEXT_THRESHOLD), 0);
}

static const struct interrupt_controller plic_controller = {
	.name = "PLIC",
	.dispatch = dispatch,
	.configure = configure,
	.mask = mask,
	.unmask = unmask,
	.init_cpu = init_cpu,
};

static fdt_node find_node(const struct fdt *fdt)
{
	fdt_node node = fdt_find_compatible(fdt, FDT_NONE, "riscv,plic0");

	return node != FDT_NONE ? node : fdt_find_compatible(fdt, FDT_NONE, "sifive,plic-1.0.0");
}

bool plic_find(const struct fdt *fdt, struct plic *plic)
{
	fdt_node node = find_node(fdt);
	uint32_t devices;

	*plic = (struct plic){0};
	if (!fdt_get_reg(fdt, node, 0, &plic->physical, &plic->length) || plic->length <= CONTEXT_OFFSET ||
		!fdt_get_u32(fdt, node, "riscv,ndev", &devices) || devices == 0 || devices >= LINES_MAX)
		return false;
	plic->line_count = devices + 1; // line 0 means none
	return true;
}

// The CPU whose interrupt controller has this phandle; -1: none that runs this kernel.
static int cpu_of_phandle(const struct fdt *fdt, uint32_t phandle)
{
	fdt_node cpu = fdt_parent(fdt, fdt_find_phandle(fdt, phandle));
	struct fdt_property reg;
	uint64_t id;

	if (cpu == FDT_NONE || !fdt_get(fdt, cpu, "reg", &reg))
		return -1;
	id = fdt_cells_u32(&reg, 0);
	if (reg.length == 8)
		id = id << 32 | fdt_cells_u32(&reg, 1);
	for (unsigned i = 0; i < boot_machine.cpu_count; i++) {
		if (boot_machine.cpu_hardware_ids[i] == id)
			return (int)i;
	}
	return -1;
}

void plic_init(const struct fdt *fdt, const struct plic *plic)
{
	uint32_t context_count = (uint32_t)((plic->length - CONTEXT_OFFSET) / CONTEXT_STRIDE);
	struct fdt_property targets = {0};

	base = plic->base;
	line_count = plic->line_count;
	for (unsigned i = 0; i < ARCH_CPU_MAX; i++)
		contexts[i] = CONTEXT_NONE;

	fdt_get(fdt, find_node(fdt), "interrupts-extended", &targets);
	for (uint32_t context = 0; context < targets.length / 4 / CELLS_OF_CONTEXT && context < context_count;
		context++) {
		uint32_t phandle = fdt_cells_u32(&targets, context * CELLS_OF_CONTEXT);
		int cpu = cpu_of_phandle(fdt, phandle);

		if (cpu < 0 || fdt_cells_u32(&targets, context * CELLS_OF_CONTEXT + 1) != SUPERVISOR_EXTERNAL)
			continue;
		contexts[cpu] = context;
		for (uint32_t line = 0; line < line_count; line += 32)
			write_register(enable_register(context, line), 0);
	}
	for (uint32_t line = 1; line < line_count; line++)
		mask(line);
	interrupt_controller = &plic_controller;
}

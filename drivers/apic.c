// SPDX-License-Identifier: MIT
//
// The local APIC of each CPU (Intel SDM volume 3, chapter 11) and the I/O APICs (82093AA) as interrupt
// controller. A line is what ACPI calls a global system interrupt.

#include <arch/cpu.h>
#include <isa/internal.h>
#include <isa/registers.h>
#include <kernel/acpi.h>
#include <kernel/apic.h>
#include <kernel/cpu.h>
#include <kernel/device.h>
#include <kernel/log.h>
#include <kernel/panic.h>
#include <kernel/spinlock.h>
#include <kernel/trap.h>
#include <tern/info.h>

// Interrupts 32 to 47 are where the legacy controllers are moved to; nothing real comes from there.
#define VECTOR_LEGACY   0x20
#define VECTOR_LINES    0x30
#define VECTOR_TIMER    0xf0
#define VECTOR_IPI      0xf1
#define VECTOR_SPURIOUS 0xff
#define LINES_MAX       (VECTOR_TIMER - VECTOR_LINES)

// --- Local APIC

enum local_register {
	LOCAL_ID = 0x020,
	LOCAL_TASK_PRIORITY = 0x080,
	LOCAL_END_OF_INTERRUPT = 0x0b0,
	LOCAL_SPURIOUS = 0x0f0,
	LOCAL_COMMAND = 0x300,
	LOCAL_COMMAND_HIGH = 0x310,
	LOCAL_TIMER = 0x320,
	LOCAL_LINT0 = 0x350,
	LOCAL_LINT1 = 0x360,
	LOCAL_ERROR = 0x370,
	LOCAL_TIMER_INITIAL = 0x380,
	LOCAL_TIMER_CURRENT = 0x390,
	LOCAL_TIMER_DIVIDE = 0x3e0,
};

#define BASE_ENABLE        ((uint64_t)1 << 11)
#define BASE_X2APIC        ((uint64_t)1 << 10)
#define SPURIOUS_ENABLE    0x100
#define LOCAL_MASKED       0x10000
#define LOCAL_NMI          0x400
#define TIMER_TSC_DEADLINE 0x40000
#define DIVIDE_BY_1        0xb
#define COMMAND_FIXED      0x000
#define COMMAND_INIT       0x500
#define COMMAND_STARTUP    0x600
#define COMMAND_PENDING    0x1000
#define COMMAND_ASSERT     0x4000
#define LOCAL_SIZE         0x400

static volatile uint8_t *local_registers; // NULL: x2APIC
static uint32_t timer_mode;

static uint32_t local_read(enum local_register reg)
{
	if (local_registers == NULL)
		return (uint32_t)read_msr(MSR_X2APIC + reg / 16);
	return *(volatile uint32_t *)(local_registers + reg);
}

static void local_write(enum local_register reg, uint32_t value)
{
	if (local_registers == NULL)
		write_msr(MSR_X2APIC + reg / 16, value);
	else
		*(volatile uint32_t *)(local_registers + reg) = value;
}

uint32_t apic_id(void)
{
	uint32_t id = local_read(LOCAL_ID);

	return local_registers == NULL ? id : id >> 24;
}

static void send_command(uint64_t hardware_id, uint32_t command)
{
	if (local_registers == NULL) {
		// Writing this register does not wait for the stores before it.
		__asm__ volatile("mfence; lfence" : : : "memory");
		write_msr(MSR_X2APIC + LOCAL_COMMAND / 16, hardware_id << 32 | command);
		return;
	}
	while (local_read(LOCAL_COMMAND) & COMMAND_PENDING)
		arch_cpu_relax();
	local_write(LOCAL_COMMAND_HIGH, (uint32_t)hardware_id << 24);
	local_write(LOCAL_COMMAND, command);
}

void apic_send_init(uint64_t hardware_id)
{
	send_command(hardware_id, COMMAND_INIT | COMMAND_ASSERT);
}

void apic_send_startup(uint64_t hardware_id, uint8_t page)
{
	send_command(hardware_id, COMMAND_STARTUP | COMMAND_ASSERT | page);
}

static void apic_send_ipi(unsigned cpu_index)
{
	send_command(cpus[cpu_index].arch.apic_id, COMMAND_FIXED | COMMAND_ASSERT | VECTOR_IPI);
}

void apic_timer_use_deadlines(void)
{
	timer_mode = TIMER_TSC_DEADLINE;
	local_write(LOCAL_TIMER, VECTOR_TIMER | timer_mode);
}

void apic_timer_start(uint32_t count)
{
	local_write(LOCAL_TIMER_INITIAL, count);
}

uint32_t apic_timer_count(void)
{
	return local_read(LOCAL_TIMER_CURRENT);
}

static void apic_init_cpu(void)
{
	uint64_t base = read_msr(MSR_APIC_BASE) | BASE_ENABLE;

	if (local_registers == NULL)
		base |= BASE_X2APIC;
	write_msr(MSR_APIC_BASE, base);
	local_write(LOCAL_TASK_PRIORITY, 0);
	local_write(LOCAL_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
	local_write(LOCAL_LINT0, LOCAL_MASKED);
	local_write(LOCAL_LINT1, LOCAL_NMI);
	local_write(LOCAL_ERROR, LOCAL_MASKED);
	local_write(LOCAL_TIMER_DIVIDE, DIVIDE_BY_1);
	local_write(LOCAL_TIMER_INITIAL, 0);
	local_write(LOCAL_TIMER, VECTOR_TIMER | timer_mode);
	cpu_self()->arch.apic_id = apic_id();
}

// --- I/O APICs

enum io_register {
	IO_VERSION = 0x01,
	IO_REDIRECTION = 0x10, // two for each line
};

#define IO_SELECT           0x00
#define IO_WINDOW           0x10
#define IO_SIZE             0x20
#define IO_ENTRIES(version) (((version) >> 16 & 0xff) + 1)

#define ROUTE_ACTIVE_LOW ((uint32_t)1 << 13)
#define ROUTE_LEVEL      ((uint32_t)1 << 15)
#define ROUTE_MASKED     ((uint32_t)1 << 16)

struct io_apic {
	volatile uint8_t *registers;
	uint32_t first_line;
	uint32_t line_count;
};

// An I/O APIC forgets the edges of a masked line. So an edge-triggered line stays open when it is masked; one
// interrupt that comes meanwhile is remembered and given again when the line is unmasked.
struct line_state {
	bool is_edge;
	bool masked;
	bool pending;
	unsigned cpu_index;
};

static struct spinlock io_lock = SPINLOCK_INITIALIZER(
	RANK_INTERRUPT_CONTROLLER); // guards registers and lines
static struct io_apic io_apics[ACPI_IO_APICS];
static size_t io_apic_count;
static struct line_state lines[LINES_MAX];

static uint32_t io_read(const struct io_apic *io, uint32_t reg)
{
	*(volatile uint32_t *)(io->registers + IO_SELECT) = reg;
	return *(volatile uint32_t *)(io->registers + IO_WINDOW);
}

static void io_write(const struct io_apic *io, uint32_t reg, uint32_t value)
{
	*(volatile uint32_t *)(io->registers + IO_SELECT) = reg;
	*(volatile uint32_t *)(io->registers + IO_WINDOW) = value;
}

// The I/O APIC of a line, and the register with the low half of its route; NULL: no such line.
static const struct io_apic *io_apic_of(uint32_t line, uint32_t *reg)
{
	if (line >= LINES_MAX)
		return NULL;
	for (size_t i = 0; i < io_apic_count; i++) {
		const struct io_apic *io = &io_apics[i];

		if (line >= io->first_line && line - io->first_line < io->line_count) {
			*reg = IO_REDIRECTION + 2 * (line - io->first_line);
			return io;
		}
	}
	return NULL;
}

static void set_route_masked(uint32_t line, bool masked)
{
	uint32_t reg;
	const struct io_apic *io = io_apic_of(line, &reg);
	uint32_t route;

	if (io == NULL)
		return;
	route = io_read(io, reg) & ~ROUTE_MASKED;
	io_write(io, reg, route | (masked ? ROUTE_MASKED : 0));
}

static bool apic_configure(uint32_t line, uint32_t flags, unsigned cpu_index)
{
	uint32_t reg;
	const struct io_apic *io = io_apic_of(line, &reg);
	uint32_t route = (VECTOR_LINES + line) | ROUTE_MASKED;

	if (io == NULL || cpus[cpu_index].arch.apic_id > UINT8_MAX)
		return false;
	if (!(flags & INTERRUPT_EDGE))
		route |= ROUTE_LEVEL;
	if (flags & INTERRUPT_ACTIVE_LOW)
		route |= ROUTE_ACTIVE_LOW;

	spin_lock(&io_lock);
	lines[line] = (struct line_state){
		.is_edge = (flags & INTERRUPT_EDGE) != 0,
		.masked = true,
		.cpu_index = cpu_index,
	};
	io_write(io, reg, route);
	io_write(io, reg + 1, cpus[cpu_index].arch.apic_id << 24);
	if (lines[line].is_edge)
		io_write(io, reg, route & ~ROUTE_MASKED);
	spin_unlock(&io_lock);
	return true;
}

static void apic_mask(uint32_t line)
{
	if (line >= LINES_MAX)
		return;
	spin_lock(&io_lock);
	lines[line].masked = true;
	if (!lines[line].is_edge)
		set_route_masked(line, true);
	spin_unlock(&io_lock);
}

static void apic_unmask(uint32_t line)
{
	if (line >= LINES_MAX)
		return;
	spin_lock(&io_lock);
	lines[line].masked = false;
	if (!lines[line].is_edge)
		set_route_masked(line, false);
	if (lines[line].pending) {
		lines[line].pending = false;
		send_command(cpus[lines[line].cpu_index].arch.apic_id,
			COMMAND_FIXED | COMMAND_ASSERT | (VECTOR_LINES + line));
	}
	spin_unlock(&io_lock);
}

// Whether an interrupt of a line is to be handed on now.
static bool accept_line(uint32_t line)
{
	bool accepted;

	spin_lock(&io_lock);
	accepted = !lines[line].masked;
	if (!accepted && lines[line].is_edge)
		lines[line].pending = true;
	spin_unlock(&io_lock);
	return accepted;
}

static void apic_dispatch(uint32_t vector)
{
	if (vector < VECTOR_LINES || vector == VECTOR_SPURIOUS)
		return; // these are not ended
	if (vector == VECTOR_TIMER)
		timer_interrupt();
	else if (vector == VECTOR_IPI)
		trap_ipi();
	else if (vector - VECTOR_LINES < LINES_MAX && accept_line(vector - VECTOR_LINES))
		trap_interrupt(vector - VECTOR_LINES);
	local_write(LOCAL_END_OF_INTERRUPT, 0);
}

static const struct interrupt_controller apic_controller = {
	.name = "apic",
	.dispatch = apic_dispatch,
	.configure = apic_configure,
	.mask = apic_mask,
	.unmask = apic_unmask,
	.init_cpu = apic_init_cpu,
	.send_ipi = apic_send_ipi,
};

// --- Set-up

// The two 8259A of the PC: moved away from the exceptions, all lines masked.
static void disable_legacy_controllers(void)
{
	enum { MASTER = 0x20, SLAVE = 0xa0, INIT_WITH_ICW4 = 0x11, MODE_8086 = 0x01 };

	arch_io_port_write(MASTER, 1, INIT_WITH_ICW4);
	arch_io_port_write(SLAVE, 1, INIT_WITH_ICW4);
	arch_io_port_write(MASTER + 1, 1, VECTOR_LEGACY);
	arch_io_port_write(SLAVE + 1, 1, VECTOR_LEGACY + 8);
	arch_io_port_write(MASTER + 1, 1, 1 << 2); // the slave is at line 2
	arch_io_port_write(SLAVE + 1, 1, 2);
	arch_io_port_write(MASTER + 1, 1, MODE_8086);
	arch_io_port_write(SLAVE + 1, 1, MODE_8086);
	arch_io_port_write(MASTER + 1, 1, 0xff);
	arch_io_port_write(SLAVE + 1, 1, 0xff);
}

static uint32_t add_io_apic(const struct acpi_io_apic *found)
{
	struct io_apic *io = &io_apics[io_apic_count];

	io->registers = mmu_boot_map_device(found->address, IO_SIZE);
	if (io->registers == NULL || found->first_line >= LINES_MAX)
		return 0;
	io->first_line = found->first_line;
	io->line_count = IO_ENTRIES(io_read(io, IO_VERSION));
	if (io->line_count > LINES_MAX - io->first_line)
		io->line_count = LINES_MAX - io->first_line;
	for (uint32_t i = 0; i < io->line_count; i++)
		io_write(io, IO_REDIRECTION + 2 * i, ROUTE_MASKED);
	io_apic_count++;
	return io->first_line + io->line_count;
}

uint32_t apic_init(void)
{
	paddr_t local = acpi_machine.local_apic;
	uint32_t line_limit = 0;

	disable_legacy_controllers();
	if (local == 0)
		local = read_msr(MSR_APIC_BASE) & ~(paddr_t)(PAGE_SIZE - 1);
	if (!cpu_features.x2apic) {
		local_registers = mmu_boot_map_device(local, LOCAL_SIZE);
		if (local_registers == NULL)
			panic("no local APIC");
	}
	for (size_t i = 0; i < acpi_machine.io_apic_count; i++) {
		uint32_t limit = add_io_apic(&acpi_machine.io_apics[i]);

		if (limit > line_limit)
			line_limit = limit;
	}
	interrupt_controller = &apic_controller;
	apic_init_cpu();
	return line_limit;
}

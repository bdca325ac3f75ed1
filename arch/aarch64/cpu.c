// SPDX-License-Identifier: MIT
//
// What each CPU sets up for itself; entropy; the ports that this ISA has not.

#include <arch/cpu.h>
#include <isa/internal.h>
#include <isa/offsets.h>
#include <isa/registers.h>

#define EMERGENCY_STACK_SIZE 8192

#define RANDOM_TRIES 16

static uint8_t emergency_stacks[ARCH_CPU_MAX][EMERGENCY_STACK_SIZE] __attribute__((aligned(16)));

// User mode may use the FPU when it comes to it, the virtual counter, and nothing else: no debug, performance
// or activity registers.
static void close_user_access(void)
{
	unsigned performance = id_field(read_system_register(id_aa64dfr0_el1), 8);
	unsigned activity = id_field(read_system_register(id_aa64pfr0_el1), 44);

	write_system_register(cpacr_el1, 0);
	write_system_register(mdscr_el1, MDSCR_USER);
	write_system_register(oslar_el1, 0);
	write_system_register(cntkctl_el1, 1 << 1); // EL0VCTEN
	write_system_register(tpidrro_el0, 0);
	if (performance != 0 && performance != 0xf)
		write_system_register(pmuserenr_el0, 0);
	if (activity != 0)
		write_system_register(s3_3_c13_c2_3, 0); // AMUSERENR_EL0
}

void arch_cpu_init(struct cpu *cpu)
{
	write_system_register(tpidr_el1, cpu);
	cpu->arch.emergency_stack = (uint64_t)(emergency_stacks[cpu - cpus] + EMERGENCY_STACK_SIZE);
	atomic_init(&cpu->arch.asid_generation, ASID_STALE);
	write_system_register(vbar_el1, exception_vectors);
	close_user_access();
	if (id_field(read_system_register(id_aa64mmfr1_el1), 20) != 0)
		__asm__ volatile(".inst 0xd500419f" : : : "memory"); // msr pan, #1
	instruction_barrier();
}

void arch_halt(void)
{
	__asm__ volatile("msr daifset, #0xf" : : : "memory");
	while (true)
		__asm__ volatile("wfi");
}

// RNDR: false where it has no number ready.
static bool random_number(uint64_t *number)
{
	uint64_t failed;

	__asm__ volatile("mrs %0, s3_3_c2_c4_0\n\tcset %1, eq" : "=r"(*number), "=r"(failed) : : "cc");
	return failed == 0;
}

size_t arch_entropy(void *buffer, size_t length)
{
	size_t filled = 0;
	unsigned tries = RANDOM_TRIES;

	if (id_field(read_system_register(id_aa64isar0_el1), 60) == 0)
		return 0;
	while (filled < length && tries > 0) {
		uint64_t number;
		size_t piece = length - filled < sizeof(number) ? length - filled : sizeof(number);

		if (!random_number(&number)) {
			tries--;
			continue;
		}
		__builtin_memcpy((uint8_t *)buffer + filled, &number, piece);
		filled += piece;
	}
	return filled;
}

bool arch_io_port_read(uint16_t port, unsigned width, uint32_t *data)
{
	(void)port;
	(void)width;
	(void)data;
	return false;
}

bool arch_io_port_write(uint16_t port, unsigned width, uint32_t data)
{
	(void)port;
	(void)width;
	(void)data;
	return false;
}

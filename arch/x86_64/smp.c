// SPDX-License-Identifier: MIT
//
// Starting the other CPUs, and interrupts between them.

#include <arch/cpu.h>
#include <arch/smp.h>
#include <arch/time.h>
#include <isa/internal.h>
#include <isa/registers.h>
#include <kernel/apic.h>
#include <kernel/boot.h>
#include <kernel/cpu.h>
#include <kernel/device.h>
#include <kernel/string.h>
#include <stdatomic.h>

#define INIT_DELAY     10000 // microseconds
#define STARTUP_DELAY  200
#define STARTUP_TRIES  2
#define ANSWER_TIMEOUT 1000000

extern const uint8_t trampoline_start[], trampoline_end[];

// For the CPU that is being started; one at a time. It takes the stack, or finds that it was given up.
_Atomic vaddr_t application_stack;
static struct cpu *application_cpu;
static atomic_bool application_answered;

_Noreturn void application_main(void)
{
	struct cpu *cpu = application_cpu;

	arch_cpu_init(cpu);
	cpu_control_init();
	atomic_store(&application_answered, true);
	cpu_main(cpu);
}

static bool wait_for_answer(uint64_t microseconds)
{
	uint64_t end = arch_time_now() + microseconds * 1000;

	while (!atomic_load(&application_answered)) {
		if (arch_time_now() > end)
			return false;
		arch_cpu_relax();
	}
	return true;
}

bool arch_cpu_start(struct cpu *cpu, uint64_t hardware_id, vaddr_t stack_top)
{
	if (trampoline_page == 0)
		return false;
	memcpy(phys_to_virt(trampoline_page), trampoline_start, (size_t)(trampoline_end - trampoline_start));
	application_cpu = cpu;
	atomic_store(&application_answered, false);
	atomic_store(&application_stack, stack_top);

	apic_send_init(hardware_id);
	delay_microseconds(INIT_DELAY);
	for (unsigned i = 0; i < STARTUP_TRIES; i++) {
		apic_send_startup(hardware_id, (uint8_t)(trampoline_page / PAGE_SIZE));
		if (wait_for_answer(STARTUP_DELAY))
			return true;
	}
	if (wait_for_answer(ANSWER_TIMEOUT))
		return true;
	if (atomic_exchange(&application_stack, 0) != 0) {
		apic_send_init(hardware_id); // it waits for its start again, in vain
		return false;
	}
	while (!atomic_load(&application_answered))
		arch_cpu_relax();
	return true;
}

void arch_ipi_send(struct cpu *cpu)
{
	interrupt_controller->send_ipi(cpu->index);
}

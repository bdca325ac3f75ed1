// SPDX-License-Identifier: MIT
//
// Other CPUs: starting them and interrupting them.

#include <arch/smp.h>
#include <isa/internal.h>
#include <isa/registers.h>
#include <kernel/boot.h>
#include <kernel/device.h>

bool arch_cpu_start(struct cpu *cpu, uint64_t hardware_id, vaddr_t stack_top)
{
	cpu->arch.boot_stack = stack_top;
	data_barrier(sy);
	return psci_cpu_on(hardware_id, image_to_phys(boot_secondary), (uint64_t)&cpu->arch);
}

void secondary_main(struct arch_cpu *arch)
{
	struct cpu *cpu = (struct cpu *)arch;

	arch_cpu_init(cpu);
	cpu_main(cpu);
}

void arch_ipi_send(struct cpu *cpu)
{
	data_barrier(ishst);
	interrupt_controller->send_ipi(cpu->index);
}

// SPDX-License-Identifier: MIT
//
// Other harts: started through the SBI's hart state management, interrupted through its IPIs.

#include "internal.h"
#include <arch/cpu.h>
#include <arch/smp.h>
#include <kernel/boot.h>
#include <kernel/cpu.h>

#define HSM_HART_START 0
#define IPI_SEND       0

// What hart_entry in boot.S reads, at its physical address.
struct hart_start {
	uint64_t satp;
	vaddr_t stack_top;
	struct cpu *cpu;
	uint64_t hart_id;
};

_Static_assert(sizeof(struct hart_start) == 32, "boot.S");

_Noreturn void hart_main(struct cpu *cpu);
extern const uint8_t hart_entry[];

extern struct hart_start hart_starts[]; // boot.S looks through them
struct hart_start hart_starts[ARCH_CPU_MAX];

bool arch_cpu_start(struct cpu *cpu, uint64_t hardware_id, vaddr_t stack_top)
{
	struct hart_start *start = &hart_starts[cpu - cpus];

	start->satp = csr_read(satp) & ~((uint64_t)SATP_ASID_MASK << SATP_ASID_SHIFT);
	start->cpu = cpu;
	start->hart_id = hardware_id;
	cpu->arch.hart_id = hardware_id;
	__asm__ volatile("fence w, w" : : : "memory"); // boot.S looks for the stack first
	// Below where a thread that owns this stack has its frame.
	start->stack_top = stack_top - sizeof(struct arch_frame);
	__asm__ volatile("fence rw, rw" : : : "memory");
	return sbi_call(SBI_HSM, HSM_HART_START, hardware_id, isa_image_to_phys(hart_entry), 0).error == 0;
}

_Noreturn void hart_main(struct cpu *cpu)
{
	arch_cpu_init(cpu);
	cpu_main(cpu);
}

void arch_ipi_send(struct cpu *cpu)
{
	__asm__ volatile("fence iorw, iorw" : : : "memory");
	sbi_call(SBI_IPI, IPI_SEND, 1, cpu->arch.hart_id, 0);
}

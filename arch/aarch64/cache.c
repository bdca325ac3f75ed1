// SPDX-License-Identifier: MIT
//
// Instruction caches: what was written as data becomes code (Arm ARM, B2.4.4).

#include <arch/mmu.h>
#include <isa/registers.h>

#define CTR_INSTRUCTION_POLICY_SHIFT 14
#define CTR_INSTRUCTION_PIPT         3
#define CTR_DATA_CLEAN_NOT_NEEDED    ((uint64_t)1 << 28) // IDC
#define CTR_INVALIDATE_NOT_NEEDED    ((uint64_t)1 << 29) // DIC

static size_t line_size(uint64_t cache_type, unsigned shift)
{
	return (size_t)4 << id_field(cache_type, shift);
}

void arch_sync_code(const void *address, size_t length)
{
	uint64_t cache_type = read_system_register(ctr_el0);
	size_t data_line = line_size(cache_type, 16), instruction_line = line_size(cache_type, 0);
	vaddr_t start = (vaddr_t)address, end = start + length;

	if (!(cache_type & CTR_DATA_CLEAN_NOT_NEEDED)) {
		for (vaddr_t line = start & ~(data_line - 1); line < end; line += data_line)
			__asm__ volatile("dc cvau, %0" : : "r"(line) : "memory");
	}
	data_barrier(ish);
	if (((cache_type >> CTR_INSTRUCTION_POLICY_SHIFT) & 3) != CTR_INSTRUCTION_PIPT) {
		// The code runs at another address than this one, and the cache may know it by that.
		__asm__ volatile("ic ialluis" : : : "memory");
	} else if (!(cache_type & CTR_INVALIDATE_NOT_NEEDED)) {
		for (vaddr_t line = start & ~(instruction_line - 1); line < end; line += instruction_line)
			__asm__ volatile("ic ivau, %0" : : "r"(line) : "memory");
	}
	data_barrier(ish);
	instruction_barrier();
}

// SPDX-License-Identifier: MIT
//
// Switching address spaces and invalidating translations.
//
// Each address space has a PCID of its own, as long as there are some: the same one on all CPUs. Where a CPU
// may hold stale translations of a PCID that is not loaded, its bit in that CPU's pcid_stale has it flushed
// when it is loaded next.

#include <arch/cpu.h>
#include <arch/mmu.h>
#include <isa/internal.h>
#include <isa/registers.h>
#include <kernel/assert.h>
#include <kernel/cpu.h>
#include <stdatomic.h>

#define PAGES_ONE_BY_ONE 32 // above it, flushing everything is cheaper

static _Atomic uint64_t pcid_used[PCID_COUNT / 64] = {
	1}; // PCID 0 is shared, and flushed whenever it is loaded

static uint64_t pcid_bit(unsigned pcid)
{
	return (uint64_t)1 << pcid % 64;
}

unsigned pcid_allocate(void)
{
	if (!cpu_features.pcid)
		return 0;
	for (unsigned i = 0; i < PCID_COUNT / 64; i++) {
		uint64_t used = pcid_used[i];

		while (~used != 0) {
			unsigned pcid = i * 64 + (unsigned)__builtin_ctzll(~used);

			if (atomic_compare_exchange_weak(&pcid_used[i], &used, used | pcid_bit(pcid)))
				return pcid;
		}
	}
	return 0;
}

void arch_mmu_release_asid(struct arch_address_space *space)
{
	unsigned pcid = space->pcid;

	if (pcid == 0)
		return;
	for (unsigned i = 0; i < ARCH_CPU_MAX; i++)
		atomic_fetch_or(&cpus[i].arch.pcid_stale[pcid / 64], pcid_bit(pcid));
	atomic_fetch_and(&pcid_used[pcid / 64], ~pcid_bit(pcid));
	space->pcid = 0;
}

// Whether the translations of a PCID may stay when it is loaded on this CPU.
static bool pcid_is_fresh(struct arch_cpu *cpu, unsigned pcid)
{
	_Atomic uint64_t *stale = &cpu->pcid_stale[pcid / 64];

	if (!(atomic_load_explicit(stale, memory_order_relaxed) & pcid_bit(pcid)))
		return true;
	atomic_fetch_and(stale, ~pcid_bit(pcid));
	return false;
}

static bool switch_to_pcid(struct arch_cpu *cpu, const struct arch_address_space *space)
{
	bool keep = pcid_is_fresh(cpu, space->pcid);

	write_cr3(space->root | space->pcid | (keep ? CR3_KEEP_PCID : 0));
	return keep;
}

// The write serializes.
bool arch_mmu_switch(struct arch_cpu *cpu, struct arch_address_space *space)
{
	assert(!arch_irq_enabled());
	if (space != NULL && space->pcid != 0)
		return switch_to_pcid(cpu, space);
	write_cr3(space != NULL ? space->root : kernel_root);
	return false;
}

static void flush_everything(void)
{
	uint64_t cr4 = read_cr4();

	write_cr4(cr4 & ~CR4_GLOBAL_PAGES);
	write_cr4(cr4);
}

void arch_tlb_flush(struct arch_address_space *space, vaddr_t address, size_t pages)
{
	struct arch_cpu *cpu = isa_cpu_self();

	if (space != NULL && space->root != (read_cr3() & ~(uint64_t)(PCID_COUNT - 1))) {
		atomic_fetch_or(&cpu->pcid_stale[space->pcid / 64], pcid_bit(space->pcid));
		return;
	}
	if (pages <= PAGES_ONE_BY_ONE) {
		for (size_t i = 0; i < pages; i++)
			__asm__ volatile("invlpg (%0)" : : "r"(address + i * PAGE_SIZE) : "memory");
	} else if (space != NULL) {
		write_cr3(space->root | space->pcid);
	} else {
		flush_everything();
	}
}

// Instruction fetch sees all stores in order (Intel SDM volume 3, 8.1.3): a jump or an interrupt return is
// enough.
void arch_sync_code(const void *address, size_t length)
{
	(void)address;
	(void)length;
}

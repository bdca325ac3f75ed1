// SPDX-License-Identifier: MIT
//
// Address-space identifiers (ASIDs), the switch of address spaces, and TLB invalidation.
//
// ASIDs are given out in order. When they are used up, a new generation begins: those that CPUs use at that
// moment stay with their spaces, every other space gets a new one when it is next switched to, and each CPU
// flushes its TLB before it uses any of the new generation.
//
// The fast path takes no lock. A CPU publishes the ASID it is about to use and then looks whether its
// generation still holds; who begins a new generation first declares the CPU's stale and then reads what it
// published. One of the two always sees the other. In direct switches the CPU's work is what is looked at then.

#include <arch/mmu.h>
#include <isa/internal.h>
#include <isa/registers.h>
#include <stdatomic.h>

#define ASID_GENERATION ((uint64_t)1 << ASID_NUMBER_BITS)

#define TCR_ASID_16 ((uint64_t)1 << 36)

// Over so many pages the whole address space is flushed.
#define FLUSH_PAGES_MAX 64

static atomic_bool asid_lock; // guards what follows, and asid_reserved of all CPUs
static uint64_t generation = ASID_GENERATION;
static uint64_t next_number = 1; // 0 is that of no space

static uint64_t number_limit(void)
{
	return read_system_register(tcr_el1) & TCR_ASID_16 ? ASID_NUMBER_MASK + 1 : 256;
}

// Whether a CPU has used the ASID of an earlier generation without pause since; if so, it has the new value
// from now on.
static bool carry_over(uint64_t asid, uint64_t renewed)
{
	bool found = false;

	for (unsigned i = 0; i < ARCH_CPU_MAX; i++) {
		if (cpus[i].arch.asid_reserved == asid) {
			cpus[i].arch.asid_reserved = renewed;
			found = true;
		}
	}
	return found;
}

static bool number_reserved(uint64_t number)
{
	for (unsigned i = 0; i < ARCH_CPU_MAX; i++) {
		if ((cpus[i].arch.asid_reserved & ASID_NUMBER_MASK) == number)
			return true;
	}
	return false;
}

// A CPU that has not flushed since the last time still runs what it ran then, if anything.
static void begin_generation(void)
{
	generation += ASID_GENERATION;
	next_number = 1;
	for (unsigned i = 0; i < ARCH_CPU_MAX; i++) {
		struct arch_cpu *cpu = &cpus[i].arch;

		if (atomic_load_explicit(&cpu->asid_generation, memory_order_relaxed) == ASID_STALE)
			continue;
		atomic_store_explicit(&cpu->asid_generation, ASID_STALE, memory_order_relaxed);
		cpu_set_work(&cpus[i]);
		atomic_thread_fence(memory_order_seq_cst);
		cpu->asid_reserved = atomic_load_explicit(&cpu->asid_active, memory_order_relaxed);
	}
}

static uint64_t renewed_asid(uint64_t asid)
{
	uint64_t renewed = generation | (asid & ASID_NUMBER_MASK);

	if (asid != 0 && carry_over(asid, renewed))
		return renewed;
	do {
		if (next_number == number_limit())
			begin_generation();
		renewed = generation | next_number++;
	} while (number_reserved(renewed & ASID_NUMBER_MASK));
	return renewed;
}

// The slow path of a switch: gives the space an ASID of the present generation and flushes this CPU's TLB if
// it has not seen that one.
static __attribute__((noinline)) uint64_t assign_asid(struct arch_cpu *cpu, struct arch_address_space *space)
{
	uint64_t asid;

	// No translation of the space being left may come back after the flush.
	write_system_register(ttbr0_el1, image_to_phys(empty_root));
	instruction_barrier();

	while (atomic_exchange_explicit(&asid_lock, true, memory_order_acquire))
		arch_cpu_relax();
	asid = atomic_load_explicit(&space->asid, memory_order_relaxed);
	if ((asid & ~(uint64_t)ASID_NUMBER_MASK) != generation) {
		asid = renewed_asid(asid);
		atomic_store_explicit(&space->asid, asid, memory_order_relaxed);
	}
	if (atomic_load_explicit(&cpu->asid_generation, memory_order_relaxed) != generation) {
		__asm__ volatile("tlbi vmalle1" : : : "memory");
		data_barrier(nsh);
		instruction_barrier();
		atomic_store_explicit(&cpu->asid_generation, generation, memory_order_relaxed);
	}
	atomic_store_explicit(&cpu->asid_active, asid, memory_order_relaxed);
	atomic_store_explicit(&asid_lock, false, memory_order_release);
	return asid;
}

bool arch_mmu_switch(struct arch_cpu *cpu, struct arch_address_space *space)
{
	paddr_t root = image_to_phys(empty_root);
	uint64_t asid = 0;

	if (space != NULL) {
		root = space->root;
		asid = *(volatile uint64_t *)&space->asid;
		if (!isa_asid_use(cpu, asid))
			asid = assign_asid(cpu, space);
	} else {
		atomic_store(&cpu->asid_active, 0);
	}
	write_system_register(ttbr0_el1, root | asid << TTBR_ASID_SHIFT);
	instruction_barrier();
	return true;
}

// Its number is not given out again before every TLB was flushed.
void arch_mmu_release_asid(struct arch_address_space *space)
{
	atomic_store_explicit(&space->asid, 0, memory_order_relaxed);
}

// Whether one instruction can flush a range (FEAT_TLBIRANGE). It matters where an instruction that all CPUs must hear of is
// dear: where they take turns on one thread of an emulator's host, each such instruction costs a turn.
static bool has_ranges(void)
{
	return id_field(read_system_register(id_aa64isar0_el1), 56) >= 2;
}

// Arm ARM, TLBI RVALE1IS: 4 KiB pages, (number + 1) * 2 of them, from the page in the low bits.
static uint64_t range(uint64_t page, size_t pages)
{
	return (uint64_t)1 << 46 | (uint64_t)((pages + 1) / 2 - 1) << 39 | (page & (((uint64_t)1 << 37) - 1));
}

_Static_assert(FLUSH_PAGES_MAX <= 64, "the number has 5 bits");

void arch_tlb_flush(struct arch_address_space *space, vaddr_t address, size_t pages)
{
	uint64_t asid = space == NULL
		? 0
		: atomic_load_explicit(&space->asid, memory_order_relaxed) << TTBR_ASID_SHIFT;
	uint64_t page = (address >> PAGE_SHIFT) & (((uint64_t)1 << 44) - 1);

	data_barrier(ishst);
	if (pages > FLUSH_PAGES_MAX && space != NULL) {
		__asm__ volatile("tlbi aside1is, %0" : : "r"(asid) : "memory");
	} else if (pages > FLUSH_PAGES_MAX) {
		__asm__ volatile("tlbi vmalle1is" : : : "memory");
	} else if (pages > 1 && has_ranges()) {
		if (space != NULL) // RVALE1IS, RVAALE1IS
			__asm__ volatile("sys #0, c8, c2, #5, %0"
					 :
					 : "r"(asid | range(page, pages))
					 : "memory");
		else
			__asm__ volatile("sys #0, c8, c2, #7, %0" : : "r"(range(page, pages)) : "memory");
	} else if (space != NULL) {
		for (size_t i = 0; i < pages; i++)
			__asm__ volatile("tlbi vale1is, %0" : : "r"(asid | (page + i)) : "memory");
	} else {
		for (size_t i = 0; i < pages; i++)
			__asm__ volatile("tlbi vaale1is, %0" : : "r"(page + i) : "memory");
	}
	data_barrier(ish);
	instruction_barrier();
}

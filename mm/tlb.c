// SPDX-License-Identifier: MIT
//
// TLB shootdown by IPI, and making other CPUs let go of an address space. Interrupts are off in the kernel,
// so a CPU has at most one request under way and waits for it; while it waits, for this or for any spin lock,
// it answers the requests of others by tlb_shootdown_ipi, so CPUs that wait for each other all get on.

#include <arch/cpu.h>
#include <arch/mmu.h>
#include <arch/smp.h>
#include <kernel/address_space.h>
#include <kernel/assert.h>
#include <kernel/cpu.h>
#include <stdatomic.h>

enum request_kind {
	REQUEST_FLUSH,
	REQUEST_SYNC_CODE,
	REQUEST_UNLOAD,
};

// The request of one CPU; it stays unchanged while bits of `pending` are set.
struct request {
	enum request_kind kind;
	struct address_space *space; // NULL: kernel addresses, code of any space
	vaddr_t address;
	size_t pages;
	_Atomic uint64_t pending; // CPUs that have not answered
} __attribute__((aligned(64)));

static struct request requests[ARCH_CPU_MAX];
// By CPU: whose requests it has to answer.
static _Atomic uint64_t incoming[ARCH_CPU_MAX];

static uint64_t bit(unsigned cpu_index)
{
	return (uint64_t)1 << cpu_index;
}

// Calls for each set bit of a mask.
#define for_each_cpu(index, mask)                                     \
	for (uint64_t left_ = (mask); left_ != 0; left_ &= left_ - 1) \
		for (unsigned index = (unsigned)__builtin_ctzll(left_), once_ = 1; once_; once_ = 0)

static struct address_space *loaded_space(const struct cpu *cpu)
{
	return __atomic_load_n(&cpu->address_space, __ATOMIC_SEQ_CST);
}

// Whether a CPU must be asked to flush: for kernel addresses each, for a space one that has it loaded. Another is told by a
// clear bit in space->cpus to flush the space when it loads it again. One that loads it just now either finds the bit
// clear or is seen here in the second look.
static bool must_be_asked(const struct cpu *cpu, struct address_space *space)
{
	if (space == NULL || loaded_space(cpu) == space)
		return true;
	atomic_fetch_and(&space->cpus, ~bit(cpu->index));
	return loaded_space(cpu) == space;
}

static uint64_t cpus_to_flush(struct address_space *space)
{
	unsigned self = cpu_self()->index;
	uint64_t targets = 0;

	for (unsigned i = 0; i < cpu_count; i++)
		if (i != self && cpus[i].online && must_be_asked(&cpus[i], space))
			targets |= bit(i);
	return targets;
}

static void answer(struct request *request, struct cpu *cpu)
{
	if (request->kind == REQUEST_FLUSH)
		arch_tlb_flush(
			request->space ? &request->space->arch : NULL, request->address, request->pages);
	else if (request->kind == REQUEST_SYNC_CODE)
		arch_sync_code(NULL, 0);
	else if (cpu->address_space == request->space)
		address_space_switch(NULL);
	atomic_fetch_and_explicit(&request->pending, ~bit(cpu->index), memory_order_release);
}

void tlb_shootdown_ipi(void)
{
	struct cpu *cpu = cpu_self();

	if (atomic_load_explicit(&incoming[cpu->index], memory_order_relaxed) == 0)
		return;
	for_each_cpu(from, atomic_exchange_explicit(&incoming[cpu->index], 0, memory_order_acquire))
		answer(&requests[from], cpu);
	cpu->shootdowns++;
}

static void ask(const struct request *what, uint64_t targets)
{
	unsigned self = cpu_self()->index;
	struct request *request = &requests[self];

	assert(!arch_irq_enabled() && !(targets & bit(self)));
	assert(atomic_load(&request->pending) == 0);
	request->kind = what->kind;
	request->space = what->space;
	request->address = what->address;
	request->pages = what->pages;
	atomic_store_explicit(&request->pending, targets, memory_order_relaxed);
	for_each_cpu(to, targets)
	{
		atomic_fetch_or_explicit(&incoming[to], bit(self), memory_order_release);
		arch_ipi_send(&cpus[to]);
	}
	while (atomic_load_explicit(&request->pending, memory_order_acquire) != 0) {
		tlb_shootdown_ipi();
		arch_cpu_relax();
	}
}

void tlb_shootdown(struct address_space *space, vaddr_t address, size_t pages)
{
	uint64_t targets;

	if (pages == 0)
		return;
	// The entries were changed before we look who may have read them: see address_space_switch.
	atomic_thread_fence(memory_order_seq_cst);
	arch_tlb_flush(space ? &space->arch : NULL, address, pages);
	if (ARCH_TLB_BROADCAST)
		return;
	targets = cpus_to_flush(space);
	if (targets != 0)
		ask(&(struct request){REQUEST_FLUSH, space, address, pages, 0}, targets);
}

void code_shootdown(struct address_space *space)
{
	uint64_t targets;

	if (ARCH_CODE_BROADCAST)
		return;
	atomic_thread_fence(memory_order_seq_cst);
	targets = cpus_to_flush(space);
	if (targets != 0)
		ask(&(struct request){REQUEST_SYNC_CODE, space, 0, 0, 0}, targets);
}

// The order matters: a CPU says what it loads before it looks whether its translations are current.
void address_space_load(struct cpu *cpu, struct address_space *space)
{
	__atomic_store_n(&cpu->address_space, space, __ATOMIC_RELAXED);
	if (!arch_mmu_switch(&cpu->arch, &space->arch) || ARCH_TLB_BROADCAST ||
		(atomic_load_explicit(&space->cpus, memory_order_relaxed) & cpu->bit) != 0)
		return;
	atomic_fetch_or(&space->cpus, cpu->bit);
	arch_tlb_flush(&space->arch, 0, ARCH_USER_END >> PAGE_SHIFT);
	if (!ARCH_CODE_BROADCAST)
		arch_sync_code(NULL, 0);
}

void address_space_switch(struct address_space *space)
{
	struct cpu *cpu = cpu_self();

	if (cpu->address_space == space)
		return;
	if (space) {
		address_space_load(cpu, space);
	} else {
		__atomic_store_n(&cpu->address_space, NULL, __ATOMIC_RELAXED);
		arch_mmu_switch(&cpu->arch, NULL);
	}
}

void address_space_unload(struct address_space *space)
{
	uint64_t targets = 0;

	if (cpu_self()->address_space == space)
		address_space_switch(NULL);
	for (unsigned i = 0; i < cpu_count; i++)
		targets |= loaded_space(&cpus[i]) == space ? bit(i) : 0;
	if (targets != 0)
		ask(&(struct request){REQUEST_UNLOAD, space, 0, 0, 0}, targets);
}

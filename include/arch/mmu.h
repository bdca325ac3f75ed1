// SPDX-License-Identifier: MIT
//
// The HAL contract: page tables and the TLB.
//
// Nothing here allocates: page-table pages are supplied by the caller. Table pages of an address space are
// freed only when it is destroyed. Nothing here locks: the caller holds the address space's lock, and has
// invalidated the TLB before a frame is reused.

#ifndef ARCH_MMU_H
#define ARCH_MMU_H

#include <arch/types.h>

enum mmu_access {
	MMU_READ = 1 << 0,
	MMU_WRITE = 1 << 1,
	MMU_EXECUTE = 1 << 2,
	MMU_USER = 1 << 3,
	MMU_DEVICE = 1 << 4, // uncached, strongly ordered
};

enum mmu_result {
	MMU_DONE,
	MMU_NEED_TABLE, // supply a zeroed frame, or a filled table, and call again
	MMU_OCCUPIED,   // an entry is present there
};

// Prepares an address space on a zeroed root frame; kernel addresses are those of every other one.
void arch_mmu_init(struct arch_address_space *space, paddr_t root);

// Hands every page-table page, the root included, to `free`, at most `limit` of them; true when none is left.
// No CPU uses the space.
bool arch_mmu_destroy(struct arch_address_space *space, unsigned limit,
	void (*free)(void *context, paddr_t table), void *context);

// Maps a page of `size` (PAGE_SIZE or MMU_LARGE_SIZE; all aligned to it). Where a table is missing, takes
// *table (then set to PADDR_NONE) or says MMU_NEED_TABLE. `access` has MMU_READ at least.
#define MMU_LARGE_SIZE ((size_t)2 << 20)
enum mmu_result arch_mmu_map(struct arch_address_space *space, vaddr_t address, paddr_t physical, size_t size,
	unsigned access, paddr_t *table);

// Fills a frame as the lowest table of MMU_LARGE_SIZE bytes: its pages show what is from `physical` on.
void arch_mmu_fill_table(paddr_t table, paddr_t physical, unsigned access);

// Removes the entry at an address; returns the physical address it had, or PADDR_NONE. `*size` is its size.
paddr_t arch_mmu_unmap(struct arch_address_space *space, vaddr_t address, size_t *size);

// Changes the access of the entry at an address; false where there is none.
bool arch_mmu_protect(struct arch_address_space *space, vaddr_t address, unsigned access);

// Tells the entry at an address: its physical address (with the offset of `address` in the page), or
// PADDR_NONE: `*size` is then at least MMU_LARGE_SIZE where there is not even a table of pages.
paddr_t arch_mmu_query(struct arch_address_space *space, vaddr_t address, size_t *size, unsigned *access);

// Makes an address space current on this CPU, without a full TLB flush where the CPU has ASIDs or PCIDs.
// NULL: the kernel's own, which has no user part. A full memory barrier. False: this CPU, `cpu`, has no translations of the space from
// before.
bool arch_mmu_switch(struct arch_cpu *cpu, struct arch_address_space *space);

// Tries to make an address space current, as arch_mmu_switch does, on the way to user mode; false: that must be called. `*kept` is what
// that would return. Where the CPU then has work, the space has to be loaded again.
static inline bool arch_mmu_try_switch(struct arch_cpu *cpu, struct arch_address_space *space, bool *kept);

// The space is gone: its ASID may be reused once flushed.
void arch_mmu_release_asid(struct arch_address_space *space);

// Maps and unmaps a page of the kernel area (stacks, device registers); tables as above. Seen by all CPUs;
// unmapping flushes this CPU's TLB only.
enum mmu_result arch_mmu_kernel_map(vaddr_t address, paddr_t physical, unsigned access, paddr_t *table);
paddr_t arch_mmu_kernel_unmap(vaddr_t address);

// Invalidates translations of `pages` pages from `address` on this CPU (ARCH_TLB_BROADCAST: on all CPUs,
// complete on return). Over a threshold of its own it may flush the whole space. space NULL: kernel
// addresses.
void arch_tlb_flush(struct arch_address_space *space, vaddr_t address, size_t pages);

// Makes what was written to [address, address + length) of the direct map visible to instruction fetch: on this CPU, and on the others
// (ARCH_CODE_BROADCAST), or on those which then call this too, with no length.
void arch_sync_code(const void *address, size_t length);

#include <isa/mmu.h>

#endif

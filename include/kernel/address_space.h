// SPDX-License-Identifier: MIT
//
// Address spaces: mappings of memory objects, faults in them, and access to them from outside.
//
// All private mappings of a space (those without MAPPING_SHARED that it made itself, or that a clone got) show
// one memory object, the space's own, at the offset that is their address. So neighbours always merge, and
// what is unmapped is free again at once.
//
// Functions with preemption points inside want a counted space.

#ifndef KERNEL_ADDRESS_SPACE_H
#define KERNEL_ADDRESS_SPACE_H

#include <arch/mmu.h>
#include <arch/types.h>
#include <kernel/derivation.h>
#include <kernel/futex.h>
#include <kernel/object.h>
#include <kernel/spinlock.h>
#include <tern/fault.h>
#include <tern/info.h>

// How far chance puts things above where they would go without it.
#define RANDOM_DISTANCE ((uint64_t)ARCH_USER_END / 8)

struct capability;
struct cpu;
struct memory;

struct mapping {
	struct list_node link;        // in address_space.mappings, by address
	struct list_node memory_link; // in memory->mappings
	struct address_space *space;
	struct memory *memory;        // counted; NULL: a guard
	struct derivation derivation; // beside the capability of the memory it was made through, if any
	vaddr_t address;              // this and the next two: changed under the memory's lock too
	uint64_t length;
	uint64_t offset;
	uint64_t flags;         // MAPPING_*
	uint64_t flags_allowed; // MAPPING_READ/WRITE/EXECUTE that protect may give: the rights at the time of
				// mapping
	bool unmapping;         // gone but for the work: no faults in it, nothing merges with it
	struct mapping *parent; // tree by address: mapping_tree.c
	struct mapping *left;
	struct mapping *right;
	uint64_t priority;
	uint64_t gap;     // free bytes between the mapping below and this one, as the tree knows it
	uint64_t gap_max; // the largest in its subtree
};

struct address_space {
	struct object object;
	struct spinlock lock; // guards all below
	struct arch_address_space arch;
	struct list_node mappings;
	struct mapping *tree_root;
	struct mapping *recent;        // found, made or next to what went last; NULL: none
	struct mapping *gap_changed;   // whose `gap` the tree has yet to be told; all others are exact
	struct list_node replacing;    // ranges that MAPPING_REPLACE is clearing: address_space_map.c
	struct memory *private_memory; // counted; NULL once destroyed
	uint64_t mapped_pages;
	vaddr_t base;                 // from here on go mappings without a wish; never changes
	struct spinlock reserve_lock; // guards the next one, without the lock above: mm/large_page.c
	paddr_t reserved_tables;
	bool destroyed;  // nothing can be mapped or touched any more
	bool of_process; // destroyed when that ends, whoever has capabilities: no guest's
	// Bit n: what CPU n has of it in its TLB and its instruction cache is current (no ARCH_TLB_BROADCAST).
	_Atomic uint64_t cpus;
};

// Creator's reference; NULL: no memory.
struct address_space *address_space_create(struct account *account);

// Maps as address_space_map (the system call) does, everything checked here: alignment, range, overlap.
// `allowed` is what the caller's rights on the memory permit (MAPPING_READ ...). memory NULL: anonymous memory of
// its own (or a guard). No lock held; preemption points inside.
enum error address_space_map(struct address_space *space, struct memory *memory,
	const struct map_request *request, uint64_t allowed, vaddr_t *address);
// The same through a capability of a memory object, looked up as for capability_copy and held for MAPPING_REPLACE: whoever
// revokes it takes the mapping away. Errors also: BAD_HANDLE (it is gone already), BUSY.
enum error address_space_map_through(struct address_space *space, const struct capability *source,
	const struct map_request *request, uint64_t allowed, vaddr_t *address);
enum error address_space_unmap(struct address_space *space, vaddr_t address, uint64_t length);
enum error address_space_protect(
	struct address_space *space, vaddr_t address, uint64_t length, uint64_t access);
// Tells the mapping at an address or above. No lock held; preemption points inside.
enum error address_space_query(struct address_space *space, vaddr_t address, struct mapping_info *info);
// Bytes that have a frame in the space's own memory.
uint64_t address_space_resident(struct address_space *space);

// A copy-on-write copy (of a destroyed space: an empty one); NULL: no memory. No lock held; preemption points
// inside.
struct address_space *address_space_clone(struct address_space *space, struct account *account);

// Unmaps everything and frees the page tables, in steps with preemption points; nothing can be mapped
// afterwards. No thread runs in the space. Doing it again does nothing.
void address_space_destroy(struct address_space *space);

// Resolves a fault of user code (or of a copy function) at an address of a space: zero-fill, copy-on-write, a
// missing entry. FAULT_NONE: try again; else the kind to report (FAULT_PAGE, FAULT_STACK_GUARD,
// FAULT_NO_MEMORY), or FAULT_PAGER: a pager has to be asked. No lock held.
enum fault_kind address_space_fault(struct address_space *space, vaddr_t address, enum fault_access access);

// The memory with a pager that is mapped at an address, counted, and the offset of the page there. NULL: there is
// none any more.
struct memory *address_space_paged(struct address_space *space, vaddr_t address, uint64_t *offset);

// Finds the frame behind an address of any space for reading or writing, resolving zero-fill and
// copy-on-write, and pins it (frame_pin) until the caller gives it back with frame_unpin. Errors: PEER_FAULT,
// NO_MEMORY. Device memory is PEER_FAULT.
enum error address_space_pin(struct address_space *space, vaddr_t address, bool for_write, paddr_t *frame);

// Copies between a space and the current user's buffer (checked range), page by page. `*copied` is what was
// done; errors: PEER_FAULT or NO_MEMORY where not even one byte was, BAD_ADDRESS where the caller's own
// buffer failed. No lock held; preemption points inside.
enum error address_space_read(struct address_space *space, vaddr_t address, uintptr_t user_buffer,
	uint64_t length, uint64_t *copied);
enum error address_space_write(struct address_space *space, vaddr_t address, uintptr_t user_buffer,
	uint64_t length, uint64_t *copied);

// Makes what was written to [address, address + length) visible to instruction fetch.
void address_space_sync_code(struct address_space *space, vaddr_t address, uint64_t length);

// The key of the futex word at an address, for an access (MAPPING_READ or MAPPING_WRITE). Its frame, unless NULL, is pinned as by
// address_space_pin, and is what all stores to the word reach meanwhile. Errors: BAD_ADDRESS; to write NO_MEMORY as well.
enum error address_space_futex_key(
	struct address_space *space, vaddr_t address, uint64_t access, struct futex_key *key, paddr_t *frame);

// Makes the space (NULL: none) current on this CPU, if it is not.
void address_space_switch(struct address_space *space);
// The same where it is known that the CPU, this one, has another one loaded, and that it is not NULL.
void address_space_load(struct cpu *cpu, struct address_space *space);
// Makes every CPU let go of a space that no thread runs in.
void address_space_unload(struct address_space *space);

// Kernel virtual addresses: stacks with an unmapped guard page below, and device registers. vaddr 0, NULL: no
// memory.
vaddr_t kernel_stack_allocate(struct account *account, size_t size); // lowest mapped address
void kernel_stack_free(struct account *account, vaddr_t stack, size_t size);
void *kernel_map_device(paddr_t physical, size_t length);
// Whether an address lies in a guard page of the kernel area.
bool kernel_address_is_guard(vaddr_t address);

// Invalidates translations on all CPUs that may have them (space NULL: kernel addresses); on return none has.
void tlb_shootdown(struct address_space *space, vaddr_t address, size_t pages);
// After arch_sync_code: other CPUs too fetch what was written, before they run in the space again (NULL: in any, on return).
void code_shootdown(struct address_space *space);
// trap_ipi's part of both, and that of every loop that waits for another CPU.
void tlb_shootdown_ipi(void);

#endif

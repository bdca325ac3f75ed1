// SPDX-License-Identifier: MIT
//
// Memory objects: pages that can be mapped. Anonymous ones are zero until first written; clones share frames
// copy-on-write by share counts (no chains of shadow objects); physical ones are fixed ranges. Frames are
// charged to the account of the object, and so are the nodes of its tree: each sharer is charged what it has
// resident.
//
// Functions with preemption points inside want a counted object.

#ifndef KERNEL_MEMORY_H
#define KERNEL_MEMORY_H

#include <arch/types.h>
#include <kernel/object.h>
#include <kernel/radix.h>
#include <kernel/spinlock.h>
#include <tern/info.h>

#define MEMORY_SIZE_MAX ((uint64_t)1 << 40)

static inline bool memory_size_valid(uint64_t size)
{
	return size > 0 && size % PAGE_SIZE == 0 && size <= MEMORY_SIZE_MAX;
}

// Of the first handle to a memory object.
#define MEMORY_RIGHTS                                                                             \
	(RIGHT_READ | RIGHT_WRITE | RIGHT_EXECUTE | RIGHT_MAP | RIGHT_CONTROL | RIGHT_DUPLICATE | \
		RIGHT_TRANSFER)

// How many pages are worked on between two preemption points, and with a lock held: by looking at tables, and
// where they are filled or copied.
#define PAGES_PER_STEP        8
#define PAGES_FILLED_PER_STEP 2

struct address_space;
struct capability;
struct endpoint;
struct mapping;

enum memory_kind {
	MEMORY_ANONYMOUS,
	MEMORY_PHYSICAL, // a device range, or cached RAM that is not ours: no frames, no copies
};

struct memory {
	struct object object;
	struct spinlock lock;
	enum memory_kind kind;
	bool readable;      // by the kernel through the direct map: all but device ranges
	bool contiguous;    // its frames are pinned
	bool large;         // may have blocks for large pages
	uint64_t size;      // bytes, whole pages
	paddr_t physical;   // of physical and contiguous memory, else PADDR_NONE
	uint64_t resident;  // frames it has
	struct radix pages; // of anonymous memory
	// The private memory of an address space, which holds all that is mapped there and is nobody else's:
	// offsets are addresses. NULL for all others.
	struct address_space *owner;
	struct list_node mappings; // struct mapping.memory_link, in any space; not of private memory
	uint64_t mapping_count;
	// Where pages of anonymous memory come from that are not there; NULL: they are zero.
	struct endpoint *pager; // counted
	uint64_t pager_badge;
	uint64_t pager_offset; // the pager's offset of the first page
};

// Creator's reference; NULL: no memory. Flags as memory_create (the system call).
struct memory *memory_create(struct account *account, uint64_t size, uint64_t flags);
// A device range.
struct memory *memory_create_physical(struct account *account, paddr_t physical, uint64_t size);
// RAM that holds data already and is nobody's to free: the boot archive.
struct memory *memory_create_from_frames(struct account *account, paddr_t first, uint64_t size);
// Memory whose pages come from a pager.
struct memory *memory_create_paged(struct account *account, uint64_t size, struct endpoint *pager,
	uint64_t badge, uint64_t pager_offset);
// The private memory of a space.
struct memory *memory_create_private(struct account *account, struct address_space *owner);

// A copy-on-write child of [offset, offset + size) of anonymous memory. Write-protects the parent's mappings;
// done in steps with preemption points. NULL: no memory. No lock held.
struct memory *memory_clone(struct memory *parent, struct account *account, uint64_t offset, uint64_t size);

// One step of that: shares resident pages from *offset on with a child that nobody else knows yet, at
// `child_offset` for `offset`; *offset is then where to go on, at most `end`. The parent's lock is held.
// False: no memory.
bool memory_share_step(
	struct memory *parent, uint64_t *offset, uint64_t end, struct memory *child, uint64_t child_offset);

enum memory_result {
	MEMORY_OK,
	MEMORY_NO_MEMORY, // no frame or the account is at its limit
	MEMORY_RANGE,     // past the end
	MEMORY_MISSING,   // the pager has to be asked
};

// The frame of the page at `offset` (a multiple of PAGE_SIZE), allocated, zeroed or copied as the access
// needs; memory->lock is held. `*writable`: it may be mapped writable (it is not shared). The frame stays the
// object's while the lock is held: take frame_pin to keep it longer.
enum memory_result memory_get_page(
	struct memory *memory, uint64_t offset, bool for_write, paddr_t *frame, bool *writable);

// The first frame of MMU_LARGE_SIZE bytes from `offset` on, a multiple of that, that are in one piece and not shared; PADDR_NONE:
// they are not. memory->lock is held.
paddr_t memory_large_page(struct memory *memory, uint64_t offset);

// The frame that the page at `offset` has, or PADDR_NONE. memory->lock is held.
paddr_t memory_resident_page(struct memory *memory, uint64_t offset);
// Whether that may be mapped writable: it is not shared.
bool memory_may_write(const struct memory *memory, paddr_t frame);

// The offset of the first page in [offset, end) that may be mapped: resident, or physical. RADIX_NONE: none.
// memory->lock is held.
uint64_t memory_next_page(struct memory *memory, uint64_t offset, uint64_t end);

// How far one step gets from `offset` on: at most `end`, and so many pages that with all that map them they are
// PAGES_PER_STEP, of one leaf of the tree.
// memory->lock is held.
uint64_t memory_find_step_end(struct memory *memory, uint64_t offset, uint64_t end);
static inline uint64_t memory_step_end(struct memory *memory, uint64_t offset, uint64_t end)
{
	return end - offset <= PAGE_SIZE ? end : memory_find_step_end(memory, offset, end);
}

// Gives pages that are not there those of `pages`, from its start on, or zeroed ones. `pages` is known to nobody
// else. False: no memory. No lock held; preemption points inside.
bool memory_supply(struct memory *memory, uint64_t offset, struct memory *pages);

// Unmaps and frees the pages of [offset, end). No lock held; preemption points inside.
void memory_decommit(struct memory *memory, uint64_t offset, uint64_t end);

// Frees the frames of [offset, end), which are nowhere mapped. memory->lock is held.
void memory_discard(struct memory *memory, uint64_t offset, uint64_t end);

// Copies between kernel memory (never user memory) and the object; the range is inside it. Not for device
// memory. No lock held; preemption points inside.
enum memory_result memory_read(struct memory *memory, uint64_t offset, void *buffer, size_t length);
enum memory_result memory_write(struct memory *memory, uint64_t offset, const void *buffer, size_t length);

// Looks a handle of the current process up; `memory` is counted until object_put. `found_rights` may be NULL.
// Errors: those of a look-up.
enum error memory_find(handle_t handle, rights_t rights, struct memory **memory, rights_t *found_rights);

// --- Reverse mappings: memory_mappings.c. Page-table entries of a mapping are changed with its memory's lock
// held, so a clone can write-protect mappings in other spaces without their locks.

// memory->lock is held.
void memory_add_mapping(struct memory *memory, struct mapping *mapping);
void memory_remove_mapping(struct memory *memory, struct mapping *mapping);

// Takes the mapping away that is the first of what is derived from a capability. No lock held.
void mapping_revoke_first(const struct capability *revoked);

// Leaves of the access of all mappings to [offset, end) what is in `keep` (enum mmu_access); 0 unmaps. On
// return no CPU has more. memory->lock is held.
void memory_restrict(struct memory *memory, uint64_t offset, uint64_t end, unsigned keep);

// The same in one window of a space on the memory: addresses from `address` on show offsets from `offset` on.
void memory_restrict_window(struct memory *memory, uint64_t offset, uint64_t end, struct address_space *space,
	vaddr_t address, unsigned keep);

#endif

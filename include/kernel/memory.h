// SPDX-License-Identifier: MIT
//
// Memory objects: pages that can be mapped. Anonymous ones are zero until first written; clones share frames
// copy-on-write by share counts (no chains of shadow objects); physical ones are fixed ranges. Frames are
// charged to the account of the object: each sharer is charged what it has resident.

#ifndef KERNEL_MEMORY_H
#define KERNEL_MEMORY_H

#include <arch/types.h>
#include <kernel/object.h>
#include <kernel/spinlock.h>
#include <tern/info.h>

#define MEMORY_SIZE_MAX ((uint64_t)1 << 40)

struct memory {
	struct object object;
	struct spinlock lock;
	uint64_t size;             // bytes, whole pages
	uint64_t resident;         // frames it has
	paddr_t physical;          // of physical and contiguous memory, else PADDR_NONE
	bool is_physical;          // a device range: no frames of ours
	void *pages;               // radix tree of frames by page index: memory.c
	struct list_node mappings; // struct mapping.memory_link: all mappings of it, in any space
};

// Creator's reference; NULL: no memory. Flags as memory_create (the system call).
struct memory *memory_create(struct account *account, uint64_t size, uint64_t flags);
struct memory *memory_create_physical(struct account *account, paddr_t physical, uint64_t size);
// Wraps frames that hold data already (the boot archive, init's image): the object takes the frames over
// where `owned`, else treats them as physical, cached RAM.
struct memory *memory_create_from_frames(struct account *account, paddr_t first, uint64_t size);

// A copy-on-write child of [offset, offset + size). Write-protects the parent's mappings; done in steps with
// preemption points. NULL: no memory. No lock held.
struct memory *memory_clone(struct memory *parent, struct account *account, uint64_t offset, uint64_t size);

enum memory_result {
	MEMORY_OK,
	MEMORY_NO_MEMORY, // no frame or the account is at its limit
	MEMORY_RANGE,     // past the end
};

// The frame of the page at `offset` (a multiple of PAGE_SIZE), allocated, zeroed or copied as the access
// needs; memory->lock is held. `*writable`: it may be mapped writable (it is not shared). The frame stays the
// object's while the lock is held: take frame_share to keep it longer.
enum memory_result memory_get_page(
	struct memory *memory, uint64_t offset, bool for_write, paddr_t *frame, bool *writable);

// Copies between kernel memory (never user memory) and the object; the range is inside it. Not for device
// memory. No lock held.
enum memory_result memory_read(struct memory *memory, uint64_t offset, void *buffer, size_t length);
enum memory_result memory_write(struct memory *memory, uint64_t offset, const void *buffer, size_t length);

#endif

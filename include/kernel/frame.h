// SPDX-License-Identifier: MIT
//
// Physical frames: a buddy allocator with per-CPU caches of single frames. Each frame in use counts its
// sharers (who share it copy-on-write, the first being its owner) and its pins (who use its address for a
// while, or for ever as DMA does). It is free when both are zero. A pinned frame is never shared: a clone
// copies it.

#ifndef KERNEL_FRAME_H
#define KERNEL_FRAME_H

#include <arch/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_ORDER_MAX 18 // blocks up to 1 GiB

// Takes over the RAM of boot_machine. Once, before anything else allocates. Frame 0 is never handed out.
void frame_init(void);

// One frame with one sharer, contents undefined; PADDR_NONE: none left. Any context.
paddr_t frame_allocate(void);
// One zeroed frame.
paddr_t frame_allocate_zeroed(void);
// 2^order frames, aligned to their size, each with one sharer. Of many frames (more than 64): no lock held, preemption
// points inside.
paddr_t frame_allocate_order(unsigned order);

// Another sharer of a frame; one fewer. Each frame of a larger block is freed by itself.
void frame_share(paddr_t frame);
void frame_release(paddr_t frame);
// How many share it.
uint32_t frame_sharers(paddr_t frame);
// Whether any of `count` neighbours has more than one.
bool frames_are_shared(paddr_t first, uint64_t count);

// Keeps a frame where it is and allocated; gives that up. Whoever pins holds the lock of the memory object
// that has the frame. Frames that are not ours (the boot archive) are there for ever: nothing is counted.
void frame_pin(paddr_t frame);
void frame_unpin(paddr_t frame);
bool frame_is_pinned(paddr_t frame);

// Whether any frame of a physical range is managed here.
bool frame_range_is_managed(paddr_t first, uint64_t length);

uint64_t frame_total(void); // frames managed
uint64_t frame_free(void);  // frames free, caches included

// Gives this CPU's cache of single frames back (leak checks).
void frame_trim(void);

#endif

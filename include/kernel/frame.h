// SPDX-License-Identifier: MIT
//
// Physical frames: a buddy allocator with per-CPU caches of single frames, and a share count for each frame.

#ifndef KERNEL_FRAME_H
#define KERNEL_FRAME_H

#include <arch/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_ORDER_MAX 18 // blocks up to 1 GiB

// Takes over the RAM of boot_machine. Once, before anything else allocates.
void frame_init(void);

// One frame with share count 1, contents undefined; PADDR_NONE: none left. Any context.
paddr_t frame_allocate(void);
// One zeroed frame.
paddr_t frame_allocate_zeroed(void);
// 2^order frames, aligned to their size, each with share count 1.
paddr_t frame_allocate_order(unsigned order);

// Another sharer of a frame; one fewer. The last one frees it. Each frame of a larger block is freed by
// itself.
void frame_share(paddr_t frame);
void frame_release(paddr_t frame);
// How many share it.
uint32_t frame_sharers(paddr_t frame);

uint64_t frame_total(void); // frames managed
uint64_t frame_free(void);  // frames free, caches included

// Gives the per-CPU caches of this CPU back (leak checks).
void frame_trim(void);

#endif

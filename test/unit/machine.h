// SPDX-License-Identifier: MIT
//
// A small machine for unit tests of memory management: RAM, one CPU, accounts and objects as the core has
// them, but no more of it than mm/ needs.

#ifndef TEST_UNIT_MACHINE_H
#define TEST_UNIT_MACHINE_H

#include "check.h"
#include <kernel/account.h>
#include <stdbool.h>
#include <stdint.h>

// RAM of some MiB in two ranges with a hole between them; frame_init done.
void machine_start(uint64_t mebibytes);

// Called at each preemption point where it is not NULL.
extern void (*machine_at_preemption_point)(void);

// Takes frames until only `left` are free, and gives them back.
void machine_take_frames(uint64_t left);
void machine_return_frames(void);

#endif

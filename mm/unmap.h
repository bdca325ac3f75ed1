// SPDX-License-Identifier: MIT
//
// The parts of unmapping that protecting and ending a space use too.

#ifndef MM_UNMAP_H
#define MM_UNMAP_H

#include "mapping.h"

#define MAPPINGS_PER_STEP 12 // looked at between preemption points

// Locks the space, with mappings beginning and ending at the ends of a range. False: no memory, not locked.
bool unmap_lock_and_split(struct address_space *space, vaddr_t address, vaddr_t end);

// Marks mappings of a range, and says up to where: not all of them in one step. The lock is held.
vaddr_t unmap_mark(struct address_space *space, vaddr_t address, vaddr_t end);

// Unmaps what is marked in a range, in steps with preemption points. No lock held.
void unmap_sweep(struct address_space *space, vaddr_t address, vaddr_t end);
// The same with the space's lock held, which it gives back.
void unmap_sweep_locked(struct address_space *space, vaddr_t address, vaddr_t end);

#endif

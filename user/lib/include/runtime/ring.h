// SPDX-License-Identifier: MIT
//
// Rings: records of one size from one thread to another through memory that both map, in order and without a system call
// as long as neither has to wait. Each end believes only its own position, so that the other, which may write anything
// into the memory, can send nonsense but do no harm.

#ifndef RUNTIME_RING_H
#define RUNTIME_RING_H

#include <stddef.h>
#include <stdint.h>
#include <tern/types.h>

struct ring_memory {
	_Atomic uint32_t put, got; // records, since the beginning
	_Atomic uint32_t putter_waits, getter_waits;
	uint8_t unused[48];
	uint8_t records[];
};

// Bytes of memory that a ring takes.
static inline size_t ring_size(size_t record_size, uint32_t capacity)
{
	return sizeof(struct ring_memory) + record_size * capacity;
}

// One end of a ring.
struct ring {
	struct ring_memory *memory;
	size_t record_size;
	uint32_t capacity;
	uint32_t position; // records that this end has put or got
	handle_t filled;   // notification that the getter waits for and the putter signals
	handle_t emptied;  // the other way round
};

// Memory that is zero holds an empty ring. `capacity`: records, a power of two.
struct ring ring_attach(
	void *memory, size_t record_size, uint32_t capacity, handle_t filled, handle_t emptied);

// Puts a record into the ring, when there is room; by one thread. Errors: those of notification_wait and
// notification_signal; BAD_STATE (the other end has written nonsense).
enum error ring_put(struct ring *ring, const void *record, uint64_t deadline);

// Takes the oldest record out, when there is one; by one thread. Errors: as ring_put.
enum error ring_get(struct ring *ring, void *record, uint64_t deadline);

#endif

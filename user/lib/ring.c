// SPDX-License-Identifier: MIT
//
// Rings in shared memory. Who finds the ring full (or empty) says that it waits and looks again before it does; who makes
// room (or fills) looks whether the other waits afterwards. All of that is sequentially consistent, so one of the two
// always sees the other.

#include <runtime/ring.h>
#include <runtime/system_calls.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

struct ring ring_attach(
	void *memory, size_t record_size, uint32_t capacity, handle_t filled, handle_t emptied)
{
	return (struct ring){.memory = memory,
		.record_size = record_size,
		.capacity = capacity,
		.filled = filled,
		.emptied = emptied};
}

static void *record_at_position(const struct ring *ring)
{
	return ring->memory->records + (ring->position & (ring->capacity - 1)) * ring->record_size;
}

// Waits while the other end's count is what leaves this one nothing to do.
static enum error wait_while(const _Atomic uint32_t *count, uint32_t nothing, _Atomic uint32_t *waits,
	handle_t notification, uint64_t deadline)
{
	uint64_t bits;

	while (atomic_load(count) == nothing) {
		enum error error = ERR_OK;

		atomic_store(waits, 1);
		if (atomic_load(count) == nothing)
			error = notification_wait(notification, deadline, &bits);
		if (error)
			return error;
	}
	return ERR_OK;
}

static enum error wake(_Atomic uint32_t *waits, handle_t notification)
{
	return atomic_exchange(waits, 0) ? notification_signal(notification, 1) : ERR_OK;
}

enum error ring_put(struct ring *ring, const void *record, uint64_t deadline)
{
	struct ring_memory *memory = ring->memory;
	enum error error = wait_while(&memory->got, ring->position - ring->capacity, &memory->putter_waits,
		ring->emptied, deadline);

	if (!error && ring->position - atomic_load(&memory->got) >= ring->capacity)
		error = ERR_BAD_STATE;
	if (error)
		return error;
	memcpy(record_at_position(ring), record, ring->record_size);
	atomic_store(&memory->put, ++ring->position);
	return wake(&memory->getter_waits, ring->filled);
}

enum error ring_get(struct ring *ring, void *record, uint64_t deadline)
{
	struct ring_memory *memory = ring->memory;
	enum error error = wait_while(
		&memory->put, ring->position, &memory->getter_waits, ring->filled, deadline);

	if (!error && atomic_load(&memory->put) - ring->position > ring->capacity)
		error = ERR_BAD_STATE;
	if (error)
		return error;
	memcpy(record, record_at_position(ring), ring->record_size);
	atomic_store(&memory->got, ++ring->position);
	return wake(&memory->putter_waits, ring->emptied);
}

// SPDX-License-Identifier: MIT
//
// A guest's system call into the personality and back.

#include "bench.h"
#include "counter.h"
#include "isa.h"
#include <string.h>

#define COUNT       1000
#define GUEST_CODE  0x10000
#define GUEST_STATE 0x8000

static struct guest_state *const state = (struct guest_state *)GUEST_STATE;

// The guest has nothing but system calls one after the other.
static void null_call(void *context, uint64_t count)
{
	uint64_t reason;

	(void)context;
	ISA_PROGRAM_COUNTER(&state->registers) = GUEST_CODE;
	for (uint64_t i = 0; i < count; i++)
		guest_enter(&reason);
}

void bench_guest(void)
{
	static const uint8_t call[] = {ISA_GUEST_SYSCALL};
	struct map_request text = {.length = PAGE_SIZE,
		.address = GUEST_CODE,
		.flags = MAPPING_READ | MAPPING_EXECUTE | MAPPING_FIXED};
	uint64_t address;
	handle_t space;

	MUST_OK(address_space_create(&space));
	MUST_OK(memory_create(PAGE_SIZE, 0, &text.memory));
	for (uint64_t i = 0; i < COUNT; i++)
		MUST_OK(memory_write(text.memory, i * sizeof(call), call, sizeof(call)));
	MUST_OK(address_space_map(space, &text, &address));
	MUST_OK(guest_bind(space, GUEST_STATE));
	memset(state, 0, sizeof(*state));
	bench("guest_null_call", null_call, NULL, COUNT);
	MUST_OK(guest_bind(HANDLE_NONE, 0));
	handle_close(text.memory);
	handle_close(space);
}

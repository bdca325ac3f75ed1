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

// The guest has nothing but system calls one after the other: the personality starts it over at each.
static void null_call(void *context, uint64_t count)
{
	uint64_t reason;

	(void)context;
	for (uint64_t i = 0; i < count; i++) {
		ISA_PROGRAM_COUNTER(&state->registers) = GUEST_CODE;
		guest_enter(&reason);
	}
}

void bench_guest(void)
{
	static const uint8_t code[] = {ISA_GUEST_SYSCALL, ISA_GUEST_SPIN};
	struct map_request text = {.length = PAGE_SIZE,
		.address = GUEST_CODE,
		.flags = MAPPING_READ | MAPPING_EXECUTE | MAPPING_FIXED};
	uint64_t address;
	handle_t space;

	MUST_OK(address_space_create(&space));
	MUST_OK(memory_create(PAGE_SIZE, 0, &text.memory));
	MUST_OK(memory_write(text.memory, 0, code, sizeof(code)));
	MUST_OK(address_space_map(space, &text, &address));
	MUST_OK(guest_bind(space, GUEST_STATE));
	memset(state, 0, sizeof(*state));
	bench("guest_null_call", null_call, NULL, COUNT);
	MUST_OK(guest_bind(HANDLE_NONE, 0));
	handle_close(text.memory);
	handle_close(space);
}

// SPDX-License-Identifier: MIT
//
// The state page of a personality thread: through it the kernel and the personality hand a guest's registers
// to each other. guest_bind maps it; guest_enter reads it, and fills it again when the guest stops.

#ifndef TERN_GUEST_H
#define TERN_GUEST_H

#include <tern/arch/registers.h>
#include <tern/types.h>

enum guest_exit_reason {
	GUEST_EXIT_SYSCALL =
		1, // the guest executed its ISA's system-call instruction; the program counter is past it
	GUEST_EXIT_FAULT = 2,  // the guest faulted; the program counter is at the instruction
	GUEST_EXIT_KICKED = 3, // guest_kick; nothing else is to be reported
};

struct guest_state {
	struct registers registers; // of the guest, in and out
	uint64_t reason;            // enum guest_exit_reason
	uint64_t fault_kind;        // enum fault_kind
	uint64_t fault_address;
	uint64_t fault_access;  // enum fault_access
	uint64_t isa_code;      // as in struct fault_message
	uint64_t interruptible; // in: 1: a kick also ends (ERR_CANCELLED) the wait that the thread is in or
				// enters next
};

#endif

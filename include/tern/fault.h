// SPDX-License-Identifier: MIT
//
// Faults: what the kernel tells a fault endpoint or a personality about a thread that cannot go on.
//
// A thread's fault arrives at its fault endpoint as a call of the thread itself (MESSAGE_FAULT |
// MESSAGE_CALL): the label is an enum fault_kind and the words are those of struct fault_message. The reply
// resumes the thread at its (perhaps rewritten) registers where its label is FAULT_RESUME, else kills the
// thread.

#ifndef TERN_FAULT_H
#define TERN_FAULT_H

#include <stdint.h>

enum fault_kind {
	FAULT_NONE,
	FAULT_PAGE,                // no mapping, or the mapping forbids the access
	FAULT_STACK_GUARD,         // a page fault in the guard page below a known stack
	FAULT_NO_MEMORY,           // a page could not be charged or allocated
	FAULT_ILLEGAL_INSTRUCTION, // undefined or privileged
	FAULT_BREAKPOINT,
	FAULT_SINGLE_STEP,
	FAULT_DIVIDE,     // integer division by zero or overflow, where the ISA traps
	FAULT_FLOATING,   // an unmasked floating-point exception
	FAULT_ALIGNMENT,  // a misaligned access that the ISA refuses
	FAULT_PROTECTION, // any other refused access (x86_64: general protection)
	FAULT_KIND_COUNT,
};

enum fault_access {
	FAULT_ACCESS_READ = 1,
	FAULT_ACCESS_WRITE = 2,
	FAULT_ACCESS_EXECUTE = 3,
};

enum fault_reply {
	FAULT_KILL = 0,
	FAULT_RESUME = 1,
};

#define FAULT_MESSAGE_WORDS 5

struct fault_message {
	uint64_t address;         // that was accessed; 0 where the kind has none
	uint64_t access;          // enum fault_access; 0 where the kind has none
	uint64_t program_counter; // of the faulting instruction
	uint64_t thread_id;
	uint64_t isa_code; // the ISA's own cause: vector and error code, ESR_EL1, scause
};

#endif

// SPDX-License-Identifier: MIT
//
// Faults: what the kernel tells a fault endpoint or a personality about a thread that cannot go on.
//
// A thread's fault arrives at its fault endpoint as a call of the thread itself (MESSAGE_FAULT |
// MESSAGE_CALL): the label is an enum fault_kind and the words are those of struct fault_message. The reply
// resumes the thread at its (perhaps rewritten) registers where its label is FAULT_RESUME, else kills the
// thread.
//
// A thread that touches a page of pager-backed memory (memory_create_paged) that is not there calls the pager's
// endpoint in the same way, with the memory's badge, the label FAULT_PAGER and the words of struct
// pager_message, be it in user mode or running its guest. The reply lets it try again where its label is
// FAULT_RESUME, and is a fault of the kind FAULT_PAGER else. If the pager goes without a reply it is asked
// again, as long as anybody can receive.

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
	FAULT_PAGER,      // a page that its pager is asked for, or that it refused or cannot supply any more
	FAULT_TIMEOUT, // the budget of the thread's scheduling context is used up: SCHEDULING_CONTEXT_FAULTS
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

#define PAGER_MESSAGE_WORDS 4

struct pager_message {
	uint64_t offset;    // of the page, in bytes of what the pager serves: see memory_create_paged
	uint64_t access;    // enum fault_access
	uint64_t memory_id; // the object id of the memory that lacks it: a clone has one of its own
	uint64_t thread_id;
};

#endif

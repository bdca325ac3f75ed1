// SPDX-License-Identifier: MIT
//
// The types that the kernel and its users share: handles, errors, object types and rights.

#ifndef TERN_TYPES_H
#define TERN_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A handle names a slot of the calling process's capability table: index in the low 32 bits, the slot's
// generation in the high 32. Generations start at 1, so 0 is never a valid handle.
typedef uint64_t handle_t;
#define HANDLE_NONE ((handle_t)0)
// Accepted wherever a system call documents "or HANDLE_SELF": the caller's own thread, process or address
// space.
#define HANDLE_SELF (~(handle_t)0)

enum error {
#define ERROR(name, number, text) ERR_##name = number,
#include <tern/errors.def>
#undef ERROR
};

enum object_type {
	OBJECT_NONE,
	OBJECT_PROCESS,
	OBJECT_THREAD,
	OBJECT_ADDRESS_SPACE,
	OBJECT_MEMORY,
	OBJECT_ENDPOINT,
	OBJECT_REPLY,
	OBJECT_NOTIFICATION,
	OBJECT_INTERRUPT,
	OBJECT_TIMER,
	OBJECT_ACCOUNT,
	OBJECT_RESOURCE, // physical memory, interrupt lines, I/O ports, the log, system control: see
			 // resource_kind
	OBJECT_SCHEDULING_CONTEXT,
	OBJECT_TYPE_COUNT,
};

// Rights of a capability. What each permits is said by the system calls that need it.
typedef uint32_t rights_t;
#define RIGHT_READ      ((rights_t)1 << 0)  // look at, copy out, map readable
#define RIGHT_WRITE     ((rights_t)1 << 1)  // change, copy in, map writable
#define RIGHT_EXECUTE   ((rights_t)1 << 2)  // map executable
#define RIGHT_MAP       ((rights_t)1 << 3)  // change the mappings of an address space; map a memory object
#define RIGHT_SEND      ((rights_t)1 << 4)  // send to or call an endpoint; signal a notification
#define RIGHT_RECEIVE   ((rights_t)1 << 5)  // receive from an endpoint; wait on or poll a notification
#define RIGHT_CONTROL   ((rights_t)1 << 6)  // start, suspend, resume, set attributes, registers
#define RIGHT_KILL      ((rights_t)1 << 7)  // end a thread or process
#define RIGHT_GRANT     ((rights_t)1 << 8)  // put capabilities into a process's table; charge an account
#define RIGHT_BIND      ((rights_t)1 << 9)  // bind to a notification (interrupt, exit watch, endpoint)
#define RIGHT_DUPLICATE ((rights_t)1 << 10) // duplicate or mint the capability
#define RIGHT_TRANSFER  ((rights_t)1 << 11) // send the capability in a message or grant it
#define RIGHT_CREATE    ((rights_t)1 << 12) // make sub-accounts and sub-resources, objects of a resource
#define RIGHTS_ALL      ((rights_t)0x1fff)
#define RIGHTS_SAME     (~(rights_t)0) // duplicate and mint: keep the rights of the source

#define NAME_LENGTH 32 // bytes of a process or thread name with its terminating NUL

#define PAGE_SHIFT 12
#define PAGE_SIZE  ((size_t)1 << PAGE_SHIFT)

// Absolute times are nanoseconds of the monotonic clock, which starts at 0 at boot.
#define DEADLINE_NEVER UINT64_MAX

// Of the word of a futex that has an owner: others wait.
#define FUTEX_WAITERS ((uint32_t)1 << 31)

// What every system call returns: an enum error and, where it is ERR_OK, one value.
struct syscall_result {
	uint64_t error;
	uint64_t value;
};

#endif

// SPDX-License-Identifier: MIT
//
// Structures that system calls take and fill. Unknown flag bits are ERR_INVALID_ARGUMENT, reserved fields
// zero.

#ifndef TERN_INFO_H
#define TERN_INFO_H

#include <tern/lock_rank.h>
#include <tern/types.h>

struct handle_info {
	uint32_t type; // enum object_type
	rights_t rights;
	uint64_t badge;
	uint64_t object_id; // the same for all capabilities of one object, never reused
};

#define THREAD_SUSPENDED ((uint32_t)1 << 0) // thread_create: wait for thread_resume

#define THREAD_PRIORITY_DEFAULT   128
#define THREAD_PRIORITY_MAX       255
#define THREAD_KERNEL_STACK_MIN   (8 * 1024)
#define THREAD_KERNEL_STACK_MAX   (64 * 1024)
#define THREAD_STACK_SIZE_DEFAULT (1024 * 1024)

// thread_create. A zero field means its default; user/lib has an initialiser.
struct thread_attributes {
	char name[NAME_LENGTH];
	uint64_t entry;    // first program counter
	uint64_t argument; // arrives as first argument of the entry function
	// Initial stack pointer; 0: the kernel maps a stack of stack_size, for `entry` to be a C function,
	// with a guard page below.
	uint64_t stack_pointer;
	uint64_t stack_size;        // bytes, whole pages; default THREAD_STACK_SIZE_DEFAULT
	uint64_t kernel_stack_size; // bytes, whole pages; default 16 KiB
	uint64_t tls_base;
	uint64_t affinity;          // bit n: may run on CPU n; default all
	uint64_t clear_tid_address; // a 32-bit word, zeroed and futex-woken when the thread ends
	uint64_t message_buffer;    // page-aligned address at which the message buffer is mapped; 0: none
	handle_t fault_endpoint;    // with RIGHT_SEND; HANDLE_NONE: a fault kills the process
	uint32_t
		priority; // 1 to the creator's own; default THREAD_PRIORITY_DEFAULT or the creator's if lower
	uint32_t flags;   // THREAD_SUSPENDED
};

enum thread_state {
	THREAD_CREATING,
	THREAD_READY,
	THREAD_RUNNING,
	THREAD_BLOCKED,
	THREAD_SLEEPING,
	THREAD_ZOMBIE, // ended, not yet joined, detached or dropped
	THREAD_DEAD,
};

struct thread_info {
	uint64_t id;
	uint64_t process_id;
	char name[NAME_LENGTH];
	uint32_t state;     // enum thread_state
	uint32_t suspended; // 1: suspended, whatever its state
	uint32_t priority;  // effective
	uint32_t cpu;       // last or current
	uint64_t affinity;
	uint64_t cpu_time;        // nanoseconds, those that servers used for its calls included
	uint64_t slice_remaining; // nanoseconds
	uint64_t wake_time;       // of a sleep or time-out; DEADLINE_NEVER: none
	uint64_t stack_start;     // the user stack, where the kernel mapped it or it was declared; else 0
	uint64_t stack_end;
	uint64_t tls_base;
	uint64_t exit_status;
	uint64_t context_id;    // the scheduling context it is bound to; 0: none
	uint64_t payer_id;      // the thread on whose time it runs: itself, or the caller that it works for
	uint32_t base_priority; // what it was given
	uint32_t reserved;
	char waits_for[NAME_LENGTH]; // while blocked or sleeping: "receive", "futex" ...; else empty
};

#define SCHEDULING_BUDGET_MIN ((uint64_t)10000) // nanoseconds
#define SCHEDULING_PERIOD_MAX ((uint64_t)60000000000)

// A thread that has used up the budget and has a fault endpoint sends it FAULT_TIMEOUT; otherwise, and in guest mode,
// it waits for the next period.
#define SCHEDULING_CONTEXT_FAULTS ((uint64_t)1 << 0)

struct scheduling_context_info {
	uint64_t budget; // nanoseconds of each period; 0: no limit
	uint64_t period;
	uint64_t flags;      // SCHEDULING_CONTEXT_FAULTS
	uint64_t consumed;   // nanoseconds since it was made
	int64_t remaining;   // of the budget of the present period; below 0: overrun, missing from the next
	uint64_t period_end; // of the present period; past, if it has not been used since
};

enum process_state {
	PROCESS_CREATED, // no thread has run yet
	PROCESS_RUNNING,
	PROCESS_EXITED,
};

enum exit_reason {
	EXIT_NORMAL, // process_exit or the end of the last thread; status is its value
	EXIT_KILLED, // process_kill; status is its value
	EXIT_FAULT,  // a fault that nobody handled; status is the enum fault_kind
};

struct process_info {
	uint64_t id;
	char name[NAME_LENGTH];
	uint32_t state;  // enum process_state
	uint32_t reason; // enum exit_reason
	uint64_t exit_status;
	uint64_t thread_count;
	uint64_t handle_count;
	uint64_t cpu_time; // nanoseconds, ended threads included
	uint64_t pages_resident;
};

struct account_info {
	uint64_t pages_limit;
	uint64_t pages_used;
	uint64_t objects_limit;
	uint64_t objects_used;
};

#define MEMORY_CONTIGUOUS \
	((uint64_t)1 << 0)                 // physically contiguous, resident and zeroed from the start (DMA)
#define MEMORY_RESIDENT ((uint64_t)1 << 1) // all pages allocated and zeroed from the start

struct memory_info {
	uint64_t size;     // bytes
	uint64_t resident; // bytes that have a frame
	uint64_t physical; // first physical address of contiguous and physical memory, else 0 (needs
			   // RIGHT_CONTROL, else 0)
};

#define MAPPING_READ    ((uint64_t)1 << 0)
#define MAPPING_WRITE   ((uint64_t)1 << 1)
#define MAPPING_EXECUTE ((uint64_t)1 << 2) // never together with MAPPING_WRITE
#define MAPPING_FIXED   ((uint64_t)1 << 3) // at `address` or not at all: ERR_EXISTS if something is there
#define MAPPING_REPLACE ((uint64_t)1 << 4) // with MAPPING_FIXED: unmap first what is there
#define MAPPING_SHARED \
	((uint64_t)1 << 5) // address_space_clone shares the memory (else the clone gets a copy on write)
#define MAPPING_DEVICE ((uint64_t)1 << 6) // device memory: uncached, strongly ordered (physical memory only)
#define MAPPING_GUARD \
	((uint64_t)1 << 7) // no access; faults in it are FAULT_STACK_GUARD; takes no memory object
#define MAPPING_RANDOM \
	((uint64_t)1   \
		<< 8) // not at the hint but at a random distance above it, of up to an eighth of all user addresses

#define PROGRAM_BASE 0x1000000000 // the hint for programs that run anywhere: room below for those that do not

// address_space_map. `memory` may be HANDLE_NONE for private anonymous memory of the mapping's own.
struct map_request {
	handle_t memory;
	uint64_t offset; // bytes into the memory, whole pages
	uint64_t length; // bytes, whole pages
	uint64_t
		address; // where, whole pages; without MAPPING_FIXED a hint, 0: from an address on that is random for each space
	uint64_t flags;
};

struct mapping_info {
	uint64_t address;
	uint64_t length;
	uint64_t flags;
	uint64_t offset;
	uint64_t memory_id;
	uint64_t
		page_size; // of what the page tables have at the address that was asked for; 0: nothing is present
};

#define INTERRUPT_EDGE       ((uint32_t)1 << 0) // edge-triggered (default: level)
#define INTERRUPT_ACTIVE_LOW ((uint32_t)1 << 1)

enum system_power_action {
	POWER_OFF,
	POWER_RESET,
};

enum log_level {
	LOG_ERROR,
	LOG_WARNING,
	LOG_INFO,
	LOG_DEBUG,
};

struct system_info {
	uint64_t cpu_count;
	uint64_t memory_total; // bytes managed
	uint64_t memory_free;  // bytes
	uint64_t processes;    // alive or not reaped
	uint64_t threads;
	uint64_t objects; // live kernel objects
	uint64_t context_switches;
	uint64_t interrupts;
	uint64_t uptime; // nanoseconds
};

// system_process.
struct process_record {
	struct process_info process;
	uint64_t account_id; // of the account that pays for it
	struct account_info account;
};

// system_cpu.
struct cpu_info {
	uint64_t online;    // 1: it schedules; 0: it exists but did not start
	uint64_t idle_time; // nanoseconds
	uint64_t context_switches;
	uint64_t interrupts; // of devices and the timer
	uint64_t ipis;       // received
	uint64_t shootdowns; // rounds in which it answered requests of other CPUs to flush its TLB
	uint64_t locks_contended[RANK_COUNT]; // spin locks that it found taken, by enum lock_rank
};

// system_object_type.
struct object_type_info {
	char name[NAME_LENGTH];
	uint64_t live;  // objects whose memory is not yet free again
	uint64_t pages; // of memory that they and free ones beside them take
};

#endif

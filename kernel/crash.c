// SPDX-License-Identifier: MIT
//
// The report of a user program's crash.

#include <arch/thread.h>
#include <kernel/address_space.h>
#include <kernel/crash.h>
#include <kernel/log.h>
#include <kernel/process.h>
#include <kernel/thread.h>
#include <kernel/trap.h>

#define BACKTRACE_LIMIT 16

static const char *cause(const struct fault *fault)
{
	static const char *const names[FAULT_KIND_COUNT] = {
		[FAULT_PAGE] = "page fault",
		[FAULT_STACK_GUARD] = "stack overflow (stack guard)",
		[FAULT_NO_MEMORY] = "out of memory",
		[FAULT_ILLEGAL_INSTRUCTION] = "illegal instruction",
		[FAULT_BREAKPOINT] = "breakpoint",
		[FAULT_SINGLE_STEP] = "single step",
		[FAULT_DIVIDE] = "division by zero or overflow",
		[FAULT_FLOATING] = "floating-point exception",
		[FAULT_ALIGNMENT] = "misaligned access",
		[FAULT_PROTECTION] = "protection fault",
		[FAULT_TIMEOUT] = "CPU time used up",
		[FAULT_PAGER] = "page that its pager did not supply",
	};

	return fault->kind < FAULT_KIND_COUNT && names[fault->kind] ? names[fault->kind] : "unknown fault";
}

static const char *access_words(const struct fault *fault)
{
	switch (fault->access) {
	case FAULT_ACCESS_READ:
		return " on reading";
	case FAULT_ACCESS_WRITE:
		return " on writing";
	case FAULT_ACCESS_EXECUTE:
		return " on executing";
	default:
		return "";
	}
}

// Where the mapping starts that has the program's code, by which tools know where it was loaded.
static vaddr_t code_start(const struct thread *thread, const uintptr_t *addresses, size_t count)
{
	struct mapping_info info;

	for (size_t i = 0; i < count; i++)
		if (!address_space_query(thread->process->space, addresses[i], &info) &&
			info.address <= addresses[i] && (info.flags & MAPPING_EXECUTE))
			return info.address;
	return 0;
}

void crash_log(const struct thread *thread, const struct fault *fault)
{
	uintptr_t addresses[BACKTRACE_LIMIT];
	size_t count;

	log_error("%s, thread %lu \"%s\": %s%s %#lx at pc %#lx, code %#lx", thread->process->name,
		(unsigned long)thread->object.id, thread->name, cause(fault), access_words(fault),
		(unsigned long)fault->address, (unsigned long)arch_program_counter(&thread->arch),
		(unsigned long)fault->isa_code);
	arch_frame_log(thread->arch.frame);
	count = arch_backtrace_frame(thread->arch.frame, addresses, BACKTRACE_LIMIT);
	log_error("backtrace of %s, code at %#lx:", thread->process->name,
		(unsigned long)code_start(thread, addresses, count));
	for (size_t i = 0; i < count; i++)
		log_address(LOG_ERROR, addresses[i], i > 0);
}

// SPDX-License-Identifier: MIT
//
// Faults of guests.

#include "process/fault.h"

#include "process/process.h"
#include "process/signal.h"

#include <runtime/format.h>
#include <tern/fault.h>

#define REGISTERS_IN_LINE 4

struct fault_meaning {
	const char *name;
	int32_t signal;
};

static const struct fault_meaning meanings[FAULT_KIND_COUNT] = {
	[FAULT_NONE] = {"unknown fault", LINUX_SIGSEGV},
	[FAULT_PAGE] = {"page fault", LINUX_SIGSEGV},
	[FAULT_STACK_GUARD] = {"stack overflow", LINUX_SIGSEGV},
	[FAULT_NO_MEMORY] = {"out of memory", LINUX_SIGKILL},
	[FAULT_ILLEGAL_INSTRUCTION] = {"illegal instruction", LINUX_SIGILL},
	[FAULT_BREAKPOINT] = {"breakpoint", LINUX_SIGTRAP},
	[FAULT_SINGLE_STEP] = {"single step", LINUX_SIGTRAP},
	[FAULT_DIVIDE] = {"integer division", LINUX_SIGFPE},
	[FAULT_FLOATING] = {"floating-point exception", LINUX_SIGFPE},
	[FAULT_ALIGNMENT] = {"misaligned access", LINUX_SIGBUS},
	[FAULT_PROTECTION] = {"protection fault", LINUX_SIGSEGV},
};

static const char *access_name(uint64_t access)
{
	switch (access) {
	case FAULT_ACCESS_READ:
		return " reading";
	case FAULT_ACCESS_WRITE:
		return " writing";
	case FAULT_ACCESS_EXECUTE:
		return " executing";
	default:
		return "";
	}
}

static void log_registers(const struct registers *registers)
{
	struct guest_register one;
	char line[160];
	size_t length = 0;

	for (unsigned index = 0; guest_register(registers, index, &one); index++) {
		length += format_text(
			line + length, sizeof(line) - length, " %7s %016lx", one.name, one.value);
		if (index % REGISTERS_IN_LINE == REGISTERS_IN_LINE - 1) {
			log_print(LOG_WARNING, "%s", line);
			length = 0;
		}
	}
	if (length > 0)
		log_print(LOG_WARNING, "%s", line);
}

void fault_handle(struct thread *thread)
{
	const struct guest_state *state = thread->state;
	uint64_t kind = state->fault_kind < FAULT_KIND_COUNT ? state->fault_kind : FAULT_NONE;

	log_print(LOG_WARNING, "%s (process %d, thread %d): %s%s 0x%lx at pc 0x%lx, isa code 0x%lx",
		thread->name, thread->process->id, thread->id, meanings[kind].name,
		access_name(state->fault_access), state->fault_address,
		guest_program_counter(&state->registers), state->isa_code);
	log_registers(&state->registers);
	signal_fault(thread, meanings[kind].signal);
}

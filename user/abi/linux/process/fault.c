// SPDX-License-Identifier: MIT
//
// Faults of guests.

#include <linux/process/fault.h>

#include <linux/process/delivery.h>
#include <linux/process/process.h>

#include <runtime/format.h>
#include <tern/fault.h>

#define REGISTERS_IN_LINE 4

struct fault_meaning {
	const char *name;
	int32_t signal;
	int32_t code; // of siginfo
};

static const struct fault_meaning meanings[FAULT_KIND_COUNT] = {
	[FAULT_NONE] = {"unknown fault", LINUX_SIGSEGV, LINUX_SI_KERNEL},
	[FAULT_PAGE] = {"page fault", LINUX_SIGSEGV, LINUX_SEGV_MAPERR},
	[FAULT_STACK_GUARD] = {"stack overflow", LINUX_SIGSEGV, LINUX_SEGV_ACCERR},
	[FAULT_NO_MEMORY] = {"out of memory", LINUX_SIGKILL, LINUX_SI_KERNEL},
	[FAULT_ILLEGAL_INSTRUCTION] = {"illegal instruction", LINUX_SIGILL, LINUX_ILL_ILLOPC},
	[FAULT_BREAKPOINT] = {"breakpoint", LINUX_SIGTRAP, LINUX_TRAP_BRKPT},
	[FAULT_SINGLE_STEP] = {"single step", LINUX_SIGTRAP, LINUX_TRAP_TRACE},
	[FAULT_DIVIDE] = {"integer division", LINUX_SIGFPE, LINUX_FPE_INTDIV},
	[FAULT_FLOATING] = {"floating-point exception", LINUX_SIGFPE, LINUX_SI_KERNEL},
	[FAULT_ALIGNMENT] = {"misaligned access", LINUX_SIGBUS, LINUX_BUS_ADRALN},
	[FAULT_PROTECTION] = {"protection fault", LINUX_SIGSEGV, LINUX_SI_KERNEL},
	[FAULT_PAGER] = {"page that its pager did not supply", LINUX_SIGBUS, LINUX_SI_KERNEL},
};

int32_t fault_signal(uint64_t kind)
{
	return meanings[kind < FAULT_KIND_COUNT ? kind : FAULT_NONE].signal;
}

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

static void report(const struct thread *thread, uint64_t kind)
{
	const struct guest_state *state = thread->state;

	log_print(LOG_WARNING, "%s (process %d, thread %d): %s%s 0x%lx at pc 0x%lx, isa code 0x%lx",
		thread->name, thread->process->id, thread->id, meanings[kind].name,
		access_name(state->fault_access), state->fault_address,
		guest_program_counter(&state->registers), state->isa_code);
	log_registers(&state->registers);
}

void fault_handle(struct thread *thread)
{
	const struct guest_state *state = thread->state;
	uint64_t kind = state->fault_kind < FAULT_KIND_COUNT ? state->fault_kind : FAULT_NONE;
	struct signal_cause cause = {.code = meanings[kind].code, .address = state->fault_address};

	if (signal_deliver_fault(thread, meanings[kind].signal, &cause))
		return;
	report(thread, kind);
	pthread_mutex_lock(&process_lock);
	process_end(thread->process, wait_status_signal(meanings[kind].signal));
	pthread_mutex_unlock(&process_lock);
}

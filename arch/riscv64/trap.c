// SPDX-License-Identifier: MIT
//
// What a trap means: interrupts to their handlers, faults to the core.

#include "internal.h"
#include <arch/cpu.h>
#include <arch/thread.h>
#include <kernel/cpu.h>
#include <kernel/device.h>
#include <kernel/thread.h>
#include <kernel/trap.h>

void isa_trap_user(uint64_t cause);
void isa_trap_kernel(uint64_t cause, struct arch_frame *frame);

struct fixup {
	uintptr_t instruction;
	uintptr_t target;
};

extern const struct fixup fixup_table_start[], fixup_table_end[];

static const struct cause {
	const char *name;
	enum fault_kind kind;
	enum fault_access access;
} causes[] = {
	[CAUSE_FETCH_MISALIGNED] = {"misaligned jump", FAULT_ALIGNMENT, FAULT_ACCESS_EXECUTE},
	[CAUSE_FETCH_ACCESS] = {"instruction access fault", FAULT_PROTECTION, FAULT_ACCESS_EXECUTE},
	[CAUSE_ILLEGAL_INSTRUCTION] = {"illegal instruction", FAULT_ILLEGAL_INSTRUCTION, 0},
	[CAUSE_BREAKPOINT] = {"breakpoint", FAULT_BREAKPOINT, 0},
	[CAUSE_LOAD_MISALIGNED] = {"misaligned load", FAULT_ALIGNMENT, FAULT_ACCESS_READ},
	[CAUSE_LOAD_ACCESS] = {"load access fault", FAULT_PROTECTION, FAULT_ACCESS_READ},
	[CAUSE_STORE_MISALIGNED] = {"misaligned store", FAULT_ALIGNMENT, FAULT_ACCESS_WRITE},
	[CAUSE_STORE_ACCESS] = {"store access fault", FAULT_PROTECTION, FAULT_ACCESS_WRITE},
	[CAUSE_FETCH_PAGE] = {"instruction page fault", FAULT_PAGE, FAULT_ACCESS_EXECUTE},
	[CAUSE_LOAD_PAGE] = {"load page fault", FAULT_PAGE, FAULT_ACCESS_READ},
	[CAUSE_STORE_PAGE] = {"store page fault", FAULT_PAGE, FAULT_ACCESS_WRITE},
};

static const struct cause unknown_cause = {"unknown exception", FAULT_PROTECTION, 0};

static const struct cause *find_cause(uint64_t cause)
{
	if (cause >= sizeof(causes) / sizeof(causes[0]) || causes[cause].name == NULL)
		return &unknown_cause;
	return &causes[cause];
}

static struct fault describe(const struct cause *cause, uint64_t code, uint64_t address)
{
	return (struct fault){
		.kind = cause->kind,
		.address = cause->access != 0 ? address : 0,
		.access = cause->access,
		.isa_code = code,
	};
}

static void handle_interrupt(uint64_t number)
{
	switch (number) {
	case INTERRUPT_SOFTWARE:
		csr_clear(sip, SIE_SOFTWARE);
		// What the sender wrote is read after that.
		__asm__ volatile("fence iorw, iorw" : : : "memory");
		trap_ipi();
		break;
	case INTERRUPT_TIMER:
		// Stays pending until the timer is set again.
		csr_clear(sie, SIE_TIMER);
		trap_timer();
		break;
	case INTERRUPT_EXTERNAL:
		interrupt_controller->dispatch((uint32_t)number);
		break;
	default:
		csr_clear(sie, 1ull << number);
	}
}

static void handle_user_fault(uint64_t code, uint64_t address)
{
	struct fault fault = describe(find_cause(code), code, address);

	// The first use of the FPU. If it was something else, it faults once more.
	if (fault.kind == FAULT_ILLEGAL_INSTRUCTION && (csr_read(sstatus) & SSTATUS_FS) == 0 &&
		isa_fpu_take(&thread_current()->arch))
		return;
	trap_fault(&fault);
	// A hart may remember that an entry was invalid.
	if (fault.kind == FAULT_PAGE)
		__asm__ volatile("sfence.vma %0" : : "r"(address) : "memory");
}

void isa_trap_user(uint64_t cause)
{
	uint64_t address = csr_read(stval);

	if (cause & CAUSE_INTERRUPT)
		handle_interrupt(cause & ~CAUSE_INTERRUPT);
	else
		handle_user_fault(cause, address);
}

static const struct fixup *find_fixup(uintptr_t instruction)
{
	for (const struct fixup *fixup = fixup_table_start; fixup < fixup_table_end; fixup++) {
		if (fixup->instruction == instruction)
			return fixup;
	}
	return NULL;
}

static void handle_kernel_fault(uint64_t code, uint64_t address, struct arch_frame *frame)
{
	const struct cause *cause = find_cause(code);
	const struct fixup *fixup = find_fixup(frame->pc);
	struct fault fault = describe(cause, code, address);
	bool overflow = frame->x[REGISTER_SP] != (uintptr_t)(frame + 1);

	if (fixup != NULL && !overflow) {
		if (fault.kind == FAULT_PAGE && address < ARCH_USER_END &&
			vm_kernel_fault(address, fault.access))
			__asm__ volatile("sfence.vma %0" : : "r"(address) : "memory");
		else
			frame->pc = fixup->target;
		return;
	}
	trap_kernel_fault(overflow ? "kernel stack overflow" : cause->name, frame, &fault);
}

void isa_trap_kernel(uint64_t cause, struct arch_frame *frame)
{
	uint64_t address = csr_read(stval);

	if (cause & CAUSE_INTERRUPT)
		handle_interrupt(cause & ~CAUSE_INTERRUPT);
	else
		handle_kernel_fault(cause, address, frame);
}

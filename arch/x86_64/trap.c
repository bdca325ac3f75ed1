// SPDX-License-Identifier: MIT
//
// Exceptions and interrupts, after entry.S has saved the registers.

#include <arch/cpu.h>
#include <arch/mmu.h>
#include <isa/internal.h>
#include <isa/registers.h>
#include <kernel/device.h>
#include <kernel/trap.h>

// Intel SDM volume 3, table 6-1.
enum vector {
	VECTOR_DIVIDE = 0,
	VECTOR_BREAKPOINT = 3,
	VECTOR_INVALID_OPCODE = 6,
	VECTOR_DEVICE_NOT_AVAILABLE = 7,
	VECTOR_PAGE_FAULT = 14,
	VECTOR_X87 = 16,
	VECTOR_ALIGNMENT = 17,
	VECTOR_SIMD = 19,
};

#define PAGE_FAULT_WRITE   ((uint64_t)1 << 1)
#define PAGE_FAULT_USER    ((uint64_t)1 << 2)
#define PAGE_FAULT_EXECUTE ((uint64_t)1 << 4)
#define DR6_SINGLE_STEP    ((uint64_t)1 << 14)

static const char *const exception_names[VECTOR_EXCEPTIONS] = {
	[VECTOR_DIVIDE] = "divide error",
	[VECTOR_DEBUG] = "debug exception",
	[VECTOR_NMI] = "non-maskable interrupt",
	[VECTOR_BREAKPOINT] = "breakpoint",
	[VECTOR_INVALID_OPCODE] = "invalid opcode",
	[VECTOR_DEVICE_NOT_AVAILABLE] = "floating point in the kernel",
	[VECTOR_DOUBLE_FAULT] = "double fault",
	[10] = "invalid task state",
	[11] = "segment not present",
	[12] = "stack segment fault",
	[13] = "general protection",
	[VECTOR_PAGE_FAULT] = "page fault",
	[VECTOR_X87] = "x87 exception",
	[VECTOR_ALIGNMENT] = "alignment check",
	[VECTOR_MACHINE_CHECK] = "machine check",
	[VECTOR_SIMD] = "SIMD exception",
};

struct fixup {
	uintptr_t instruction;
	uintptr_t continuation;
};

extern const struct fixup fixup_table_start[], fixup_table_end[];

static bool frame_is_user(const struct arch_frame *frame)
{
	return (frame->cs & 3) != 0;
}

static struct fault describe(const struct arch_frame *frame)
{
	struct fault fault = {
		.kind = FAULT_PROTECTION,
		.isa_code = frame->error_code << 8 | frame->vector,
	};

	switch (frame->vector) {
	case VECTOR_DIVIDE:
		fault.kind = FAULT_DIVIDE;
		break;
	case VECTOR_DEBUG:
		// INT1 arrives here too.
		fault.kind = read_dr6() & DR6_SINGLE_STEP ? FAULT_SINGLE_STEP : FAULT_BREAKPOINT;
		write_dr6(DR6_INITIAL);
		break;
	case VECTOR_BREAKPOINT:
		fault.kind = FAULT_BREAKPOINT;
		break;
	case VECTOR_INVALID_OPCODE:
		fault.kind = FAULT_ILLEGAL_INSTRUCTION;
		break;
	case VECTOR_X87:
	case VECTOR_SIMD:
		fault.kind = FAULT_FLOATING;
		break;
	case VECTOR_ALIGNMENT:
		fault.kind = FAULT_ALIGNMENT;
		break;
	case VECTOR_PAGE_FAULT:
		// In user mode the CPU itself has looked at a table of its own, for an odd selector.
		if (frame_is_user(frame) && !(frame->error_code & PAGE_FAULT_USER))
			break;
		fault.kind = FAULT_PAGE;
		fault.address = read_cr2();
		fault.access = FAULT_ACCESS_READ;
		if (frame->error_code & PAGE_FAULT_WRITE)
			fault.access = FAULT_ACCESS_WRITE;
		else if (frame->error_code & PAGE_FAULT_EXECUTE)
			fault.access = FAULT_ACCESS_EXECUTE;
		break;
	}
	return fault;
}

void trap_from_user(struct arch_frame *frame)
{
	struct fault fault;

	// Some CPUs jump to a non-canonical address before they notice, but none can return to one: it
	// becomes one in the kernel's half.
	frame->rip = (uint64_t)((int64_t)(frame->rip << 16) >> 16);
	if (frame->vector >= VECTOR_EXCEPTIONS) {
		interrupt_controller->dispatch((uint32_t)frame->vector);
		return;
	}
	if (frame->vector == VECTOR_DEVICE_NOT_AVAILABLE && fpu_first_use())
		return;
	fault = describe(frame);
	trap_fault(&fault);
}

static const struct fixup *find_fixup(uintptr_t instruction)
{
	for (const struct fixup *fixup = fixup_table_start; fixup != fixup_table_end; fixup++) {
		if (fixup->instruction == instruction)
			return fixup;
	}
	return NULL;
}

static _Noreturn void kernel_fault(
	const char *name, const struct arch_frame *frame, const struct fault *fault)
{
	trap_kernel_fault(name != NULL ? name : "unknown exception", frame, fault);
}

void trap_from_kernel(struct arch_frame *frame)
{
	struct fault fault;

	if (frame->vector >= VECTOR_EXCEPTIONS) {
		interrupt_controller->dispatch((uint32_t)frame->vector);
		return;
	}
	fault = describe(frame);
	if (fault.kind == FAULT_PAGE && fault.address < ARCH_USER_END) {
		const struct fixup *fixup = find_fixup(frame->rip);

		if (fixup != NULL) {
			if (!vm_kernel_fault(fault.address, fault.access))
				frame->rip = fixup->continuation;
			return;
		}
	}
	kernel_fault(exception_names[frame->vector], frame, &fault);
}

// A page fault whose frame the CPU could not push becomes a double fault; the address that it could not write
// is just below the stack pointer of that time.
static bool is_stack_overflow(const struct arch_frame *frame)
{
	uint64_t address = read_cr2();

	return frame->vector == VECTOR_DOUBLE_FAULT && address < frame->rsp &&
		frame->rsp - address <= PAGE_SIZE;
}

_Noreturn void trap_emergency(struct arch_frame *frame)
{
	struct fault fault = describe(frame);

	if (is_stack_overflow(frame)) {
		fault.address = read_cr2();
		fault.access = FAULT_ACCESS_WRITE;
		kernel_fault("kernel stack overflow", frame, &fault);
	}
	kernel_fault(exception_names[frame->vector], frame, &fault);
}

// SPDX-License-Identifier: MIT
//
// What exceptions mean (Arm ARM, D17.2.37: ESR_EL1).

#include <isa/internal.h>
#include <isa/registers.h>
#include <kernel/device.h>
#include <kernel/trap.h>

enum exception_class {
	CLASS_FPU = 0x07,
	CLASS_INSTRUCTION_ABORT_USER = 0x20,
	CLASS_INSTRUCTION_ABORT_KERNEL = 0x21,
	CLASS_PC_ALIGNMENT = 0x22,
	CLASS_DATA_ABORT_USER = 0x24,
	CLASS_DATA_ABORT_KERNEL = 0x25,
	CLASS_SP_ALIGNMENT = 0x26,
	CLASS_FLOATING = 0x2c,
	CLASS_SYSTEM_ERROR = 0x2f,
	CLASS_BREAKPOINT_USER = 0x30,
	CLASS_STEP_USER = 0x32,
	CLASS_WATCHPOINT_USER = 0x34,
	CLASS_BRK = 0x3c,
};

#define SYNDROME_CLASS_SHIFT 26
#define SYNDROME_STATUS      0x3f
#define SYNDROME_WRITE       ((uint64_t)1 << 6)
#define SYNDROME_CACHE       ((uint64_t)1 << 8) // cache maintenance: says write, but only needs to read

// Fault status: address size, translation, access flag and permission faults come first, four levels of each.
#define STATUS_PAGE_LAST 0x0f
#define STATUS_ALIGNMENT 0x21

struct fixup {
	uint64_t instruction;
	uint64_t go_on;
};

extern const struct fixup fixups_start[], fixups_end[]; // kernel.ld

// The address without the tag that user mode may keep in its top byte.
static uint64_t fault_address(void)
{
	return (uint64_t)((int64_t)(read_system_register(far_el1) << 8) >> 8);
}

static enum fault_kind abort_kind(uint64_t syndrome)
{
	uint64_t status = syndrome & SYNDROME_STATUS;

	if (status <= STATUS_PAGE_LAST)
		return FAULT_PAGE;
	return status == STATUS_ALIGNMENT ? FAULT_ALIGNMENT : FAULT_PROTECTION;
}

static enum fault_access data_access(uint64_t syndrome)
{
	return (syndrome & (SYNDROME_WRITE | SYNDROME_CACHE)) == SYNDROME_WRITE ? FAULT_ACCESS_WRITE
										: FAULT_ACCESS_READ;
}

static struct fault decode(uint64_t syndrome)
{
	struct fault fault = {.isa_code = syndrome};

	switch (syndrome >> SYNDROME_CLASS_SHIFT) {
	case CLASS_INSTRUCTION_ABORT_USER:
	case CLASS_INSTRUCTION_ABORT_KERNEL:
		fault.kind = abort_kind(syndrome);
		fault.address = fault_address();
		fault.access = FAULT_ACCESS_EXECUTE;
		break;
	case CLASS_DATA_ABORT_USER:
	case CLASS_DATA_ABORT_KERNEL:
		fault.kind = abort_kind(syndrome);
		fault.address = fault_address();
		fault.access = data_access(syndrome);
		break;
	case CLASS_PC_ALIGNMENT:
	case CLASS_SP_ALIGNMENT:
		fault.kind = FAULT_ALIGNMENT;
		break;
	case CLASS_FLOATING:
		fault.kind = FAULT_FLOATING;
		break;
	case CLASS_SYSTEM_ERROR:
		fault.kind = FAULT_PROTECTION;
		break;
	case CLASS_STEP_USER:
		fault.kind = FAULT_SINGLE_STEP;
		break;
	case CLASS_BREAKPOINT_USER:
	case CLASS_WATCHPOINT_USER:
	case CLASS_BRK:
		fault.kind = FAULT_BREAKPOINT;
		break;
	default:
		fault.kind = FAULT_ILLEGAL_INSTRUCTION;
		break;
	}
	return fault;
}

void exception_interrupt(void)
{
	interrupt_controller->dispatch(0);
}

void exception_user(uint64_t syndrome)
{
	struct fault fault;

	if (syndrome >> SYNDROME_CLASS_SHIFT == CLASS_FPU) {
		fpu_first_use();
		return;
	}
	fault = decode(syndrome);
	if (fault.kind != FAULT_SINGLE_STEP || thread_step_done())
		trap_fault(&fault);
}

// An error that the bus reported late: as a rule for an access of the user code that was interrupted.
void exception_system_error(uint64_t syndrome)
{
	struct fault fault = decode(syndrome);

	trap_fault(&fault);
}

static const struct fixup *find_fixup(uint64_t instruction)
{
	for (const struct fixup *fixup = fixups_start; fixup < fixups_end; fixup++) {
		if (fixup->instruction == instruction)
			return fixup;
	}
	return NULL;
}

static const char *kernel_fault_name(const struct arch_frame *frame, const struct fault *fault)
{
	if (fault->kind == FAULT_PAGE && fault->access != FAULT_ACCESS_EXECUTE &&
		fault->address < frame->sp && frame->sp - fault->address <= PAGE_SIZE)
		return "kernel stack overflow";
	switch (fault->kind) {
	case FAULT_PAGE:
		return "kernel page fault";
	case FAULT_BREAKPOINT:
		return "kernel breakpoint";
	case FAULT_ALIGNMENT:
		return "kernel alignment fault";
	case FAULT_PROTECTION:
		return "kernel bus error";
	default:
		return "illegal instruction in the kernel";
	}
}

void exception_kernel(struct arch_frame *frame, uint64_t syndrome)
{
	struct fault fault = decode(syndrome);
	const struct fixup *fixup = find_fixup(frame->pc);

	if (fixup == NULL)
		trap_kernel_fault(kernel_fault_name(frame, &fault), frame, &fault);
	if (fault.kind != FAULT_PAGE || fault.address >= ARCH_USER_END ||
		!vm_kernel_fault(fault.address, fault.access))
		frame->pc = fixup->go_on;
}

void exception_stack_overflow(struct arch_frame *frame)
{
	struct fault fault = decode(read_system_register(esr_el1));

	trap_kernel_fault("kernel stack overflow", frame, &fault);
}

void exception_unexpected(struct arch_frame *frame, uint64_t syndrome)
{
	struct fault fault = decode(syndrome);

	trap_kernel_fault("unexpected exception", frame, &fault);
}

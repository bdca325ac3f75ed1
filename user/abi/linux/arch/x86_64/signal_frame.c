// SPDX-License-Identifier: MIT
//
// Signal frames on x86_64.

#include <linux/arch/signal_frame.h>

#include <linux/memory/memory.h>

#include <stddef.h>
#include <string.h>

#define USER_CODE_SEGMENT 0x33
#define USER_DATA_SEGMENT 0x2b
#define CALL_LENGTH       2 // bytes of the syscall instruction

// What handlers start with, and what a frame can change: carry, parity, adjust, zero, sign, trap, direction,
// overflow, alignment check.
#define FLAGS_CLEARED    0x500 // trap and direction
#define FLAGS_CHANGEABLE 0x40dd5

// mov eax, 15; syscall
const uint8_t guest_signal_return_code[GUEST_SIGNAL_RETURN_SIZE] = {0xb8, 15, 0, 0, 0, 0x0f, 0x05};

void guest_rewind_call(struct registers *registers, uint64_t number, uint64_t argument)
{
	(void)argument; // its register is as it was
	registers->rip -= CALL_LENGTH;
	registers->rax = number;
}

void guest_complete_call(struct registers *registers)
{
	registers->rip += CALL_LENGTH;
}

void signal_frame_save(struct signal_frame *frame, guest_address_t address, const struct registers *registers,
	const void *fpu, const struct linux_signal_action *action, guest_address_t signal_return)
{
	frame->return_address = action->flags & LINUX_SA_RESTORER ? action->restorer : signal_return;
	frame->context.registers = (struct signal_registers){
		.r8 = registers->r8,
		.r9 = registers->r9,
		.r10 = registers->r10,
		.r11 = registers->r11,
		.r12 = registers->r12,
		.r13 = registers->r13,
		.r14 = registers->r14,
		.r15 = registers->r15,
		.rdi = registers->rdi,
		.rsi = registers->rsi,
		.rbp = registers->rbp,
		.rbx = registers->rbx,
		.rdx = registers->rdx,
		.rax = registers->rax,
		.rcx = registers->rcx,
		.rsp = registers->rsp,
		.rip = registers->rip,
		.rflags = registers->rflags,
		.cs = USER_CODE_SEGMENT,
		.ss = USER_DATA_SEGMENT,
		.fault_address = frame->information.fault_address,
		.fpu = address + offsetof(struct signal_frame, fpu),
	};
	memcpy(frame->fpu, fpu, sizeof(frame->fpu));
}

void signal_frame_call(struct registers *registers, guest_address_t address,
	const struct linux_signal_action *action, int32_t signal, guest_address_t signal_return)
{
	(void)signal_return;
	registers->rip = action->handler;
	registers->rsp = address;
	registers->rdi = (uint64_t)signal;
	registers->rsi = address + offsetof(struct signal_frame, information);
	registers->rdx = address + offsetof(struct signal_frame, context);
	registers->rax = 0;
	registers->rflags &= ~(uint64_t)FLAGS_CLEARED;
}

// The handler's return has taken the return address off the stack.
guest_address_t signal_frame_address(const struct registers *registers)
{
	return registers->rsp - sizeof(uint64_t);
}

void signal_frame_restore(const struct signal_frame *frame, struct registers *registers, void *fpu)
{
	const struct signal_registers *saved = &frame->context.registers;

	*registers = (struct registers){
		.r8 = saved->r8,
		.r9 = saved->r9,
		.r10 = saved->r10,
		.r11 = saved->r11,
		.r12 = saved->r12,
		.r13 = saved->r13,
		.r14 = saved->r14,
		.r15 = saved->r15,
		.rdi = saved->rdi,
		.rsi = saved->rsi,
		.rbp = saved->rbp,
		.rbx = saved->rbx,
		.rdx = saved->rdx,
		.rax = saved->rax,
		.rcx = saved->rcx,
		.rsp = saved->rsp,
		.rip = saved->rip,
		.rflags = (registers->rflags & ~(uint64_t)FLAGS_CHANGEABLE) |
			(saved->rflags & FLAGS_CHANGEABLE),
		.fs_base = registers->fs_base,
		.gs_base = registers->gs_base,
	};
	memcpy(fpu, frame->fpu, sizeof(frame->fpu));
}

// SPDX-License-Identifier: MIT
//
// Signal frames on RISC-V 64.

#include <linux/arch/signal_frame.h>

#include <linux/memory/memory.h>

#include <stddef.h>
#include <string.h>

#define CALL_LENGTH 4 // bytes of the ecall instruction

// li a7, 139; ecall
const uint8_t guest_signal_return_code[GUEST_SIGNAL_RETURN_SIZE] = {
	0x93, 0x08, 0xb0, 0x08, 0x73, 0x00, 0x00, 0x00};

void guest_rewind_call(struct registers *registers, uint64_t number, uint64_t argument)
{
	(void)number; // its register is as it was
	registers->pc -= CALL_LENGTH;
	registers->x[RISCV_A0] = argument;
}

void guest_complete_call(struct registers *registers)
{
	registers->pc += CALL_LENGTH;
}

void signal_frame_save(struct signal_frame *frame, guest_address_t address, const struct registers *registers,
	const void *fpu, const struct linux_signal_action *action, guest_address_t signal_return)
{
	(void)signal_return;
	(void)address;
	(void)action;
	frame->context.pc = registers->pc;
	memcpy(frame->context.x, &registers->x[1], sizeof(frame->context.x));
	memcpy(frame->context.fpu, fpu, sizeof(frame->context.fpu));
}

void signal_frame_call(struct registers *registers, guest_address_t address,
	const struct linux_signal_action *action, int32_t signal, guest_address_t signal_return)
{
	registers->x[RISCV_A0] = (uint64_t)signal;
	registers->x[RISCV_A0 + 1] = address + offsetof(struct signal_frame, information);
	registers->x[RISCV_A0 + 2] = address + offsetof(struct signal_frame, context);
	registers->x[RISCV_RA] = signal_return;
	registers->x[RISCV_SP] = address;
	registers->pc = action->handler;
}

guest_address_t signal_frame_address(const struct registers *registers)
{
	return registers->x[RISCV_SP];
}

void signal_frame_restore(const struct signal_frame *frame, struct registers *registers, void *fpu)
{
	registers->pc = frame->context.pc;
	memcpy(&registers->x[1], frame->context.x, sizeof(frame->context.x));
	memcpy(fpu, frame->context.fpu, sizeof(frame->context.fpu));
}

// SPDX-License-Identifier: MIT
//
// Signal frames on AArch64.

#include <linux/arch/signal_frame.h>

#include <linux/memory/memory.h>

#include <stddef.h>
#include <string.h>

#define FPU_MAGIC   0x46508001
#define CALL_LENGTH 4 // bytes of the svc instruction

#define FRAME_POINTER 29
#define LINK          30

// What a frame can change: the condition flags.
#define PSTATE_CHANGEABLE ((uint64_t)0xf0000000)

// The FPU state as thread_read_fpu gives it.
struct fpu_state {
	uint64_t v[32][2];
	uint32_t status;
	uint32_t control;
	uint64_t reserved;
};
_Static_assert(sizeof(struct fpu_state) == SIGNAL_FRAME_FPU_MAX, "as the kernel has it");

// mov x8, 139; svc 0
const uint8_t guest_signal_return_code[GUEST_SIGNAL_RETURN_SIZE] = {
	0x68, 0x11, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4};

void guest_rewind_call(struct registers *registers, uint64_t number, uint64_t argument)
{
	(void)number; // its register is as it was
	registers->pc -= CALL_LENGTH;
	registers->x[0] = argument;
}

void guest_complete_call(struct registers *registers)
{
	registers->pc += CALL_LENGTH;
}

void signal_frame_save(struct signal_frame *frame, guest_address_t address, const struct registers *registers,
	const void *fpu, const struct linux_signal_action *action, guest_address_t signal_return)
{
	const struct fpu_state *state = fpu;

	(void)signal_return;
	(void)address;
	(void)action;
	memcpy(frame->context.x, registers->x, sizeof(frame->context.x));
	frame->context.sp = registers->sp;
	frame->context.pc = registers->pc;
	frame->context.pstate = registers->pstate;
	frame->context.fault_address = frame->information.fault_address;
	frame->context.fpu = (struct signal_fpu_record){
		.magic = FPU_MAGIC,
		.size = sizeof(frame->context.fpu),
		.status = state->status,
		.control = state->control,
	};
	memcpy(frame->context.fpu.v, state->v, sizeof(state->v));
	frame->frame_record[0] = registers->x[FRAME_POINTER];
	frame->frame_record[1] = registers->x[LINK];
}

void signal_frame_call(struct registers *registers, guest_address_t address,
	const struct linux_signal_action *action, int32_t signal, guest_address_t signal_return)
{
	registers->x[0] = (uint64_t)signal;
	registers->x[1] = address + offsetof(struct signal_frame, information);
	registers->x[2] = address + offsetof(struct signal_frame, context);
	registers->x[FRAME_POINTER] = address + offsetof(struct signal_frame, frame_record);
	registers->x[LINK] = action->flags & LINUX_SA_RESTORER ? action->restorer : signal_return;
	registers->sp = address;
	registers->pc = action->handler;
}

guest_address_t signal_frame_address(const struct registers *registers)
{
	return registers->sp;
}

void signal_frame_restore(const struct signal_frame *frame, struct registers *registers, void *fpu)
{
	struct fpu_state state = {.status = frame->context.fpu.status, .control = frame->context.fpu.control};

	memcpy(registers->x, frame->context.x, sizeof(registers->x));
	registers->sp = frame->context.sp;
	registers->pc = frame->context.pc;
	registers->pstate = (registers->pstate & ~PSTATE_CHANGEABLE) |
		(frame->context.pstate & PSTATE_CHANGEABLE);
	memcpy(state.v, frame->context.fpu.v, sizeof(state.v));
	memcpy(fpu, &state, sizeof(state));
}

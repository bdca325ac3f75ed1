// SPDX-License-Identifier: MIT
//
// Delivery of signals.

#include <linux/process/delivery.h>

#include <linux/arch/signal_frame.h>
#include <linux/interface/errors.h>
#include <linux/memory/guest_copy.h>
#include <linux/memory/memory.h>
#include <linux/process/signal.h>

#include <runtime/format.h>
#include <runtime/system_calls.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

// Takes the deliverable signal of the lowest number, and the action for it, which is reset if it asks for
// that. False: there is none.
static bool take_next(struct thread *thread, int32_t *signal, struct signal_cause *cause,
	struct linux_signal_action *action)
{
	struct signal_actions *actions = thread->process->actions;
	bool taken = false;

	pthread_mutex_lock(&process_lock);
	uint64_t deliverable = signal_deliverable(thread);
	if (deliverable != 0) {
		*signal = __builtin_ctzll(deliverable) + 1;
		taken = signal_take(thread, *signal, cause);
	}
	pthread_mutex_unlock(&process_lock);
	if (!taken)
		return false;
	pthread_mutex_lock(&actions->lock);
	*action = actions->action[*signal];
	if ((action->flags & LINUX_SA_RESETHAND) && action->handler != LINUX_SIG_IGN)
		actions->action[*signal].handler = LINUX_SIG_DFL;
	pthread_mutex_unlock(&actions->lock);
	return true;
}

static bool on_signal_stack(const struct thread *thread, guest_address_t stack)
{
	const struct linux_sigaltstack *own = &thread->signal_stack;

	return !(own->flags & LINUX_SS_DISABLE) && stack > own->base && stack - own->base <= own->size;
}

// The address below which the frame of a handler goes.
static guest_address_t frame_top(const struct thread *thread, const struct linux_signal_action *action)
{
	guest_address_t stack = guest_stack_pointer(&thread->state->registers);
	const struct linux_sigaltstack *own = &thread->signal_stack;

	if ((action->flags & LINUX_SA_ONSTACK) && !(own->flags & LINUX_SS_DISABLE) &&
		!on_signal_stack(thread, stack))
		return own->base + own->size;
	return stack - SIGNAL_FRAME_RED_ZONE;
}

// The stack that the frame tells of: whether it was in use before.
static struct linux_sigaltstack describe_stack(const struct thread *thread)
{
	struct linux_sigaltstack stack = thread->signal_stack;

	if (on_signal_stack(thread, guest_stack_pointer(&thread->state->registers)))
		stack.flags |= LINUX_SS_ONSTACK;
	return stack;
}

// A call that was to be made again fails instead, where the handler does not ask for that.
static void settle_call(struct thread *thread, const struct linux_signal_action *action)
{
	if (thread->call_rewound && !(action->flags & LINUX_SA_RESTART)) {
		guest_complete_call(&thread->state->registers);
		guest_set_result(&thread->state->registers, -LINUX_EINTR);
	}
	thread->call_rewound = false;
}

// The signals to go back to when the handler returns.
static uint64_t take_saved_signals(struct thread *thread)
{
	uint64_t saved = thread->has_signals_saved ? thread->signals_saved
						   : atomic_load(&thread->signals_blocked);

	thread->has_signals_saved = false;
	return saved;
}

// Puts a frame on the stack and makes the registers those of the handler. -LINUX_EFAULT, -LINUX_ENOMEM.
static int64_t push_frame(struct thread *thread, const struct linux_signal_action *action,
	const struct linux_signal_information *information, uint64_t blocked)
{
	struct signal_frame *frame = calloc(1, sizeof(*frame));
	guest_address_t signal_return = thread->process->memory->signal_return;
	uint8_t fpu[SIGNAL_FRAME_FPU_MAX] = {0};
	uint64_t fpu_size;

	if (!frame)
		return -LINUX_ENOMEM;
	guest_address_t address = (frame_top(thread, action) - sizeof(*frame)) & ~(guest_address_t)63;
	address -= SIGNAL_FRAME_OFFSET;
	int64_t error = thread_read_fpu(fpu, sizeof(fpu), &fpu_size) == ERR_OK ? 0 : -LINUX_ENOMEM;
	if (!error) {
		frame->context.start.stack = describe_stack(thread);
		frame->context.blocked = blocked;
		frame->information = *information;
		signal_frame_save(frame, address, &thread->state->registers, fpu, action, signal_return);
		error = copy_to_guest(thread, address, frame, sizeof(*frame));
	}
	if (!error)
		signal_frame_call(
			&thread->state->registers, address, action, information->signal, signal_return);
	free(frame);
	return error;
}

static void end_by(struct thread *thread, int32_t signal)
{
	pthread_mutex_lock(&process_lock);
	process_end(thread->process, wait_status_signal(signal));
	pthread_mutex_unlock(&process_lock);
}

static void call_handler(struct thread *thread, int32_t signal, const struct signal_cause *cause,
	const struct linux_signal_action *action)
{
	struct linux_signal_information information = signal_describe(signal, cause);
	uint64_t blocked = take_saved_signals(thread);

	settle_call(thread, action);
	if (push_frame(thread, action, &information, blocked)) {
		log_print(LOG_WARNING, "%s (process %d): no room for the frame of signal %d", thread->name,
			thread->process->id, signal);
		end_by(thread, LINUX_SIGSEGV);
		return;
	}
	uint64_t also = action->flags & LINUX_SA_NODEFER ? 0 : signal_bit(signal);
	signal_set_blocked(thread, atomic_load(&thread->signals_blocked) | action->mask | also);
}

void signals_deliver(struct thread *thread)
{
	struct linux_signal_action action;
	struct signal_cause cause;
	int32_t signal;

	while (!thread_ends(thread) && take_next(thread, &signal, &cause, &action)) {
		switch (signal_effect(&action, signal)) {
		case SIGNAL_HANDLER:
			call_handler(thread, signal, &cause, &action);
			break;
		case SIGNAL_END:
			end_by(thread, signal);
			break;
		case SIGNAL_NONE:
			break;
		}
	}
	if (thread->has_signals_saved)
		signal_set_blocked(thread, take_saved_signals(thread));
}

bool signal_deliver_fault(struct thread *thread, int32_t signal, const struct signal_cause *cause)
{
	struct linux_signal_action action = signal_action(thread->process->actions, signal);

	if (signal_effect(&action, signal) != SIGNAL_HANDLER ||
		(atomic_load(&thread->signals_blocked) & signal_bit(signal)))
		return false;
	pthread_mutex_lock(&process_lock);
	signal_send_thread(thread, signal, cause);
	pthread_mutex_unlock(&process_lock);
	return true;
}

int64_t signals_block_for_wait(struct thread *thread, guest_address_t set, uint64_t set_size)
{
	uint64_t blocked;

	if (set == 0)
		return 0;
	if (set_size != sizeof(blocked))
		return -LINUX_EINVAL;
	if (copy_from_guest(thread, &blocked, set, sizeof(blocked)))
		return -LINUX_EFAULT;
	thread->signals_saved = atomic_load(&thread->signals_blocked);
	thread->has_signals_saved = true;
	signal_set_blocked(thread, blocked);
	return 0;
}

int64_t signal_return(struct thread *thread)
{
	struct registers *registers = &thread->state->registers;
	guest_address_t address = signal_frame_address(registers);
	struct signal_frame *frame = malloc(sizeof(*frame));
	uint8_t fpu[SIGNAL_FRAME_FPU_MAX];
	uint64_t fpu_size;

	if (!frame)
		return -LINUX_ENOMEM;
	int64_t error = copy_from_guest(thread, frame, address, sizeof(*frame));
	if (!error && thread_read_fpu(NULL, 0, &fpu_size) == ERR_OK) {
		signal_frame_restore(frame, registers, fpu);
		signal_set_blocked(thread, frame->context.blocked);
		// What the guest made of it may be no state that the CPU takes.
		if (thread_write_fpu(fpu, fpu_size) != ERR_OK)
			error = -LINUX_EFAULT;
	}
	free(frame);
	return error;
}

// SPDX-License-Identifier: MIT
//
// System calls that look at the state of a thread and change it: information, registers, TLS base, floating
// point.

#include <arch/thread.h>
#include <arch/time.h>
#include <kernel/assert.h>
#include <kernel/cpu.h>
#include <kernel/ipc.h>
#include <kernel/loan.h>
#include <kernel/process.h>
#include <kernel/scheduler.h>
#include <kernel/scheduling_context.h>
#include <kernel/string.h>
#include <kernel/syscall.h>

// --- Information

// A receiver that waits alone says so until its state does.
static enum thread_state state_of(const struct thread *thread)
{
	return atomic_load(&thread->alone_at) ? THREAD_BLOCKED : thread_get_state(thread);
}

static uint64_t slice_remaining(const struct thread *thread)
{
	uint64_t now = arch_time_now();

	if (state_of(thread) != THREAD_RUNNING)
		return thread->slice_remaining;
	return cpus[thread->cpu].slice_end > now ? cpus[thread->cpu].slice_end - now : 0;
}

static void describe_wait(const struct thread *thread, struct thread_info *info)
{
	const struct wait_operations *operations = atomic_load(&thread->alone_at)
		? &ipc_receive_wait
		: __atomic_load_n(&thread->wait_operations, __ATOMIC_RELAXED);

	if ((info->state == THREAD_BLOCKED || info->state == THREAD_SLEEPING) && operations)
		memcpy(info->waits_for, operations->name, strnlen(operations->name, NAME_LENGTH - 1));
}

void thread_describe(struct thread *thread, struct thread_info *info)
{
	struct loan_chain chain;

	*info = (struct thread_info){0};
	scheduler_charge(thread);
	spin_lock(&thread->lock);
	chain = loan_follow(thread);
	memcpy(info->name, thread->name, NAME_LENGTH);
	info->id = thread->object.id;
	info->process_id = thread->process->object.id;
	info->state = state_of(thread);
	info->suspended = thread->suspended;
	info->priority = chain.priority;
	info->base_priority = thread->own_priority;
	info->context_id = thread->context ? thread->context->object.id : 0;
	info->payer_id = chain.payer->object.id;
	info->cpu = thread->cpu;
	info->affinity = thread->affinity;
	info->cpu_time = thread->cpu_time;
	info->slice_remaining = slice_remaining(thread);
	info->wake_time = thread->timeout.queue ? thread->timeout.deadline : DEADLINE_NEVER;
	info->stack_start = thread->user_stack;
	info->stack_end = thread->user_stack + thread->user_stack_size;
	info->exit_status = info->state >= THREAD_ZOMBIE ? thread->exit_status : 0;
	// Of a thread that runs on another CPU it is in a register there.
	if (thread == thread_current() || !atomic_load(&thread->on_cpu))
		info->tls_base = arch_tls_get(&thread->arch);
	describe_wait(thread, info);
	spin_unlock(&thread->lock);
}

struct syscall_result sys_thread_info(handle_t handle, struct thread_info __user *info)
{
	struct thread_info result;
	struct thread *thread;
	enum error error = thread_lookup(handle, RIGHT_READ, &thread);

	if (error)
		return SYSCALL_ERROR(error);
	thread_describe(thread, &result);
	return SYSCALL_ERROR(copy_to_user(info, &result, sizeof(result)));
}

// --- Registers

// Looks up a thread whose registers hold still, counted and locked: one that is suspended, or waits for the
// answer to its fault message. A suspended thread may take a moment to leave its CPU.
static enum error lookup_still(handle_t handle, rights_t needed, struct thread **found)
{
	struct thread *self = thread_current(), *thread;
	enum error error = thread_lookup(handle, needed, &thread);

	if (error)
		return error;
	if (thread == self || !object_try_get(&thread->object))
		return ERR_BAD_STATE;
	for (;;) {
		bool still;

		spin_lock(&thread->lock);
		still = thread->suspended || (thread->faulting && thread_get_state(thread) == THREAD_BLOCKED);
		if (still && !atomic_load(&thread->on_cpu) && thread_get_state(thread) < THREAD_ZOMBIE) {
			*found = thread;
			return ERR_OK;
		}
		spin_unlock(&thread->lock);
		// Two threads that suspend each other must not wait here for each other.
		if (!still || thread_get_state(thread) >= THREAD_ZOMBIE || self->suspended || self->killed)
			break;
		preemption_point();
	}
	object_put(&thread->object);
	return ERR_BAD_STATE;
}

static void unlock_still(struct thread *thread)
{
	spin_unlock(&thread->lock);
	object_put(&thread->object);
}

struct syscall_result sys_thread_read_registers(handle_t handle, struct registers __user *user_registers)
{
	struct registers registers;
	struct thread *thread;
	enum error error = lookup_still(handle, RIGHT_READ, &thread);

	if (error)
		return SYSCALL_ERROR(error);
	arch_registers_get(&thread->arch, &registers);
	unlock_still(thread);
	return SYSCALL_ERROR(copy_to_user(user_registers, &registers, sizeof(registers)));
}

struct syscall_result sys_thread_write_registers(
	handle_t handle, const struct registers __user *user_registers)
{
	struct registers registers;
	struct thread *thread;
	enum error error = copy_from_user(&registers, user_registers, sizeof(registers));

	if (!error)
		error = lookup_still(handle, RIGHT_CONTROL, &thread);
	if (error)
		return SYSCALL_ERROR(error);
	if (!arch_registers_set(&thread->arch, &registers))
		error = ERR_INVALID_ARGUMENT;
	unlock_still(thread);
	return SYSCALL_ERROR(error);
}

struct syscall_result sys_thread_set_tls(handle_t handle, uint64_t base)
{
	struct thread *thread;
	enum error error = thread_lookup(handle, RIGHT_CONTROL, &thread);

	if (!error && base >= ARCH_USER_END)
		error = ERR_INVALID_ARGUMENT;
	if (error)
		return SYSCALL_ERROR(error);
	if (thread == thread_current()) {
		arch_tls_set(&thread->arch, base);
		return SYSCALL_OK;
	}
	error = lookup_still(handle, RIGHT_CONTROL, &thread);
	if (error)
		return SYSCALL_ERROR(error);
	arch_tls_set(&thread->arch, base);
	unlock_still(thread);
	return SYSCALL_OK;
}

// --- Floating point: copied by way of the stack, since user memory may fault in the middle of it.

#define FPU_SIZE_MAX 1024

struct syscall_result sys_thread_read_fpu(void __user *buffer, uint64_t length)
{
	size_t size = arch_fpu_size();
	char state[FPU_SIZE_MAX];
	enum error error;

	assert(size <= sizeof(state));
	if (length == 0)
		return SYSCALL_VALUE(size);
	if (length < size)
		return SYSCALL_ERROR(ERR_TOO_LONG);
	arch_fpu_get(&thread_current()->arch, state);
	error = copy_to_user(buffer, state, size);
	return error ? SYSCALL_ERROR(error) : SYSCALL_VALUE(size);
}

struct syscall_result sys_thread_write_fpu(const void __user *buffer, uint64_t length)
{
	char state[FPU_SIZE_MAX];
	enum error error;

	if (length == 0) {
		arch_fpu_reset(&thread_current()->arch);
		return SYSCALL_OK;
	}
	if (length != arch_fpu_size())
		return SYSCALL_ERROR(ERR_INVALID_ARGUMENT);
	error = copy_from_user(state, buffer, length);
	if (!error && !arch_fpu_set(&thread_current()->arch, state))
		error = ERR_INVALID_ARGUMENT;
	return SYSCALL_ERROR(error);
}

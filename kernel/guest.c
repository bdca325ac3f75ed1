// SPDX-License-Identifier: MIT
//
// Guests: a personality thread runs foreign code in another address space until it makes a system call,
// faults, or the thread is kicked. While the guest runs, the thread's frame holds the guest's registers and
// host_registers those of the personality's that a system call preserves.

#include <arch/thread.h>
#include <kernel/address_space.h>
#include <kernel/assert.h>
#include <kernel/cpu.h>
#include <kernel/ipc.h>
#include <kernel/memory.h>
#include <kernel/process.h>
#include <kernel/scheduler.h>
#include <kernel/scheduling_context.h>
#include <kernel/syscall.h>
#include <kernel/trace.h>

_Static_assert(sizeof(struct guest_state) <= PAGE_SIZE, "the state page is one page");

struct address_space *thread_space(const struct thread *thread)
{
	if (thread->in_guest)
		return thread->guest_space;
	return thread->process ? thread->process->space : NULL;
}

// --- Binding

// Makes the state page and maps it into the personality.
static enum error map_state(struct thread *thread, uint64_t address)
{
	struct process *process = thread->process;
	struct map_request request = {
		.length = PAGE_SIZE,
		.address = address,
		.flags = MAPPING_READ | MAPPING_WRITE | MAPPING_FIXED | MAPPING_SHARED,
	};
	struct memory *memory;
	enum memory_result result;
	bool writable;
	vaddr_t mapped;
	paddr_t frame;
	enum error error;

	memory = memory_create(process->account, PAGE_SIZE, MEMORY_RESIDENT);
	if (memory == NULL)
		return ERR_NO_MEMORY;
	error = address_space_map(process->space, memory, &request, MAPPING_READ | MAPPING_WRITE, &mapped);
	if (error) {
		object_put(&memory->object);
		return error;
	}
	spin_lock(&memory->lock);
	result = memory_get_page(memory, 0, true, &frame, &writable);
	spin_unlock(&memory->lock);
	assert(result == MEMORY_OK);
	thread->guest_memory = memory;
	thread->guest_state = phys_to_virt(frame);
	thread->guest_state_address = address;
	return ERR_OK;
}

static void set_space(struct thread *thread, struct address_space *space)
{
	if (thread->guest_space)
		object_put(&thread->guest_space->object);
	thread->guest_space = space;
}

// Ends the binding. What goes with the process's whole space is left to that.
static void unbind(struct thread *thread)
{
	struct memory *memory = thread->guest_memory;

	set_space(thread, NULL);
	if (memory == NULL)
		return;
	thread->guest_state = NULL;
	thread->guest_memory = NULL;
	if (!thread->process->exiting)
		address_space_unmap(thread->process->space, thread->guest_state_address, PAGE_SIZE);
	object_put(&memory->object);
}

struct syscall_result sys_guest_bind(handle_t handle, uint64_t state_address)
{
	struct thread *thread = thread_current();
	struct address_space *space;
	struct capability capability;
	enum error error;

	if (handle == HANDLE_NONE) {
		unbind(thread);
		return SYSCALL_OK;
	}
	error = capability_lookup(handle, OBJECT_ADDRESS_SPACE, RIGHT_MAP, &capability);
	if (error)
		return SYSCALL_ERROR(error);
	space = container_of(capability.object, struct address_space, object);
	if (space == thread->process->space || state_address == 0 || state_address % PAGE_SIZE != 0 ||
		(thread->guest_state && state_address != thread->guest_state_address))
		return SYSCALL_ERROR(ERR_INVALID_ARGUMENT);
	if (!object_try_get(&space->object))
		return SYSCALL_ERROR(ERR_BAD_HANDLE);
	if (thread->guest_state == NULL)
		error = map_state(thread, state_address);
	if (error) {
		object_put(&space->object);
		return SYSCALL_ERROR(error);
	}
	set_space(thread, space);
	return SYSCALL_OK;
}

// --- Entry and exit

static bool take_kick(struct thread *thread)
{
	return atomic_exchange(&thread->kicked, false);
}

// Goes to user mode with what the frame has, at once if nothing is to be done first; else the way out of the
// kernel does it.
static void go_on(struct thread *thread)
{
	struct cpu *cpu = cpu_self();

	if (trace_enabled || atomic_load(&cpu->work) != 0) {
		cpu_set_work(cpu);
		return;
	}
	cpu->direct_calls = thread->in_guest ? 0 : SYSCALL_TABLE_SIZE;
	arch_enter_user(&thread->arch);
}

struct syscall_result sys_guest_enter(void)
{
	struct thread *thread = thread_current();

	if (thread->guest_space == NULL)
		return SYSCALL_ERROR(ERR_BAD_STATE);
	if (take_kick(thread)) {
		thread->guest_state->reason = GUEST_EXIT_KICKED;
		return SYSCALL_VALUE(GUEST_EXIT_KICKED);
	}
	arch_preserved_get(&thread->arch, &thread->host_registers);
	if (!arch_registers_set(&thread->arch, &thread->guest_state->registers))
		return SYSCALL_ERROR(ERR_INVALID_ARGUMENT);
	thread->in_guest = true;
	address_space_switch(thread->guest_space);
	// The frame is the guest's now: all of it is to be loaded, and no results are to be set.
	go_on(thread);
	return SYSCALL_BLOCKED;
}

static void leave(struct thread *thread, enum guest_exit_reason reason)
{
	struct guest_state *state = thread->guest_state;

	assert(thread->in_guest);
	arch_registers_get(&thread->arch, &state->registers);
	state->reason = reason;
	thread->in_guest = false;
	arch_preserved_set(&thread->arch, &thread->host_registers);
	address_space_switch(thread->process->space);
	arch_syscall_set_result(&thread->arch, SYSCALL_VALUE(reason));
}

void guest_exit_syscall(struct thread *thread)
{
	leave(thread, GUEST_EXIT_SYSCALL);
	go_on(thread);
}

void guest_exit_fault(struct thread *thread, const struct fault *fault)
{
	struct guest_state *state = thread->guest_state;

	state->fault_kind = fault->kind;
	state->fault_address = fault->address;
	state->fault_access = fault->access;
	state->isa_code = fault->isa_code;
	leave(thread, GUEST_EXIT_FAULT);
}

void guest_exit_kicked(struct thread *thread)
{
	if (take_kick(thread))
		leave(thread, GUEST_EXIT_KICKED);
}

// --- Kicks

static bool is_interruptible(const struct thread *thread)
{
	// Read once: the thread may be unbinding.
	const struct guest_state *state = __atomic_load_n(&thread->guest_state, __ATOMIC_SEQ_CST);

	return state && __atomic_load_n(&state->interruptible, __ATOMIC_SEQ_CST) != 0;
}

// A guest waits for nothing but a pager; when that has ended, the kick ends guest mode.
void guest_check_kick(struct thread *thread)
{
	uint64_t number = thread_wait_number(thread);
	// Where they are not that wait's, it is over.
	const struct wait_operations *operations = __atomic_load_n(
		&thread->wait_operations, __ATOMIC_RELAXED);

	if (!atomic_load(&thread->kicked) || operations == &budget_wait)
		return;
	if (thread->in_guest)
		thread_abort_wait_number(thread, number, ERR_CANCELLED);
	else if (is_interruptible(thread) && thread_abort_wait_number(thread, number, ERR_CANCELLED))
		take_kick(thread);
}

struct syscall_result sys_guest_kick(handle_t handle)
{
	struct capability capability;
	struct thread *thread;
	enum error error = capability_lookup(handle, OBJECT_THREAD, RIGHT_CONTROL, &capability);

	if (error)
		return SYSCALL_ERROR(error);
	thread = container_of(capability.object, struct thread, object);
	if (thread_get_state(thread) == THREAD_ZOMBIE || thread_get_state(thread) == THREAD_DEAD)
		return SYSCALL_ERROR(ERR_BAD_STATE);
	atomic_store(&thread->kicked, true);
	guest_check_kick(thread);
	scheduler_poke(thread);
	return SYSCALL_OK;
}

void guest_thread_exit(struct thread *thread)
{
	thread->in_guest = false;
	unbind(thread);
}

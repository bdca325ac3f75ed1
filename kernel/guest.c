// SPDX-License-Identifier: MIT
//
// Guests: a personality thread runs foreign code in another address space until it makes a system call,
// faults, or the thread is kicked. While the guest runs, the thread's frame is one below that of the personality's
// guest_enter, which stays as it is until the guest stops.
//
// The ISA carries the guest's registers straight between the CPU and the state page (arch_guest_enter, and the
// entry of system calls where thread->guest is set); what is unusual goes by way of the frame and trap_exit.

#include <arch/thread.h>
#include <kernel/address_space.h>
#include <kernel/assert.h>
#include <kernel/cpu.h>
#include <kernel/ipc.h>
#include <kernel/latency.h>
#include <kernel/memory.h>
#include <kernel/process.h>
#include <kernel/scheduler.h>
#include <kernel/scheduling_context.h>
#include <kernel/syscall.h>
#include <kernel/trap.h>

_Static_assert(sizeof(struct guest_state) <= PAGE_SIZE, "the state page is one page");

#ifdef ARCH_SPACE_ARCH
_Static_assert(offsetof(struct address_space, arch) == ARCH_SPACE_ARCH, "isa/layout.h");
#endif

struct address_space *thread_space(const struct thread *thread)
{
	if (thread->guest)
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
	if (space->of_process || state_address == 0 || state_address % PAGE_SIZE != 0 ||
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

// To user mode by the general way, with all of the frame.
static _Noreturn void go_on(struct thread *thread)
{
	trap_exit();
	arch_enter_user(&thread->arch);
}

static _Noreturn void answer(struct thread *thread, struct syscall_result result)
{
	arch_syscall_set_result(&thread->arch, result);
	go_on(thread);
}

// The frame and the TLS bases have been switched.
static inline void switch_to_guest(struct cpu *cpu, struct thread *thread, struct guest_state *state)
{
	thread->guest = state;
	cpu->direct_calls = 0;
	address_space_load(cpu, thread->guest_space);
}

static inline void switch_to_personality(struct cpu *cpu, struct thread *thread)
{
	thread->guest = NULL;
	cpu->direct_calls = direct_calls_limit;
	address_space_load(cpu, thread->process->space);
}

static __attribute__((noinline)) void end(struct cpu *cpu, struct thread *thread)
{
	arch_guest_end(&cpu->arch, &thread->arch);
	switch_to_personality(cpu, thread);
}

static __attribute__((noinline)) _Noreturn void begin(struct cpu *cpu, struct thread *thread)
{
	struct guest_state *state = thread->guest_state;

	if (state == NULL)
		answer(thread, SYSCALL_ERROR(ERR_BAD_STATE));
	if (take_kick(thread)) {
		state->reason = GUEST_EXIT_KICKED;
		answer(thread, SYSCALL_VALUE(GUEST_EXIT_KICKED));
	}
	arch_guest_begin(&cpu->arch, &thread->arch);
	switch_to_guest(cpu, thread, state);
	if (arch_registers_set(&thread->arch, &state->registers))
		go_on(thread);
	end(cpu, thread);
	answer(thread, SYSCALL_ERROR(ERR_INVALID_ARGUMENT));
}

struct syscall_result sys_guest_enter(void)
{
	return arch_guest_enter();
}

// Tells whose registers the ISA loads.
__attribute__((flatten)) const struct registers *guest_begin(void)
{
	struct cpu *cpu = cpu_self();
	struct thread *thread = cpu->current;
	struct guest_state *state = thread->guest_state;

	if (LATENCY_MEASURED || state == NULL ||
		(atomic_load_explicit(&cpu->work, memory_order_relaxed) |
			atomic_load_explicit(&thread->kicked, memory_order_relaxed)) != 0 ||
		!arch_guest_begin_directly(&cpu->arch, &thread->arch, &state->registers))
		begin(cpu, thread);
	switch_to_guest(cpu, thread, state);
	return &state->registers;
}

__attribute__((flatten)) void guest_end(void)
{
	struct cpu *cpu = cpu_self();
	struct thread *thread = cpu->current;

	arch_guest_end_directly(&cpu->arch, &thread->arch, &thread->guest->registers);
	switch_to_personality(cpu, thread);
}

static _Noreturn void leave(struct thread *thread, enum guest_exit_reason reason)
{
	struct guest_state *state = thread->guest;

	arch_registers_get(&thread->arch, &state->registers);
	state->reason = reason;
	end(cpu_self(), thread);
	answer(thread, SYSCALL_VALUE(reason));
}

void guest_exit_fault(struct thread *thread, const struct fault *fault)
{
	struct guest_state *state = thread->guest;

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
	const struct wait_operations *operations;
	uint64_t number;

	if (!atomic_load(&thread->kicked))
		return;
	ipc_wait_in_list(thread);
	number = thread_wait_number(thread);
	// Where they are not that wait's, it is over.
	operations = __atomic_load_n(&thread->wait_operations, __ATOMIC_RELAXED);
	// Still kicked in that wait, not in one before.
	if (!atomic_load(&thread->kicked) || operations == &budget_wait)
		return;
	if (thread->guest) {
		thread_abort_wait_number(thread, number, ERR_CANCELLED);
	} else if (is_interruptible(thread) && thread_leave_wait_number(thread, number)) {
		// Taken before it runs: a kick that comes later is for what it does then.
		take_kick(thread);
		thread_wake(thread);
	}
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
	// In this order: a direct switch says that the thread waits, and then looks at the work that this gives its CPU.
	scheduler_poke(thread);
	guest_check_kick(thread);
	return SYSCALL_OK;
}

void guest_thread_exit(struct thread *thread)
{
	thread->guest = NULL;
	unbind(thread);
}

// SPDX-License-Identifier: MIT
//
// Threads: how they are made, started, suspended and told to end.

#include <arch/thread.h>
#include <kernel/address_space.h>
#include <kernel/assert.h>
#include <kernel/cache.h>
#include <kernel/cpu.h>
#include <kernel/endpoint.h>
#include <kernel/ipc.h>
#include <kernel/memory.h>
#include <kernel/process.h>
#include <kernel/scheduler.h>
#include <kernel/scheduling_context.h>
#include <kernel/string.h>
#include <kernel/thread.h>

#define KERNEL_STACK_SIZE_DEFAULT ((size_t)16 * 1024)

static struct object_cache thread_cache = OBJECT_CACHE_INITIALIZER(thread_cache, "thread", struct thread);

void thread_resume_user(void)
{
	scheduler_finish_switch();
	trap_exit_switched();
	arch_enter_user(&thread_current()->arch);
}

static void expire(struct timeout *timeout)
{
	// Whoever goes on with a claimed wait begins it, and then looks whether the time-out is in no queue any more.
	atomic_thread_fence(memory_order_seq_cst);
	thread_abort_wait(container_of(timeout, struct thread, timeout), ERR_TIMED_OUT);
}

// --- What a thread is made of

// The user stack: where none is given, one is mapped, with a guard page below.
static enum error map_user_stack(
	struct thread *thread, struct address_space *space, const struct thread_attributes *attributes)
{
	uint64_t size = attributes->stack_size ? attributes->stack_size : THREAD_STACK_SIZE_DEFAULT;
	struct map_request request = {.length = size + PAGE_SIZE, .flags = MAPPING_READ | MAPPING_WRITE};
	vaddr_t address;
	enum error error;

	if (attributes->stack_pointer) {
		thread->user_stack_size = attributes->stack_size;
		thread->user_stack = attributes->stack_size ? attributes->stack_pointer - size : 0;
		return ERR_OK;
	}
	error = address_space_map(space, NULL, &request, MAPPING_READ | MAPPING_WRITE, &address);
	if (error)
		return error;
	thread->user_stack = address + PAGE_SIZE;
	thread->user_stack_size = size;
	thread->user_stack_mapped = true;
	request = (struct map_request){.address = address,
		.length = PAGE_SIZE,
		.flags = MAPPING_GUARD | MAPPING_FIXED | MAPPING_REPLACE};
	return address_space_map(space, NULL, &request, 0, &address);
}

static enum error map_message_buffer(struct thread *thread, struct address_space *space, uint64_t address)
{
	struct map_request request = {
		.address = address,
		.length = PAGE_SIZE,
		.flags = MAPPING_READ | MAPPING_WRITE | MAPPING_SHARED | MAPPING_FIXED,
	};
	enum memory_result result;
	enum error error;
	vaddr_t mapped;
	paddr_t frame;
	bool writable;

	if (address == 0)
		return ERR_OK;
	thread->message_memory = memory_create(thread->object.account, PAGE_SIZE, MEMORY_RESIDENT);
	if (thread->message_memory == NULL)
		return ERR_NO_MEMORY;
	error = address_space_map(
		space, thread->message_memory, &request, MAPPING_READ | MAPPING_WRITE, &mapped);
	if (error)
		return error;
	thread->message_address = mapped;
	spin_lock(&thread->message_memory->lock);
	result = memory_get_page(thread->message_memory, 0, true, &frame, &writable);
	spin_unlock(&thread->message_memory->lock);
	if (result != MEMORY_OK)
		return ERR_NO_MEMORY;
	thread->message_buffer = phys_to_virt(frame);
	return ERR_OK;
}

void thread_unmap(struct thread *thread, struct address_space *space)
{
	if (thread->message_address)
		address_space_unmap(space, thread->message_address, PAGE_SIZE);
	if (thread->user_stack_mapped)
		address_space_unmap(
			space, thread->user_stack - PAGE_SIZE, thread->user_stack_size + PAGE_SIZE);
	thread->message_address = 0;
	thread->user_stack_mapped = false;
}

static void set_defaults(struct thread *thread, const struct thread_attributes *attributes)
{
	memcpy(thread->name, attributes->name, NAME_LENGTH);
	spin_init(&thread->lock, RANK_THREAD);
	list_init(&thread->process_link);
	list_init(&thread->run_link);
	list_init(&thread->wait_link);
	list_init(&thread->inheritance.unsettled);
	derivation_init_alone(&thread->queued);
	binding_init(&thread->watch);
	binding_init(&thread->answer_watch);
	atomic_init(&thread->state, THREAD_CREATING);
	thread->timeout.expire = expire;
	thread->timeout.deadline = DEADLINE_NEVER;
	thread->base_priority = (uint8_t)(attributes->priority ? attributes->priority
							       : THREAD_PRIORITY_DEFAULT);
	thread->own_priority = thread->base_priority;
	thread->priority = thread->base_priority;
	thread->affinity = attributes->affinity ? attributes->affinity : UINT64_MAX;
	thread->suspended = (attributes->flags & THREAD_SUSPENDED) != 0;
	atomic_init(&thread->hindrances,
		(thread->suspended ? HINDRANCE_SUSPENDED : 0) |
			(arch_can_switch_directly() ? 0 : HINDRANCE_ISA));
	thread->call_target.slot = &capability_none;
	thread->receive_target.slot = &capability_none;
	thread->signal_target.slot = &capability_none;
	thread->wait_target.slot = &capability_none;
	thread->clear_tid_address = attributes->clear_tid_address;
	thread->kernel_stack_size = attributes->kernel_stack_size ? attributes->kernel_stack_size
								  : KERNEL_STACK_SIZE_DEFAULT;
}

static enum error build(
	struct thread *thread, struct address_space *space, const struct thread_attributes *attributes)
{
	uint64_t stack_pointer = attributes->stack_pointer;
	enum error error;

	thread->kernel_stack = kernel_stack_allocate(thread->object.account, thread->kernel_stack_size);
	if (thread->kernel_stack == 0)
		return ERR_NO_MEMORY;
	error = map_message_buffer(thread, space, attributes->message_buffer);
	if (!error)
		error = map_user_stack(thread, space, attributes);
	if (error)
		return error;
	if (stack_pointer == 0)
		stack_pointer = thread->user_stack + thread->user_stack_size - ARCH_CALL_BIAS;
	arch_thread_init(&thread->arch, thread->kernel_stack + thread->kernel_stack_size, attributes->entry,
		stack_pointer, attributes->argument, attributes->tls_base);
	arch_thread_reset_context(&thread->arch, thread_resume_user);
	return ERR_OK;
}

enum error thread_create(struct process *process, const struct thread_attributes *attributes,
	struct endpoint *fault_endpoint, uint64_t fault_badge, struct thread **created)
{
	struct address_space *space = process_get_space(process);
	struct thread *thread;
	enum error error;

	if (space == NULL)
		return ERR_BAD_STATE;
	thread = object_create(OBJECT_THREAD, process->account);
	if (thread == NULL) {
		object_put(&space->object);
		return ERR_NO_MEMORY;
	}
	set_defaults(thread, attributes);
	if (fault_endpoint && object_try_get(&fault_endpoint->object))
		thread->fault_endpoint = fault_endpoint;
	thread->fault_badge = fault_badge;
	scheduling_context_inherit(thread);
	error = build(thread, space, attributes);
	if (!error)
		error = process_add_thread(process, thread);
	if (error) {
		thread_unmap(thread, space);
		object_put(&thread->object);
	} else {
		*created = thread;
	}
	object_put(&space->object);
	return error;
}

static void destroy(struct object *object)
{
	struct thread *thread = container_of(object, struct thread, object);

	assert(thread_get_state(thread) != THREAD_BLOCKED); // a binding relies on it: see struct caller
	// A CPU that turns to it says so before it looks whether it has ended.
	atomic_thread_fence(memory_order_seq_cst);
	if (scheduler_is_payer(thread))
		scheduler_forget_payer(thread);
	if (thread->kernel_stack)
		kernel_stack_free(object->account, thread->kernel_stack, thread->kernel_stack_size);
	if (thread->fault_endpoint)
		object_put(&thread->fault_endpoint->object);
	if (thread->message_memory)
		object_put(&thread->message_memory->object);
	assert(thread->watch.notification == NULL);
	if (thread->context)
		object_put(&thread->context->object);
	if (thread->process)
		object_put(&thread->process->object);
}

const struct object_operations thread_operations = {
	.name = "thread",
	.cache = &thread_cache,
	.offset = offsetof(struct thread, object),
	.revoke_kept = binding_revoke_kept,
	.destroy = destroy,
};

// --- Starting, suspending, ending

static void set_ready(struct thread *thread)
{
	uint64_t word = atomic_load_explicit(&thread->state, memory_order_relaxed);

	atomic_store(&thread->state, (word & ~(uint64_t)0xff) | THREAD_READY);
}

void thread_start(struct thread *thread)
{
	spin_lock(&thread->lock);
	assert(thread_get_state(thread) == THREAD_CREATING);
	set_ready(thread);
	scheduler_place(thread);
	if (thread->suspended && !thread->killed)
		thread->parked = true;
	else
		scheduler_enqueue(thread);
	spin_unlock(&thread->lock);
}

void thread_suspend(struct thread *thread)
{
	spin_lock(&thread->lock);
	thread->suspended = true;
	thread_hinder(thread, HINDRANCE_SUSPENDED);
	spin_unlock(&thread->lock);
	scheduler_poke_and_wait(thread);
}

// The thread's lock is held.
static void unpark(struct thread *thread)
{
	if (thread->parked) {
		thread->parked = false;
		scheduler_enqueue(thread);
	}
}

void thread_resume(struct thread *thread)
{
	spin_lock(&thread->lock);
	thread->suspended = false;
	thread_unhinder(thread, HINDRANCE_SUSPENDED);
	unpark(thread);
	spin_unlock(&thread->lock);
}

void thread_park_current(void)
{
	struct thread *thread = thread_current();

	spin_lock(&thread->lock);
	if (thread->suspended && !thread->killed) {
		set_ready(thread);
		thread->parked = true;
		cpu_self()->blocked = true;
	}
	spin_unlock(&thread->lock);
}

static void mark_killed(struct thread *thread, uint64_t status)
{
	spin_lock(&thread->lock);
	if (!thread->killed) {
		thread->exit_status = status;
		atomic_store(&thread->killed, true);
		thread_hinder(thread, HINDRANCE_KILLED);
		unpark(thread);
	}
	// Its end must not wait for what runs between it and whoever ends it; what it inherits may be gone before that.
	if (thread->own_priority < thread_current()->base_priority)
		scheduler_set_priority(thread, thread_current()->base_priority, thread->inherited_priority);
	spin_unlock(&thread->lock);
}

void thread_terminate(struct thread *thread, uint64_t status)
{
	mark_killed(thread, status);
	thread_abort_wait(thread, ERR_CANCELLED);
	scheduler_poke(thread);
}

void thread_kill(struct thread *thread, uint64_t status)
{
	mark_killed(thread, status);
	if (thread_end_waiting(thread))
		return;
	thread_abort_wait(thread, ERR_CANCELLED);
	scheduler_poke_and_wait(thread);
	// The fast path may have let it wait meanwhile.
	thread_abort_wait(thread, ERR_CANCELLED);
}

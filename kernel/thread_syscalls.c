// SPDX-License-Identifier: MIT
//
// System calls on threads: making, ending, waiting for them, attributes.

#include <arch/thread.h>
#include <arch/time.h>
#include <kernel/assert.h>
#include <kernel/cpu.h>
#include <kernel/endpoint.h>
#include <kernel/ipc.h>
#include <kernel/process.h>
#include <kernel/scheduler.h>
#include <kernel/string.h>
#include <kernel/syscall.h>

#define USER_STACK_MAX ((uint64_t)1 << 36)

static bool is_user_address(uint64_t address)
{
	return address >= ARCH_USER_START && address < ARCH_USER_END;
}

static uint64_t online_cpus(void)
{
	uint64_t mask = 0;

	for (unsigned i = 0; i < cpu_count; i++)
		if (cpus[i].online)
			mask |= (uint64_t)1 << i;
	return mask;
}

static bool has_ended(const struct thread *thread)
{
	return thread_get_state(thread) >= THREAD_ZOMBIE;
}

enum error thread_lookup(handle_t handle, rights_t needed, struct thread **thread)
{
	struct capability capability;
	enum error error;

	if (handle == HANDLE_SELF) {
		*thread = thread_current();
		return ERR_OK;
	}
	error = capability_lookup(handle, OBJECT_THREAD, needed, &capability);
	if (!error)
		*thread = container_of(capability.object, struct thread, object);
	return error;
}

// --- Making

static bool stacks_are_valid(const struct thread_attributes *attributes)
{
	uint64_t user = attributes->stack_size, kernel = attributes->kernel_stack_size;

	if (user % PAGE_SIZE != 0 || user > USER_STACK_MAX || kernel % PAGE_SIZE != 0)
		return false;
	if (kernel != 0 && (kernel < THREAD_KERNEL_STACK_MIN || kernel > THREAD_KERNEL_STACK_MAX))
		return false;
	if (attributes->stack_pointer == 0)
		return true;
	return attributes->stack_pointer <= ARCH_USER_END && attributes->stack_pointer > user;
}

static bool addresses_are_valid(const struct thread_attributes *attributes)
{
	uint64_t clear_tid = attributes->clear_tid_address, buffer = attributes->message_buffer;

	return is_user_address(attributes->entry) && attributes->tls_base < ARCH_USER_END &&
		(clear_tid == 0 || (is_user_address(clear_tid) && clear_tid % sizeof(uint32_t) == 0)) &&
		(buffer == 0 || (is_user_address(buffer) && buffer % PAGE_SIZE == 0));
}

// Checks the attributes and fills in the defaults that depend on the creator.
static enum error check_attributes(struct thread_attributes *attributes)
{
	uint32_t own = thread_current()->own_priority;

	if (strnlen(attributes->name, NAME_LENGTH) == NAME_LENGTH ||
		(attributes->flags & ~THREAD_SUSPENDED) || attributes->priority > own ||
		!stacks_are_valid(attributes) || !addresses_are_valid(attributes))
		return ERR_INVALID_ARGUMENT;
	if (attributes->affinity != 0 && !(attributes->affinity & online_cpus()))
		return ERR_INVALID_ARGUMENT;
	if (attributes->priority == 0)
		attributes->priority = own < THREAD_PRIORITY_DEFAULT ? own : THREAD_PRIORITY_DEFAULT;
	return ERR_OK;
}

static enum error lookup_fault_endpoint(handle_t handle, struct endpoint **endpoint, uint64_t *badge)
{
	struct capability capability;
	enum error error;

	*endpoint = NULL;
	*badge = 0;
	if (handle == HANDLE_NONE)
		return ERR_OK;
	error = capability_lookup(handle, OBJECT_ENDPOINT, RIGHT_SEND, &capability);
	if (error)
		return error;
	*endpoint = container_of(capability.object, struct endpoint, object);
	*badge = capability.badge;
	return ERR_OK;
}

static struct syscall_result create_in(struct process *process, const struct thread_attributes *attributes)
{
	struct capability_table *table = &thread_current()->process->table;
	struct endpoint *fault_endpoint;
	struct thread *thread;
	uint64_t badge;
	handle_t handle;
	enum error error;

	error = lookup_fault_endpoint(attributes->fault_endpoint, &fault_endpoint, &badge);
	if (!error)
		error = capability_reserve(table, &handle);
	if (error)
		return SYSCALL_ERROR(error);
	error = thread_create(process, attributes, fault_endpoint, badge, &thread);
	if (error) {
		capability_cancel(table, handle);
		return SYSCALL_ERROR(error);
	}
	capability_install(table, handle, &thread->object, RIGHTS_ALL);
	thread_start(thread);
	object_put(&thread->object);
	return SYSCALL_VALUE(handle);
}

struct syscall_result sys_thread_create(
	handle_t process_handle, const struct thread_attributes __user *user_attributes)
{
	struct thread_attributes attributes;
	struct process *process;
	struct syscall_result result;
	enum error error = copy_from_user(&attributes, user_attributes, sizeof(attributes));

	if (!error)
		error = process_lookup(process_handle, RIGHT_CONTROL, &process);
	if (!error)
		error = check_attributes(&attributes);
	if (!error && !object_try_get(&process->object))
		error = ERR_BAD_HANDLE;
	if (error)
		return SYSCALL_ERROR(error);
	result = create_in(process, &attributes);
	object_put(&process->object);
	return result;
}

// --- Ending

struct syscall_result sys_thread_exit(uint64_t status)
{
	thread_terminate(thread_current(), status);
	return SYSCALL_OK;
}

struct syscall_result sys_thread_kill(handle_t handle, uint64_t status)
{
	struct thread *thread;
	enum error error = thread_lookup(handle, RIGHT_KILL, &thread);

	if (!error && has_ended(thread))
		error = ERR_BAD_STATE;
	if (!error && !object_try_get(&thread->object))
		error = ERR_BAD_HANDLE;
	if (error)
		return SYSCALL_ERROR(error);
	thread_kill(thread, status);
	object_put(&thread->object);
	return SYSCALL_OK;
}

static void cancel_join(struct thread *joiner)
{
	struct thread *thread = joiner->wait_object;

	spin_lock(&thread->lock);
	thread->joiner = NULL;
	spin_unlock(&thread->lock);
	object_put(&thread->object);
}

static const struct wait_operations join_wait = {"join", cancel_join, NULL};

static struct syscall_result join(struct thread *thread, uint64_t deadline)
{
	ASSERT_LOCK_HELD(&thread->lock);
	if (thread->detached || thread->joiner || thread_get_state(thread) == THREAD_DEAD)
		return SYSCALL_ERROR(ERR_BAD_STATE);
	if (thread_get_state(thread) == THREAD_ZOMBIE) {
		atomic_store(&thread->state, THREAD_DEAD);
		return SYSCALL_VALUE(thread->exit_status);
	}
	// Whoever ends the wait gives this reference up.
	object_get(&thread->object);
	thread->joiner = thread_current();
	thread_prepare_wait(&join_wait, thread, THREAD_BLOCKED, deadline);
	return SYSCALL_BLOCKED;
}

struct syscall_result sys_thread_join(handle_t handle, uint64_t deadline)
{
	struct syscall_result result;
	struct thread *thread;
	enum error error = thread_lookup(handle, RIGHT_READ, &thread);

	if (!error && thread == thread_current())
		error = ERR_BAD_STATE;
	if (!error && !object_try_get(&thread->object))
		error = ERR_BAD_HANDLE;
	if (error)
		return SYSCALL_ERROR(error);
	spin_lock(&thread->lock);
	result = join(thread, deadline);
	spin_unlock(&thread->lock);
	object_put(&thread->object);
	return result;
}

struct syscall_result sys_thread_detach(handle_t handle)
{
	struct thread *thread;
	enum error error = thread_lookup(handle, RIGHT_CONTROL, &thread);

	if (error)
		return SYSCALL_ERROR(error);
	spin_lock(&thread->lock);
	if (thread->detached || thread->joiner || thread_get_state(thread) == THREAD_DEAD)
		error = ERR_BAD_STATE;
	else
		thread->detached = true;
	if (!error && thread_get_state(thread) == THREAD_ZOMBIE)
		atomic_store(&thread->state, THREAD_DEAD);
	spin_unlock(&thread->lock);
	return SYSCALL_ERROR(error);
}

struct syscall_result sys_thread_watch(handle_t handle, handle_t notification, uint64_t bits)
{
	struct capability holder, found;
	struct notification *previous;
	struct thread *thread;
	bool ended;
	enum error error = thread_lookup(handle, RIGHT_BIND, &thread);

	if (!error)
		error = binding_lookup(notification, bits, &found);
	if (error)
		return SYSCALL_ERROR(error);
	holder = binding_holder(handle, &thread->object);
	spin_lock(&thread->lock);
	ended = has_ended(thread);
	previous = ended ? binding_notification(&found)
			 : binding_replace(&thread->watch, &thread->object, &holder, &found, bits);
	spin_unlock(&thread->lock);
	if (ended && previous)
		notification_signal(previous, bits);
	if (previous)
		object_put(&previous->object);
	return SYSCALL_OK;
}

// --- Scheduling

// Looks up a thread that must not have ended.
static enum error lookup_alive(handle_t handle, rights_t needed, struct thread **thread)
{
	enum error error = thread_lookup(handle, needed, thread);

	return !error && has_ended(*thread) ? ERR_BAD_STATE : error;
}

struct syscall_result sys_thread_suspend(handle_t handle)
{
	struct thread *thread;
	enum error error = lookup_alive(handle, RIGHT_CONTROL, &thread);

	if (!error && !object_try_get(&thread->object))
		error = ERR_BAD_HANDLE;
	if (error)
		return SYSCALL_ERROR(error);
	thread_suspend(thread);
	object_put(&thread->object);
	return SYSCALL_OK;
}

struct syscall_result sys_thread_resume(handle_t handle)
{
	struct thread *thread;
	enum error error = lookup_alive(handle, RIGHT_CONTROL, &thread);

	if (!error)
		thread_resume(thread);
	return SYSCALL_ERROR(error);
}

struct syscall_result sys_thread_yield(void)
{
	scheduler_yield();
	return SYSCALL_OK;
}

// A sleep that ends at its time has done what it was to do.
static void fail_sleep(struct thread *thread, enum error error)
{
	arch_syscall_set_result(&thread->arch, SYSCALL_ERROR(error == ERR_TIMED_OUT ? ERR_OK : error));
}

static const struct wait_operations sleep_wait = {"sleep", NULL, fail_sleep};

struct syscall_result sys_thread_sleep(uint64_t deadline)
{
	if (deadline <= arch_time_now())
		return SYSCALL_OK;
	thread_prepare_wait(&sleep_wait, NULL, THREAD_SLEEPING, deadline);
	return SYSCALL_BLOCKED;
}

struct syscall_result sys_thread_set_priority(handle_t handle, uint32_t priority)
{
	struct thread *thread;
	bool changed;
	enum error error = lookup_alive(handle, RIGHT_CONTROL, &thread);

	if (!error && (priority == 0 || priority > THREAD_PRIORITY_MAX))
		error = ERR_INVALID_ARGUMENT;
	if (!error && priority > thread_current()->own_priority)
		error = ERR_NO_RIGHTS;
	if (error)
		return SYSCALL_ERROR(error);
	spin_lock(&thread->lock);
	changed = scheduler_set_priority(thread, (uint8_t)priority, thread->inherited_priority);
	spin_unlock(&thread->lock);
	if (changed) {
		futex_priority_changed(thread);
		ipc_priority_changed(thread);
	}
	return SYSCALL_OK;
}

struct syscall_result sys_thread_set_affinity(handle_t handle, uint64_t affinity)
{
	struct thread *thread;
	enum error error = lookup_alive(handle, RIGHT_CONTROL, &thread);

	if (!error && !(affinity & online_cpus()))
		error = ERR_INVALID_ARGUMENT;
	if (!error && !object_try_get(&thread->object))
		error = ERR_BAD_HANDLE;
	if (error)
		return SYSCALL_ERROR(error);
	spin_lock(&thread->lock);
	thread->affinity = affinity;
	scheduler_update(thread);
	spin_unlock(&thread->lock);
	// Elsewhere it looks at its affinity before it goes on.
	if (!scheduler_may_run(thread, &cpus[__atomic_load_n(&thread->cpu, __ATOMIC_RELAXED)]))
		scheduler_poke_and_wait(thread);
	object_put(&thread->object);
	return SYSCALL_OK;
}

struct syscall_result sys_thread_set_clear_tid(uint64_t address)
{
	if (address != 0 && (!is_user_address(address) || address % sizeof(uint32_t) != 0))
		return SYSCALL_ERROR(ERR_INVALID_ARGUMENT);
	thread_current()->clear_tid_address = address;
	return SYSCALL_OK;
}

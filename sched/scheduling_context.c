// SPDX-License-Identifier: MIT
//
// Scheduling contexts: charging, what happens when a budget is used up, and their system calls.

#include <arch/time.h>
#include <kernel/assert.h>
#include <kernel/cache.h>
#include <kernel/cpu.h>
#include <kernel/endpoint.h>
#include <kernel/loan.h>
#include <kernel/process.h>
#include <kernel/scheduler.h>
#include <kernel/scheduling_context.h>
#include <kernel/syscall.h>

static struct object_cache context_cache = OBJECT_CACHE_INITIALIZER(
	context_cache, "scheduling context", struct scheduling_context);

static struct scheduling_context *context_of(struct object *object)
{
	return container_of(object, struct scheduling_context, object);
}

// --- Charging

// The lock is held.
static void begin_period(struct scheduling_context *context, uint64_t now)
{
	int64_t budget = (int64_t)context->budget;

	if (context->budget == 0 || now < context->period_end)
		return;
	context->remaining = context->remaining < 0 ? context->remaining + budget : budget;
	context->period_end = now + context->period;
}

uint64_t scheduling_context_charge(struct scheduling_context *context, uint64_t used, uint64_t now)
{
	uint64_t left = BUDGET_UNLIMITED;

	spin_lock(&context->lock);
	context->consumed += used;
	if (context->budget) {
		context->remaining -= (int64_t)used;
		begin_period(context, now);
		left = context->remaining > 0 ? (uint64_t)context->remaining : 0;
	}
	spin_unlock(&context->lock);
	return left;
}

// --- Enforcement

static void cancel_wait(struct thread *thread)
{
	struct scheduling_context *context = thread->wait_object;

	spin_lock(&context->wait_lock);
	list_remove(&thread->wait_link);
	spin_unlock(&context->wait_lock);
}

// Its registers are those of user mode: a wait that ends leaves them alone.
static void fail_wait(struct thread *thread, enum error error)
{
	(void)thread;
	(void)error;
}

const struct wait_operations budget_wait = {"budget", cancel_wait, fail_wait};

// Whoever waits for the next period looks again.
static void wake_all(struct scheduling_context *context)
{
	spin_lock(&context->wait_lock);
	while (!list_is_empty(&context->waiters)) {
		struct thread *thread = container_of(
			list_pop_front(&context->waiters), struct thread, wait_link);

		if (thread_claim(thread))
			thread_wake(thread);
	}
	spin_unlock(&context->wait_lock);
}

static void stop_at_end_of_budget(struct thread *thread, struct scheduling_context *context)
{
	const struct fault fault = {.kind = FAULT_TIMEOUT};

	if ((context->flags & SCHEDULING_CONTEXT_FAULTS) && !thread->guest && ipc_send_fault(&fault))
		return;
	spin_lock(&context->wait_lock);
	// It may have been bound to another one meanwhile, which wakes those who wait here.
	if (__atomic_load_n(&thread->context, __ATOMIC_RELAXED) == context) {
		thread_prepare_wait(&budget_wait, context, THREAD_BLOCKED, context->period_end);
		list_push_back(&context->waiters, &thread->wait_link);
	}
	spin_unlock(&context->wait_lock);
}

void scheduling_context_enforce(void)
{
	struct cpu *cpu = cpu_self();
	struct thread *thread = cpu->current;
	struct loan_chain chain = loan_follow(thread);
	struct scheduling_context *context = __atomic_load_n(&chain.payer->context, __ATOMIC_RELAXED);

	cpu->out_of_budget = false;
	// It may have a new period, or another payer, meanwhile; and the end of a loan brings one.
	cpu_set_reschedule(cpu);
	if (context == NULL || scheduling_context_charge(context, 0, arch_time_now()) > 0)
		return;
	if (chain.payer == thread)
		stop_at_end_of_budget(thread, context);
	else
		thread_abort_wait_number(chain.payer, chain.payer_wait, ERR_NO_BUDGET);
}

// --- Threads bound to a context

static void set_context(struct thread *thread, struct scheduling_context *context)
{
	struct scheduling_context *previous;

	spin_lock(&thread->lock);
	previous = thread->context;
	__atomic_store_n(&thread->context, context, __ATOMIC_RELEASE);
	spin_unlock(&thread->lock);
	// If it runs, or waits for a period of the previous one. A CPU says who pays before it looks for that one's context.
	atomic_thread_fence(memory_order_seq_cst);
	loan_recall(thread);
	if (previous) {
		wake_all(previous);
		object_put(&previous->object);
	}
}

void scheduling_context_inherit(struct thread *thread)
{
	struct scheduling_context *context = __atomic_load_n(&thread_current()->context, __ATOMIC_ACQUIRE);

	if (context && object_try_get(&context->object))
		thread->context = context;
}

static enum error lookup(handle_t handle, rights_t needed, struct scheduling_context **context)
{
	struct capability capability;
	enum error error = capability_lookup(handle, OBJECT_SCHEDULING_CONTEXT, needed, &capability);

	if (!error)
		*context = context_of(capability.object);
	return error;
}

struct syscall_result sys_scheduling_context_bind(handle_t context_handle, handle_t thread_handle)
{
	struct scheduling_context *context = NULL, *own = thread_current()->context;
	struct capability capability;
	struct thread *thread;
	enum error error = ERR_OK;

	if (context_handle != HANDLE_NONE)
		error = lookup(context_handle, RIGHT_BIND, &context);
	if (!error)
		error = capability_lookup(thread_handle, OBJECT_THREAD, RIGHT_CONTROL, &capability);
	// Who has a budget cannot get rid of it.
	if (!error && own && context != own)
		error = ERR_NO_RIGHTS;
	if (error)
		return SYSCALL_ERROR(error);
	thread = container_of(capability.object, struct thread, object);
	if (thread_get_state(thread) >= THREAD_ZOMBIE)
		return SYSCALL_ERROR(ERR_BAD_STATE);
	if (context && !object_try_get(&context->object))
		return SYSCALL_ERROR(ERR_BAD_HANDLE);
	set_context(thread, context);
	return SYSCALL_OK;
}

// --- The objects

struct syscall_result sys_scheduling_context_create(void)
{
	struct scheduling_context *context = object_create(
		OBJECT_SCHEDULING_CONTEXT, thread_current()->process->account);
	handle_t handle;
	enum error error;

	if (context == NULL)
		return SYSCALL_ERROR(ERR_NO_MEMORY);
	spin_init(&context->wait_lock, RANK_BUDGET_WAIT);
	list_init(&context->waiters);
	spin_init(&context->lock, RANK_SCHEDULING_CONTEXT);
	error = capability_install_new(&context->object, RIGHTS_ALL, &handle);
	return error ? SYSCALL_ERROR(error) : SYSCALL_VALUE(handle);
}

static bool is_valid(uint64_t budget, uint64_t period, uint64_t flags)
{
	if (flags & ~SCHEDULING_CONTEXT_FAULTS)
		return false;
	if (budget == 0)
		return period == 0;
	return budget >= SCHEDULING_BUDGET_MIN && budget <= period && period <= SCHEDULING_PERIOD_MAX;
}

struct syscall_result sys_scheduling_context_configure(
	handle_t handle, uint64_t budget, uint64_t period, uint64_t flags)
{
	struct scheduling_context *context;
	enum error error = lookup(handle, RIGHT_CONTROL, &context);

	if (!error && !is_valid(budget, period, flags))
		error = ERR_INVALID_ARGUMENT;
	if (error)
		return SYSCALL_ERROR(error);
	spin_lock(&context->lock);
	context->budget = budget;
	context->period = period;
	context->flags = flags;
	context->remaining = 0;
	context->period_end = 0;
	spin_unlock(&context->lock);
	for (unsigned i = 0; i < cpu_count; i++)
		if (scheduler_is_paid_by(&cpus[i], context))
			scheduler_reschedule(&cpus[i]);
	wake_all(context);
	return SYSCALL_OK;
}

struct syscall_result sys_scheduling_context_info(
	handle_t handle, struct scheduling_context_info __user *info)
{
	struct scheduling_context_info result = {0};
	struct scheduling_context *context;
	enum error error = lookup(handle, RIGHT_READ, &context);

	if (error)
		return SYSCALL_ERROR(error);
	scheduler_charge_all();
	spin_lock(&context->lock);
	result.budget = context->budget;
	result.period = context->period;
	result.flags = context->flags;
	result.consumed = context->consumed;
	result.period_end = context->period_end;
	result.remaining = context->remaining;
	spin_unlock(&context->lock);
	return SYSCALL_ERROR(copy_to_user(info, &result, sizeof(result)));
}

const struct object_operations scheduling_context_operations = {
	.name = "scheduling context",
	.cache = &context_cache,
};

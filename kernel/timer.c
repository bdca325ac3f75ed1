// SPDX-License-Identifier: MIT
//
// Timer objects: signal a notification at a deadline, once or periodically.

#include <arch/time.h>
#include <kernel/assert.h>
#include <kernel/binding.h>
#include <kernel/cache.h>
#include <kernel/cpu.h>
#include <kernel/ipc.h>
#include <kernel/process.h>
#include <kernel/syscall.h>

#define PERIOD_MIN 1000

struct timer {
	struct object object;
	struct spinlock lock; // guards arming
	struct timeout timeout;
	uint64_t period;
	uint64_t settings; // how often it has been set or disarmed
	struct binding binding;
};

static struct object_cache timer_cache = OBJECT_CACHE_INITIALIZER(timer_cache, "timer", struct timer);

static struct timer *timer_of(struct object *object)
{
	return container_of(object, struct timer, object);
}

// The first after now of the deadlines, a period apart; never, if that is beyond the end of time.
static uint64_t next_deadline(const struct timer *timer, uint64_t now)
{
	uint64_t last = now - (now - timer->timeout.deadline) % timer->period;

	return last + timer->period > last ? last + timer->period : DEADLINE_NEVER;
}

static void expire(struct timeout *timeout)
{
	struct timer *timer = container_of(timeout, struct timer, timeout);

	binding_signal(&timer->binding);
	spin_lock(&timer->lock);
	// Whoever sets the timer anew sets the period to 0 first, and waits until this is over.
	if (timer->period)
		timeout_arm(timeout, next_deadline(timer, arch_time_now()));
	spin_unlock(&timer->lock);
}

// Until somebody sets it afterwards, it is neither armed nor on its way to being armed anew. Tells which setting this is.
static uint64_t disarm(struct timer *timer)
{
	uint64_t setting;
	bool armed;

	spin_lock(&timer->lock);
	setting = ++timer->settings;
	timer->period = 0;
	armed = timeout_cancel(&timer->timeout);
	spin_unlock(&timer->lock);
	if (!armed)
		timeout_wait(&timer->timeout);
	return setting;
}

// Only the last setting counts: whoever disarmed it after this one may arm it, or has ended it.
static enum error arm(struct timer *timer, uint64_t setting, uint64_t deadline, uint64_t period)
{
	enum error error = ERR_OK;

	spin_lock(&timer->lock);
	if (object_has_ended(&timer->object)) {
		error = ERR_BAD_HANDLE;
	} else if (timer->settings == setting) {
		timer->period = period;
		timeout_arm(&timer->timeout, deadline);
	}
	spin_unlock(&timer->lock);
	return error;
}

struct syscall_result sys_timer_object_create(handle_t handle, uint64_t bits)
{
	const struct capability no_holder = {0};
	struct capability capability;
	struct timer *timer;
	handle_t created;
	enum error error = handle == HANDLE_NONE ? ERR_BAD_HANDLE : binding_lookup(handle, bits, &capability);

	if (error)
		return SYSCALL_ERROR(error);
	timer = object_create(OBJECT_TIMER, thread_current()->process->account);
	if (timer == NULL) {
		object_put(capability.object);
		return SYSCALL_ERROR(ERR_NO_MEMORY);
	}
	spin_init(&timer->lock, RANK_TIMER);
	timer->timeout.expire = expire;
	binding_init(&timer->binding);
	binding_replace(&timer->binding, &timer->object, &no_holder, &capability, bits);
	error = capability_install_new(&timer->object, RIGHTS_ALL, &created);
	return error ? SYSCALL_ERROR(error) : SYSCALL_VALUE(created);
}

struct syscall_result sys_timer_set(handle_t handle, uint64_t deadline, uint64_t period)
{
	struct capability capability;
	struct timer *timer;
	enum error error = capability_lookup(handle, OBJECT_TIMER, RIGHT_CONTROL, &capability);

	if (!error && period != 0 && period < PERIOD_MIN)
		error = ERR_INVALID_ARGUMENT;
	if (error)
		return SYSCALL_ERROR(error);
	timer = timer_of(capability.object);
	return SYSCALL_ERROR(arm(timer, disarm(timer), deadline, period));
}

struct syscall_result sys_timer_cancel(handle_t handle)
{
	struct capability capability;
	enum error error = capability_lookup(handle, OBJECT_TIMER, RIGHT_CONTROL, &capability);

	if (!error)
		disarm(timer_of(capability.object));
	return SYSCALL_ERROR(error);
}

struct syscall_result sys_clock_get(void)
{
	return SYSCALL_VALUE(arch_time_now());
}

static void destroy(struct object *object)
{
	struct timer *timer = timer_of(object);

	disarm(timer);
	binding_end(&timer->binding, object);
}

const struct object_operations timer_operations = {
	.name = "timer",
	.cache = &timer_cache,
	.destroy = destroy,
};

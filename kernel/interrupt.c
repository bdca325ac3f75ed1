// SPDX-License-Identifier: MIT
//
// Interrupt objects: a device line that signals a notification, then stays masked until its driver
// acknowledges it.

#include <kernel/assert.h>
#include <kernel/binding.h>
#include <kernel/boot.h>
#include <kernel/cache.h>
#include <kernel/cpu.h>
#include <kernel/device.h>
#include <kernel/ipc.h>
#include <kernel/process.h>
#include <kernel/resource.h>
#include <kernel/syscall.h>

#define INTERRUPT_LINES 1024

struct interrupt {
	struct object object;
	struct spinlock lock;
	uint32_t line;
	struct binding binding;
};

static struct object_cache interrupt_cache = OBJECT_CACHE_INITIALIZER(
	interrupt_cache, "interrupt", struct interrupt);

// Which object a line belongs to; claimed by compare-and-swap.
static struct interrupt *_Atomic lines[INTERRUPT_LINES];

static struct interrupt *interrupt_of(struct object *object)
{
	return container_of(object, struct interrupt, object);
}

void interrupt_raise(uint32_t line)
{
	struct interrupt *interrupt;

	interrupt_controller->mask(line);
	interrupt = line < INTERRUPT_LINES ? atomic_load(&lines[line]) : NULL;
	if (interrupt == NULL)
		return;
	spin_lock(&interrupt->lock);
	// Signalled under the lock: a notification taken out meanwhile must not be.
	binding_signal(&interrupt->binding);
	spin_unlock(&interrupt->lock);
}

static enum error claim_line(struct interrupt *interrupt, uint32_t line, uint32_t flags)
{
	struct interrupt *nobody = NULL;

	if (!atomic_compare_exchange_strong(&lines[line], &nobody, interrupt))
		return ERR_BUSY;
	if (!interrupt_controller->configure(line, flags, cpu_self()->index)) {
		// Not for devices, and not to be masked: it may be the kernel's own.
		atomic_store(&lines[line], NULL);
		return ERR_INVALID_ARGUMENT;
	}
	interrupt->line = line;
	return ERR_OK;
}

struct syscall_result sys_interrupt_create(handle_t handle, uint32_t line, uint32_t flags)
{
	struct interrupt *interrupt;
	struct resource *resource;
	handle_t created;
	enum error error = resource_lookup(handle, RESOURCE_INTERRUPT, RIGHT_CREATE, line, 1, &resource);

	if (!error && (line >= INTERRUPT_LINES || (flags & ~(INTERRUPT_EDGE | INTERRUPT_ACTIVE_LOW))))
		error = ERR_INVALID_ARGUMENT;
	if (error)
		return SYSCALL_ERROR(error);
	interrupt = object_create(OBJECT_INTERRUPT, thread_current()->process->account);
	if (interrupt == NULL)
		return SYSCALL_ERROR(ERR_NO_MEMORY);
	spin_init(&interrupt->lock, RANK_INTERRUPT);
	interrupt->line = UINT32_MAX;
	binding_init(&interrupt->binding);
	error = claim_line(interrupt, line, flags);
	if (error) {
		object_put(&interrupt->object);
		return SYSCALL_ERROR(error);
	}
	error = capability_install_new(&interrupt->object, RIGHTS_ALL, &created);
	return error ? SYSCALL_ERROR(error) : SYSCALL_VALUE(created);
}

struct syscall_result sys_interrupt_bind(handle_t handle, handle_t notification_handle, uint64_t bits)
{
	struct capability capability, holder, found;
	struct notification *previous;
	struct interrupt *interrupt;
	bool has_ended;
	enum error error = capability_lookup(handle, OBJECT_INTERRUPT, RIGHT_BIND, &capability);

	if (!error && notification_handle == HANDLE_NONE)
		error = ERR_BAD_HANDLE;
	if (!error)
		error = binding_lookup(notification_handle, bits, &found);
	if (error)
		return SYSCALL_ERROR(error);
	holder = binding_holder(handle, capability.object);
	interrupt = interrupt_of(capability.object);
	spin_lock(&interrupt->lock);
	has_ended = object_has_ended(&interrupt->object);
	if (has_ended) {
		previous = binding_notification(&found);
	} else {
		previous = binding_replace(&interrupt->binding, &interrupt->object, &holder, &found, bits);
		interrupt_controller->unmask(interrupt->line);
	}
	spin_unlock(&interrupt->lock);
	if (previous)
		object_put(&previous->object);
	return SYSCALL_ERROR(has_ended ? ERR_BAD_HANDLE : ERR_OK);
}

struct syscall_result sys_interrupt_acknowledge(handle_t handle)
{
	struct capability capability;
	struct interrupt *interrupt;
	enum error error = capability_lookup(handle, OBJECT_INTERRUPT, RIGHT_CONTROL, &capability);

	if (error)
		return SYSCALL_ERROR(error);
	interrupt = interrupt_of(capability.object);
	spin_lock(&interrupt->lock);
	if (atomic_load(&interrupt->binding.bits) == 0)
		error = ERR_BAD_STATE;
	else
		interrupt_controller->unmask(interrupt->line);
	spin_unlock(&interrupt->lock);
	return SYSCALL_ERROR(error);
}

static void destroy(struct object *object)
{
	struct interrupt *interrupt = interrupt_of(object);

	if (interrupt->line == UINT32_MAX)
		return;
	// Another CPU may have found it in `lines`, or looked its handle up, and be about to take the lock.
	spin_lock(&interrupt->lock);
	atomic_store(&interrupt->binding.bits, 0);
	interrupt_controller->mask(interrupt->line);
	atomic_store(&lines[interrupt->line], NULL);
	spin_unlock(&interrupt->lock);
	binding_end(&interrupt->binding, object);
}

const struct object_operations interrupt_operations = {
	.name = "interrupt",
	.cache = &interrupt_cache,
	.revoke_kept = binding_revoke_kept,
	.destroy = destroy,
};

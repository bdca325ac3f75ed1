// SPDX-License-Identifier: MIT
//
// System calls about the machine as a whole: power, counts, I/O ports.

#include <arch/cpu.h>
#include <arch/time.h>
#include <kernel/account.h>
#include <kernel/assert.h>
#include <kernel/cpu.h>
#include <kernel/frame.h>
#include <kernel/log.h>
#include <kernel/process.h>
#include <kernel/resource.h>
#include <kernel/syscall.h>

#define PORT_BYTES_MAX 256

struct syscall_result sys_system_power(handle_t handle, uint32_t action)
{
	struct resource *resource;
	enum error error = resource_lookup(handle, RESOURCE_SYSTEM, RIGHT_CONTROL, 0, 1, &resource);

	if (error)
		return SYSCALL_ERROR(error);
	switch (action) {
	case POWER_OFF:
		arch_power_off();
		return SYSCALL_ERROR(ERR_NOT_SUPPORTED);
	case POWER_RESET:
		arch_reset();
		return SYSCALL_ERROR(ERR_NOT_SUPPORTED);
	default:
		return SYSCALL_ERROR(ERR_INVALID_ARGUMENT);
	}
}

static void count_process(struct process *process, void *context)
{
	struct system_info *info = context;

	info->processes++;
	info->threads += process->thread_count;
}

struct syscall_result sys_system_info(handle_t handle, struct system_info __user *info)
{
	struct system_info counts = {0};
	struct resource *resource;
	enum error error = resource_lookup(handle, RESOURCE_SYSTEM, RIGHT_READ, 0, 1, &resource);

	if (error)
		return SYSCALL_ERROR(error);
	counts.memory_total = frame_total() * PAGE_SIZE;
	counts.memory_free = frame_free() * PAGE_SIZE;
	counts.objects = atomic_load_explicit(&root_account.objects_used, memory_order_relaxed);
	counts.uptime = arch_time_now();
	for (unsigned i = 0; i < cpu_count; i++) {
		counts.cpu_count += cpus[i].online;
		counts.context_switches += cpus[i].context_switches;
		counts.interrupts += cpus[i].interrupts;
	}
	process_for_each(count_process, &counts);
	return SYSCALL_ERROR(copy_to_user(info, &counts, sizeof(counts)));
}

static enum error check_port(handle_t handle, rights_t rights, uint32_t port, uint32_t width)
{
	struct resource *resource;
	enum error error = resource_lookup(handle, RESOURCE_IO_PORT, rights, port, width, &resource);

	if (!error && width != 1 && width != 2 && width != 4)
		error = ERR_INVALID_ARGUMENT;
	return error;
}

// Where a resource of I/O ports exists, there are I/O ports.
static void write_port(uint32_t port, uint32_t width, uint32_t data)
{
	bool done = arch_io_port_write((uint16_t)port, width, data);

	assert(done);
	(void)done;
}

struct syscall_result sys_io_port_read(handle_t handle, uint32_t port, uint32_t width)
{
	uint32_t data = 0;
	enum error error = check_port(handle, RIGHT_READ, port, width);
	bool done = !error && arch_io_port_read((uint16_t)port, width, &data);

	assert(done || error);
	return done ? SYSCALL_VALUE(data) : SYSCALL_ERROR(error);
}

struct syscall_result sys_io_port_write(handle_t handle, uint32_t port, uint32_t width, uint32_t data)
{
	enum error error = check_port(handle, RIGHT_WRITE, port, width);

	if (!error)
		write_port(port, width, data);
	return SYSCALL_ERROR(error);
}

struct syscall_result sys_io_port_write_bytes(
	handle_t handle, uint32_t port, const void __user *bytes, uint64_t length)
{
	uint8_t copy[PORT_BYTES_MAX];
	enum error error = check_port(handle, RIGHT_WRITE, port, 1);

	if (!error && length > sizeof(copy))
		error = ERR_TOO_LONG;
	if (!error)
		error = copy_from_user(copy, bytes, (size_t)length);
	for (uint64_t i = 0; i < length && !error; i++)
		write_port(port, 1, copy[i]);
	return SYSCALL_ERROR(error);
}

// SPDX-License-Identifier: MIT
//
// The calls about the system as a whole, and about what a process may use and has used of it.

#include <linux/calls/calls.h>
#include <linux/files/device.h>
#include <linux/interface/errors.h>
#include <linux/interface/files.h>
#include <linux/memory/guest_copy.h>
#include <linux/process/process.h>
#include <linux/process/session.h>
#include <linux/process/table.h>
#include <linux/system/machine.h>
#include <linux/time/clock.h>

#include <runtime/system_calls.h>
#include <string.h>

#define RANDOM_FLAGS 7

static pthread_mutex_t name_lock = PTHREAD_MUTEX_INITIALIZER;
static char node_name[LINUX_NAME_FIELD] = "tern";

int64_t linux_uname(struct thread *thread, guest_address_t result)
{
	struct linux_utsname name = {
		.system = MACHINE_SYSTEM,
		.release = MACHINE_RELEASE,
		.version = MACHINE_VERSION,
		.machine = GUEST_MACHINE,
		.domain = "(none)",
	};

	pthread_mutex_lock(&name_lock);
	memcpy(name.node, node_name, sizeof(name.node));
	pthread_mutex_unlock(&name_lock);
	return copy_to_guest(thread, result, &name, sizeof(name));
}

int64_t linux_sethostname(struct thread *thread, guest_address_t name, uint64_t length)
{
	char wanted[LINUX_NAME_FIELD] = {0};

	if (thread->process->credentials.effective_user != 0)
		return -LINUX_EPERM;
	if (length >= LINUX_NAME_FIELD)
		return -LINUX_EINVAL;
	if (copy_from_guest(thread, wanted, name, length))
		return -LINUX_EFAULT;
	pthread_mutex_lock(&name_lock);
	memcpy(node_name, wanted, sizeof(node_name));
	pthread_mutex_unlock(&name_lock);
	return 0;
}

int64_t linux_sysinfo(struct thread *thread, guest_address_t result)
{
	struct machine_memory memory = machine_memory();
	struct linux_sysinfo info = {
		.uptime = time_seconds(clock_now()),
		.memory_total = memory.total,
		.memory_free = memory.free,
		.processes = (uint16_t)machine_process_count(),
		.unit = 1,
	};

	return copy_to_guest(thread, result, &info, sizeof(info));
}

int64_t linux_getrandom(struct thread *thread, guest_address_t buffer, uint64_t length, uint32_t flags)
{
	struct span span;
	int64_t error = guest_span(thread, buffer, length, &span);

	if (flags & ~(uint32_t)RANDOM_FLAGS)
		return -LINUX_EINVAL;
	return error ? error : device_random(thread, span);
}

int64_t linux_reboot(struct thread *thread, uint32_t magic1, uint32_t magic2, uint32_t command)
{
	if (thread->process->credentials.effective_user != 0)
		return -LINUX_EPERM;
	if (magic1 != LINUX_REBOOT_MAGIC1 || magic2 != LINUX_REBOOT_MAGIC2)
		return -LINUX_EINVAL;
	switch (command) {
	case LINUX_REBOOT_POWER_OFF:
	case LINUX_REBOOT_HALT:
		return machine_shut_down(POWER_OFF, 0);
	case LINUX_REBOOT_RESTART:
		return machine_shut_down(POWER_RESET, 0);
	case LINUX_REBOOT_CAD_ON:
	case LINUX_REBOOT_CAD_OFF:
		return 0;
	default:
		return -LINUX_EINVAL;
	}
}

int64_t linux_getrlimit(struct thread *thread, uint32_t limit, guest_address_t result)
{
	return linux_prlimit64(thread, 0, limit, 0, result);
}

int64_t linux_setrlimit(struct thread *thread, uint32_t limit, guest_address_t wanted)
{
	return linux_prlimit64(thread, 0, limit, wanted, 0);
}

// Changes a limit, where `wanted` is given. process_lock is held.
static int64_t change_limit(struct process *process, uint32_t limit, const struct linux_rlimit *wanted,
	bool superuser, struct linux_rlimit *old)
{
	*old = process->limits[limit];
	if (!wanted)
		return 0;
	if (wanted->current > wanted->maximum)
		return -LINUX_EINVAL;
	if (wanted->maximum > old->maximum && !superuser)
		return -LINUX_EPERM;
	process->limits[limit] = *wanted;
	return 0;
}

int64_t linux_prlimit64(
	struct thread *thread, int32_t id, uint32_t limit, guest_address_t wanted, guest_address_t old)
{
	struct linux_rlimit new_limit, old_limit;
	int64_t error = -LINUX_ESRCH;

	if (limit >= LINUX_RLIMIT_COUNT)
		return -LINUX_EINVAL;
	if (wanted != 0 && copy_from_guest(thread, &new_limit, wanted, sizeof(new_limit)))
		return -LINUX_EFAULT;
	pthread_mutex_lock(&process_lock);
	struct process *process = id == 0 ? thread->process : id_process(id);
	bool superuser = thread->process->credentials.effective_user == 0;
	if (process && process != thread->process && !superuser)
		error = -LINUX_EPERM;
	else if (process)
		error = change_limit(process, limit, wanted != 0 ? &new_limit : NULL, superuser, &old_limit);
	pthread_mutex_unlock(&process_lock);
	if (error)
		return error;
	return old != 0 ? copy_to_guest(thread, old, &old_limit, sizeof(old_limit)) : 0;
}

int64_t linux_getrusage(struct thread *thread, int32_t who, guest_address_t result)
{
	struct linux_rusage usage = {0};
	uint64_t used;

	pthread_mutex_lock(&process_lock);
	if (who == LINUX_RUSAGE_CHILDREN)
		used = thread->process->usage.children_time;
	else
		used = process_cpu_time(thread->process);
	pthread_mutex_unlock(&process_lock);
	if (who != LINUX_RUSAGE_SELF && who != LINUX_RUSAGE_CHILDREN && who != LINUX_RUSAGE_THREAD)
		return -LINUX_EINVAL;
	usage.user_time = (struct linux_timeval){time_seconds(used), time_nanoseconds(used) / 1000};
	return copy_to_guest(thread, result, &usage, sizeof(usage));
}

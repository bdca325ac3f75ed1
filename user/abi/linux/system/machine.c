// SPDX-License-Identifier: MIT
//
// The machine, as far as this personality is told about it.

#include <linux/system/machine.h>

#include <linux/files/server.h>
#include <linux/interface/errors.h>
#include <linux/process/process.h>
#include <linux/process/table.h>

#include <protocol/system.h>
#include <runtime/ipc.h>
#include <runtime/name.h>
#include <runtime/start.h>

#define CPU_LIMIT 64

static uint64_t cpus;

// All that the personality and its guests can have is the limit of its account.
struct machine_memory machine_memory(void)
{
	struct account_info info;

	if (account_info(start_handle(START_ACCOUNT), &info) != ERR_OK)
		return (struct machine_memory){0};
	return (struct machine_memory){
		.total = info.pages_limit * PAGE_SIZE,
		.free = (info.pages_limit - info.pages_used) * PAGE_SIZE,
	};
}

void machine_init(void)
{
	for (unsigned cpu = 0; cpu < CPU_LIMIT; cpu++) {
		if (thread_set_affinity(HANDLE_SELF, (uint64_t)1 << cpu) == ERR_OK)
			cpus |= (uint64_t)1 << cpu;
	}
	thread_set_affinity(HANDLE_SELF, UINT64_MAX);
}

uint64_t machine_cpus(void)
{
	return cpus;
}

static bool count_process(struct process *process, void *context)
{
	(void)process;
	++*(unsigned *)context;
	return true;
}

unsigned machine_process_count(void)
{
	unsigned count = 0;

	pthread_mutex_lock(&process_lock);
	id_each_process(count_process, &count);
	pthread_mutex_unlock(&process_lock);
	return count;
}

int64_t machine_shut_down(enum system_power_action action, uint32_t status)
{
	struct message message = {.info = MESSAGE_INFO(SYSTEM_SHUT_DOWN, 2, 0), .words = {action, status}};
	handle_t system;
	enum error error = name_lookup("system", &system);

	if (error != ERR_OK)
		return -LINUX_EPERM;
	error = protocol_call(system, &message);
	handle_close(system);
	return error_to_linux(error);
}

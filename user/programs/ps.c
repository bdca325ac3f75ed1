// SPDX-License-Identifier: MIT
//
// Lists all processes, each with the threads that live in it.

#include "inspect.h"
#include <inttypes.h>
#include <runtime/system_calls.h>
#include <stdio.h>
#include <tern/info.h>

#define MILLISECOND 1000000

static void show_process(const struct process_record *record)
{
	const struct process_info *process = &record->process;
	printf("%6" PRIu64 " %-20s %7" PRIu64 " %7" PRIu64 " %7" PRIu64 " %7" PRIu64 " %7" PRIu64
	       " %10" PRIu64 "%s\n",
		process->id, process->name, process->thread_count, process->handle_count,
		process->pages_resident, record->account_id, record->account.pages_used,
		process->cpu_time / MILLISECOND, process->state == PROCESS_EXITED ? " ended" : "");
}

static void show_threads(handle_t system, uint64_t process)
{
	struct thread_info thread;
	for (uint64_t after = 0; system_thread(system, process, after, &thread) == ERR_OK; after = thread.id)
		printf("%6s %-20s %c priority %3" PRIu32 " cpu %2" PRIu32 " %8" PRIu64 " ms %s\n", "",
			thread.name, state_letter(thread.state, thread.suspended), thread.priority,
			thread.cpu, thread.cpu_time / MILLISECOND, thread.waits_for);
}

int main(void)
{
	handle_t system = system_resource();
	struct process_record record;
	uint64_t after = 0;
	printf("%6s %-20s %7s %7s %7s %7s %7s %10s\n", "ID", "NAME", "THREADS", "HANDLES", "PAGES", "ACCOUNT",
		"USED", "CPU ms");
	for (; system_process(system, after, &record) == ERR_OK; after = record.process.id) {
		show_process(&record);
		show_threads(system, record.process.id);
	}
	return 0;
}

// SPDX-License-Identifier: MIT
//
// Host threads as CPUs: see on_cpus.h.

#include "on_cpus.h"
#include "check.h"
#include <kernel/cpu.h>
#include <pthread.h>

struct run {
	pthread_t thread;
	void (*function)(unsigned cpu, unsigned *seed);
	unsigned cpu;
};

static void *run_cpu(void *argument)
{
	struct run *run = argument;
	unsigned seed = run->cpu * 7919 + 1;

	host_cpu = &cpus[run->cpu];
	run->function(run->cpu, &seed);
	return NULL;
}

void on_cpus(unsigned count, void (*function)(unsigned cpu, unsigned *seed))
{
	struct run runs[ARCH_CPU_MAX];

	for (unsigned i = 0; i < count; i++) {
		runs[i].function = function;
		runs[i].cpu = i;
		CHECK(pthread_create(&runs[i].thread, NULL, run_cpu, &runs[i]) == 0);
	}
	for (unsigned i = 0; i < count; i++)
		pthread_join(runs[i].thread, NULL);
}

// SPDX-License-Identifier: MIT
//
// Shows who used the CPUs within an interval, and the counts of CPUs and locks, some times over:
// top [-n COUNT] [-d MILLISECONDS].

#include "inspect.h"
#include <inttypes.h>
#include <runtime/system_calls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tern/info.h>
#include <unistd.h>

#define MILLISECOND   ((uint64_t)1000 * 1000)
#define PROCESSES_MAX 1024
#define CPUS_MAX      64
#define SHOWN         20

struct process_sample {
	uint64_t id;
	uint64_t cpu_time;
	uint64_t used; // within the interval
	uint64_t pages;
	uint64_t threads;
	char name[NAME_LENGTH];
};

struct sample {
	uint64_t time;
	size_t process_count;
	uint32_t cpu_count;
	struct process_sample processes[PROCESSES_MAX];
	struct cpu_info cpus[CPUS_MAX];
};

static handle_t system_handle;

static void take(struct sample *sample)
{
	struct process_record record;
	uint64_t after = 0;
	clock_get(&sample->time);
	for (sample->cpu_count = 0; sample->cpu_count < CPUS_MAX &&
		system_cpu(system_handle, sample->cpu_count, &sample->cpus[sample->cpu_count]) == ERR_OK;)
		sample->cpu_count++;
	for (sample->process_count = 0; sample->process_count < PROCESSES_MAX &&
		system_process(system_handle, after, &record) == ERR_OK;
		after = record.process.id) {
		struct process_sample *process = &sample->processes[sample->process_count++];
		process->id = record.process.id;
		process->cpu_time = record.process.cpu_time;
		process->pages = record.process.pages_resident;
		process->threads = record.process.thread_count;
		memcpy(process->name, record.process.name, NAME_LENGTH);
	}
}

static int by_use(const void *left, const void *right)
{
	uint64_t a = ((const struct process_sample *)left)->used;
	uint64_t b = ((const struct process_sample *)right)->used;
	return (a < b) - (a > b);
}

// Both samples list processes by rising id. What a process used before it was first seen counts as well.
static void set_used(const struct sample *before, struct sample *sample)
{
	size_t i = 0;
	for (size_t j = 0; j < sample->process_count; j++) {
		struct process_sample *process = &sample->processes[j];
		while (i < before->process_count && before->processes[i].id < process->id)
			i++;
		process->used = process->cpu_time;
		if (i < before->process_count && before->processes[i].id == process->id)
			process->used -= before->processes[i].cpu_time;
	}
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

static uint64_t contended(const struct cpu_info *cpu)
{
	uint64_t sum = 0;
	for (unsigned rank = 0; rank < RANK_COUNT; rank++)
		sum += cpu->locks_contended[rank];
	return sum;
}

static void show_cpus(const struct sample *before, const struct sample *sample)
{
	uint64_t interval = sample->time - before->time;
	printf("%3s %6s %9s %10s %7s %10s %9s\n", "CPU", "IDLE %", "SWITCHES", "INTERRUPTS", "IPIS",
		"SHOOTDOWNS", "CONTENDED");
	for (uint32_t i = 0; i < sample->cpu_count; i++) {
		const struct cpu_info *old = &before->cpus[i], *new = &sample->cpus[i];
		printf("%3" PRIu32 " %6.1f %9" PRIu64 " %10" PRIu64 " %7" PRIu64 " %10" PRIu64 " %9" PRIu64
		       "\n",
			i, percent(new->idle_time - old->idle_time, interval),
			new->context_switches - old->context_switches, new->interrupts - old->interrupts,
			new->ipis - old->ipis, new->shootdowns - old->shootdowns,
			contended(new) - contended(old));
	}
}

static void show_locks(const struct sample *sample)
{
	static const char *const names[RANK_COUNT] = {
#define LOCK_RANK(name, text) text,
#include <tern/lock_ranks.def>
#undef LOCK_RANK
	};
	printf("contended since boot:");
	for (unsigned rank = 0; rank < RANK_COUNT; rank++) {
		uint64_t count = 0;
		for (uint32_t i = 0; i < sample->cpu_count; i++)
			count += sample->cpus[i].locks_contended[rank];
		if (count != 0)
			printf(" %s %" PRIu64 ",", names[rank], count);
	}
	printf(" no others\n");
}

// Sorts the processes of a copy: the sample itself is compared with the next one.
static void show_processes(const struct sample *before, const struct sample *sample)
{
	static struct process_sample sorted[PROCESSES_MAX];
	size_t count = sample->process_count;
	memcpy(sorted, sample->processes, count * sizeof(sorted[0]));
	qsort(sorted, count, sizeof(sorted[0]), by_use);
	printf("%6s %-20s %6s %10s %7s %7s\n", "ID", "NAME", "CPU %", "CPU ms", "THREADS", "PAGES");
	for (size_t i = 0; i < count && i < SHOWN; i++)
		printf("%6" PRIu64 " %-20s %6.1f %10" PRIu64 " %7" PRIu64 " %7" PRIu64 "\n", sorted[i].id,
			sorted[i].name, percent(sorted[i].used, sample->time - before->time),
			sorted[i].cpu_time / MILLISECOND, sorted[i].threads, sorted[i].pages);
}

static void show(const struct sample *before, struct sample *sample)
{
	struct system_info info = {0};
	system_info(system_handle, &info);
	printf("up %" PRIu64 " s, %" PRIu64 " CPUs, %" PRIu64 " of %" PRIu64 " KiB free, %" PRIu64
	       " processes, %" PRIu64 " threads, %" PRIu64 " objects\n",
		info.uptime / (1000 * MILLISECOND), info.cpu_count, info.memory_free / 1024,
		info.memory_total / 1024, info.processes, info.threads, info.objects);
	set_used(before, sample);
	show_cpus(before, sample);
	show_locks(sample);
	show_processes(before, sample);
	fflush(stdout);
}

static void usage(void)
{
	fprintf(stderr, "usage: top [-n COUNT] [-d MILLISECONDS]\n");
	exit(2);
}

static unsigned long number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);
	if (end == text || *end != '\0' || value == 0 || value > 1000000)
		usage();
	return value;
}

int main(int argument_count, char **arguments)
{
	static struct sample samples[2];
	unsigned long count = 1, delay = 1000;
	int option;
	while ((option = getopt(argument_count, arguments, "n:d:")) != -1) {
		if (option == 'n')
			count = number(optarg);
		else if (option == 'd')
			delay = number(optarg);
		else
			usage();
	}
	system_handle = system_resource();
	take(&samples[0]);
	for (unsigned long i = 0; i < count; i++) {
		struct sample *before = &samples[i % 2], *sample = &samples[(i + 1) % 2];
		thread_sleep(before->time + delay * MILLISECOND);
		take(sample);
		if (i > 0)
			printf("\n");
		show(before, sample);
	}
	return 0;
}

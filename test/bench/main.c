// SPDX-License-Identifier: MIT
//
// The benchmark program: checks that the counter counts instructions, then runs the groups.

#include "bench.h"
#include "counter.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK_ROUNDS 100000
// What stands around the loops, and the counter's step.
#define CHECK_SLACK (8 + 2 * COUNTER_STEP)

void bench_fail(const char *file, int line, const char *condition)
{
	printf("fail %s:%d: %s\n", file, line, condition);
	fflush(stdout);
	exit(1);
}

// The helpers of the kernel tests report here.
void test_fail(const char *file, int line, const char *format, ...)
{
	bench_fail(file, line, format);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static const char *only; // the one operation to count; NULL: all

// Not by printf, which uses floating-point registers.
static void print_number(uint64_t number)
{
	char digits[22] = {0};
	char *first = digits + sizeof(digits) - 1;

	do {
		*--first = (char)('0' + number % 10);
		number /= 10;
	} while (number != 0);
	*--first = ' ';
	fputs(first, stdout);
}

// Prints a line of sorted batch totals for `count` operations each, less `overhead` for all of them, and how many were done.
static void report(const char *name, uint64_t *totals, uint64_t overhead, uint64_t count)
{
	const unsigned picks[] = {0, BATCHES / 2, BATCHES - 1};

	qsort(totals, BATCHES, sizeof(totals[0]), compare);
	fputs("bench ", stdout);
	fputs(name, stdout);
	for (unsigned i = 0; i < 3; i++) {
		uint64_t total = totals[picks[i]] > overhead ? totals[picks[i]] - overhead : 0;

		print_number((total * 10 + count / 2) / count);
	}
	print_number(count * (BATCHES + 1));
	fputs("\n", stdout);
	fflush(stdout);
}

static void do_nothing(void *context, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		lean_nothing((uintptr_t)context, 0, 0, 0, 0, 0);
}

static uint64_t time_batch(operation *run, void *context, uint64_t count)
{
	uint64_t start = counter_read();

	run(context, count);
	return counter_instructions(counter_read() - start);
}

void bench(const char *name, operation *run, void *context, uint64_t count)
{
	uint64_t totals[BATCHES], overhead;

	if (only && strcmp(name, only) != 0)
		return;
	time_batch(run, context, count);
	time_batch(do_nothing, context, count);
	for (unsigned i = 0; i < BATCHES; i++)
		totals[i] = time_batch(run, context, count);
	overhead = time_batch(do_nothing, context, count);
	report(name, totals, overhead, count);
}

void bench_timed(const char *name, timed_operation *run, void *context, uint64_t count)
{
	uint64_t totals[BATCHES];

	if (only && strcmp(name, only) != 0)
		return;
	run(context, count);
	for (unsigned i = 0; i < BATCHES; i++)
		totals[i] = run(context, count);
	report(name, totals, 0, count);
}

// What a known loop of `rounds` rounds takes: of several tries the least, for an interrupt may come in between.
static uint64_t count_known(uint64_t rounds)
{
	uint64_t least = UINT64_MAX;

	for (unsigned i = 0; i < BATCHES; i++) {
		uint64_t start = counter_read(), counted;

		counter_loop(rounds);
		counted = counter_instructions(counter_read() - start);
		if (counted < least)
			least = counted;
	}
	return least;
}

// Twice as many rounds take exactly so many instructions more.
static void check_counter(void)
{
	uint64_t difference = count_known(2 * CHECK_ROUNDS) - count_known(CHECK_ROUNDS);

	if (difference > 2 * CHECK_ROUNDS + CHECK_SLACK || difference + CHECK_SLACK < 2 * CHECK_ROUNDS) {
		printf("fail the counter does not count instructions (%llu for %u): --icount is needed\n",
			(unsigned long long)difference, 2 * CHECK_ROUNDS);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	if (argc > 1)
		only = argv[1];
	check_counter();
	bench_ipc();
	bench_notifications();
	bench_memory();
	bench_objects();
	bench_threads();
	bench_interrupts();
	bench_guest();
	bench_ipc_fpu();
	printf("done\n");
	return 0;
}

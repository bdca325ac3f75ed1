// SPDX-License-Identifier: MIT
//
// A static glibc program as anybody might bring one: printf, much memory, clocks, floating point, a file in
// /tmp. With an argument it dies: "crash" writes to address 0, "divide" divides by zero, "illegal" runs a bad
// instruction, "abort" aborts.

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MEBIBYTE ((size_t)1 << 20)

static int fail(const char *what)
{
	printf("failed: %s\n", what);
	return 1;
}

static int probe_memory(void)
{
	size_t size = 64 * MEBIBYTE;
	unsigned char *memory = malloc(size);

	if (!memory)
		return fail("malloc of 64 MiB");
	for (size_t i = 0; i < size; i += 4096) {
		if (i > 4096 && memory[i] != 0)
			return fail("fresh memory is not zero");
		memory[i] = (unsigned char)(i >> 12);
	}
	for (size_t i = 0; i < size; i += 4096)
		if (memory[i] != (unsigned char)(i >> 12))
			return fail("memory does not keep what was written");
	free(memory);
	return 0;
}

static int probe_clocks(void)
{
	struct timespec before, after, wall;

	if (clock_gettime(CLOCK_MONOTONIC, &before) || clock_gettime(CLOCK_MONOTONIC, &after))
		return fail("the monotonic clock");
	if (after.tv_sec < before.tv_sec || (after.tv_sec == before.tv_sec && after.tv_nsec < before.tv_nsec))
		return fail("the monotonic clock went back");
	if (clock_gettime(CLOCK_REALTIME, &wall))
		return fail("the wall clock");
	printf("wall %lld\n", (long long)wall.tv_sec);
	return 0;
}

static int probe_file(void)
{
	char line[64] = "";
	FILE *file = fopen("/tmp/probe", "w");

	if (!file || fprintf(file, "written %d\n", 42) < 0 || fclose(file))
		return fail("writing /tmp/probe");
	file = fopen("/tmp/probe", "r");
	if (!file || !fgets(line, sizeof(line), file) || fclose(file))
		return fail("reading /tmp/probe");
	if (strcmp(line, "written 42\n") != 0)
		return fail("what was read is not what was written");
	return 0;
}

static void probe_floats(void)
{
	volatile double two = 2.0;
	double sum = 0;

	for (int i = 1; i <= 1000; i++)
		sum += 1.0 / ((double)i * i);
	printf("sqrt %.15g sum %.15g third %.15g\n", sqrt(two), sum, two / 3.0);
}

static int die(const char *how)
{
	volatile int zero = 0, five = 5;

	if (strcmp(how, "crash") == 0)
		*(volatile int *)(size_t)zero = 1;
	if (strcmp(how, "divide") == 0)
		return five / zero;
	if (strcmp(how, "illegal") == 0)
		__asm__ volatile(".long 0x1f"); // no instruction on any of the three
	if (strcmp(how, "abort") == 0)
		abort();
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return die(argv[1]);
	if (probe_memory() || probe_clocks() || probe_file())
		return 1;
	probe_floats();
	printf("all well\n");
	return 0;
}

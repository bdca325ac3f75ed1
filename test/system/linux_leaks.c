// SPDX-License-Identifier: MIT
//
// Does what makes and ends processes, threads and programs again and again, and prints by how many KiB less memory
// is free after a round of each kind, the best of some.

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUND  200
#define ROUNDS 3

static long free_kibibytes(void)
{
	struct sysinfo information;

	sysinfo(&information);
	return (long)(information.freeram / 1024);
}

static void await(pid_t child)
{
	if (child < 0 || waitpid(child, NULL, 0) != child)
		abort();
}

static void fork_once(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	await(child);
}

static void vfork_once(void)
{
	pid_t child = vfork();

	if (child == 0)
		_exit(0);
	await(child);
}

static void execute_once(void)
{
	pid_t child = vfork();

	if (child == 0) {
		execl("/bin/busybox", "true", NULL);
		_exit(1);
	}
	await(child);
}

static void *end_at_once(void *argument)
{
	return argument;
}

static void thread_once(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, end_at_once, NULL) != 0)
		abort();
	pthread_join(thread, NULL);
}

static long measure_round(void (*once)(void))
{
	long before = free_kibibytes();

	for (int i = 0; i < ROUND; i++)
		once();
	return before - free_kibibytes();
}

// What is kept for reuse is taken in one round or another, what leaks in each.
static void measure(const char *name, void (*once)(void))
{
	long least = measure_round(once);

	for (int i = 1; i < ROUNDS; i++) {
		long lost = measure_round(once);

		least = lost < least ? lost : least;
	}
	printf("%s %ld\n", name, least);
}

int main(void)
{
	measure("fork", fork_once);
	measure("vfork", vfork_once);
	measure("thread", thread_once);
	measure("execute", execute_once);
	return 0;
}

// SPDX-License-Identifier: MIT
//
// Does what makes and ends processes, threads and programs again and again, and prints by how much less memory is
// free after each kind, once what is kept for reuse has been filled by a first round.

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUND 200

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

static void measure(const char *name, void (*once)(void))
{
	long before = 0;

	for (int i = 0; i < 2 * ROUND; i++) {
		if (i == ROUND)
			before = free_kibibytes();
		once();
	}
	printf("%s %ld\n", name, before - free_kibibytes());
}

int main(void)
{
	measure("fork", fork_once);
	measure("vfork", vfork_once);
	measure("thread", thread_once);
	measure("execute", execute_once);
	return 0;
}

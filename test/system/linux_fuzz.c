// SPDX-License-Identifier: MIT
//
// Children make random system calls with random arguments, from a seed; what becomes of them does not matter as
// long as the system goes on. Arguments: children, calls of each, seed.

#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE          4096
#define CALLS         460
#define CHILD_SECONDS 2

static uint64_t state;
static char *page; // and one behind it that cannot be accessed
static char buffer[1 << 16];

static uint64_t random_number(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static long random_argument(void)
{
	static const long interesting[] = {0, 1, 2, 3, 4, 5, 8, 16, 63, 64, 65, 100, 255, 256, 512, 1000,
		4095, 4096, 4097, 65536, INT32_MAX, (long)1 << 31, UINT32_MAX, (long)1 << 32, 0x7fffffffffff,
		INT64_MIN, -1, -100, -4095, -4096};

	switch (random_number() % 8) {
	case 0:
		return (long)random_number();
	case 1:
		return (long)page + (long)(random_number() % (2 * PAGE));
	case 2:
		return (long)page + PAGE - (long)(random_number() % 16);
	case 3:
		return (long)buffer + (long)(random_number() % PAGE);
	case 4:
		return (long)(random_number() % 16);
	case 5:
		return (long)page;
	default:
		return interesting[random_number() % (sizeof(interesting) / sizeof(interesting[0]))];
	}
}

static int is_one_of(long number, const long *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (numbers[i] == number)
			return 1;
	return 0;
}

#define IS_ONE_OF(number, numbers) is_one_of(number, numbers, sizeof(numbers) / sizeof((numbers)[0]))

// How seldom a call is made: 0 never, since it ends the test; else in one of so many cases.
static unsigned rareness(long number)
{
	static const long never[] = {SYS_exit, SYS_exit_group, SYS_reboot, SYS_kill, SYS_tkill, SYS_tgkill,
		SYS_clone, SYS_clone3, SYS_rt_sigsuspend,
#ifdef SYS_fork
		SYS_fork, SYS_vfork, SYS_pause
#endif
	};
	static const long ends_soon[] = {SYS_munmap, SYS_mprotect, SYS_mmap, SYS_brk, SYS_mremap,
		SYS_rt_sigreturn, SYS_madvise, SYS_rt_sigaction, SYS_set_tid_address};
	static const long waits[] = {
		SYS_nanosleep, SYS_clock_nanosleep, SYS_ppoll, SYS_pselect6, SYS_futex, SYS_rt_sigtimedwait};

	if (IS_ONE_OF(number, never))
		return 0;
	return IS_ONE_OF(number, ends_soon) ? 40 : IS_ONE_OF(number, waits) ? 20 : 1;
}

static _Noreturn void make_calls(int calls, uint64_t seed)
{
	state = seed;
	page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(page + PAGE, PAGE, PROT_NONE);
	for (int i = 0; i < 64; i++)
		random_number();
	strcpy(page, "/tmp/fuzz");
	for (int file = 0; file < 3; file++)
		close(file);
	for (int i = 0; i < calls; i++) {
		long number = (long)(random_number() % CALLS);
		unsigned rare = rareness(number);

		if (rare == 0 || random_number() % rare != 0)
			continue;
		if (random_number() % 16 == 0)
			strcpy(page, random_number() % 2 ? "/proc/self/maps" : "/tmp/x/y");
		syscall(number, random_argument(), random_argument(), random_argument(), random_argument(),
			random_argument(), random_argument());
	}
	_exit(0);
}

// Waits for a child, which is killed when it takes long.
static void await(pid_t child)
{
	struct timespec moment = {0, 10000000};
	int left = CHILD_SECONDS * 100;

	while (waitpid(child, NULL, WNOHANG) == 0) {
		nanosleep(&moment, NULL);
		if (--left == 0)
			kill(child, SIGKILL);
	}
}

int main(int argc, char **argv)
{
	int children = argc > 1 ? atoi(argv[1]) : 10, calls = argc > 2 ? atoi(argv[2]) : 3000;
	uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;

	for (int i = 0; i < children; i++) {
		pid_t child = fork();

		if (child == 0)
			make_calls(calls, seed * 1000003 + (uint64_t)i * 7919 + 1);
		if (child < 0)
			return 1;
		await(child);
	}
	printf("alive\n");
	return 0;
}

// SPDX-License-Identifier: MIT
//
// What a debug build checks about locks. Each wrong use is made in a child process, which has to end by a panic that says what
// it was; right uses go by.

#include "check.h"
#include <kernel/address_space.h>
#include <kernel/cpu.h>
#include <kernel/spinlock.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct cpu cpus[ARCH_CPU_MAX];
unsigned cpu_count = 2;

// Of one rank, by address; and of a lower and a higher one.
static struct spinlock same[2] = {SPINLOCK_INITIALIZER(RANK_THREAD), SPINLOCK_INITIALIZER(RANK_THREAD)};
static struct spinlock low = SPINLOCK_INITIALIZER(RANK_PROCESS), high = SPINLOCK_INITIALIZER(RANK_FRAME);

void tlb_shootdown_ipi(void)
{
}

static void ascending(void)
{
	spin_lock(&low);
	spin_lock(&same[0]);
	spin_lock_nested(&same[1]);
	spin_lock(&high);
	CHECK(spin_is_held(&low) && spin_is_held(&same[0]) && spin_is_held(&same[1]) && spin_is_held(&high));
	CHECK(!spin_none_held());
	// Given back in any order, and what is held afterwards is what counts.
	spin_unlock(&same[0]);
	spin_unlock(&high);
	spin_lock(&high);
	spin_unlock(&low);
	spin_unlock(&same[1]);
	spin_unlock(&high);
	CHECK(spin_none_held());
	spin_lock(&low);
	spin_unlock(&low);
}

// What another CPU holds is none of this one's concern, in whatever order.
static void beside_another_cpu(void)
{
	spin_lock(&high);
	host_cpu = &cpus[1];
	CHECK(!spin_is_held(&high) && spin_none_held());
	spin_lock(&low);
	spin_unlock(&low);
	host_cpu = &cpus[0];
	spin_unlock(&high);
}

// An attempt cannot wait, so it may come in any order.
static void attempts(void)
{
	spin_lock(&high);
	CHECK(spin_try_lock(&low));
	CHECK(!spin_try_lock(&low));
	spin_unlock(&low);
	spin_unlock(&high);
}

static void descending(void)
{
	spin_lock(&high);
	spin_lock(&low);
}

static void descending_nested(void)
{
	spin_lock(&high);
	spin_lock_nested(&low);
}

static void below_the_last_of_several(void)
{
	spin_lock(&low);
	spin_lock(&high);
	spin_lock(&same[0]);
}

static void below_one_that_was_not_first(void)
{
	spin_lock(&low);
	spin_lock(&high);
	spin_unlock(&low);
	spin_lock(&same[0]);
}

static void same_rank(void)
{
	spin_lock(&same[0]);
	spin_lock(&same[1]);
}

static void nested_by_falling_address(void)
{
	spin_lock(&same[1]);
	spin_lock_nested(&same[0]);
}

static void the_same_twice(void)
{
	spin_lock(&low);
	spin_lock_nested(&low);
}

static void with_interrupts(void)
{
	host_irq_enabled = true;
	spin_lock(&low);
}

static void not_taken(void)
{
	spin_unlock(&low);
}

static void taken_by_another_cpu(void)
{
	spin_lock(&low);
	host_cpu = &cpus[1];
	spin_unlock(&low);
}

static void more_than_there_is_room_for(void)
{
	static struct spinlock locks[LOCKS_HELD_MAX + 1];

	for (unsigned i = 0; i <= LOCKS_HELD_MAX; i++) {
		spin_init(&locks[i], RANK_LOG);
		spin_lock_nested(&locks[i]);
	}
}

// What the panic says.
static const char *order(enum lock_rank taken, enum lock_rank held)
{
	static char text[80];

	snprintf(text, sizeof(text), "lock of rank %u taken with one of rank %u held\n", taken, held);
	return text;
}

// Runs it in a child; gives what that said on standard error, and how it ended.
static int status_of(void (*use)(void), char *said, size_t size)
{
	int pipes[2], status;
	size_t length = 0;
	ssize_t more;
	pid_t child;

	CHECK(pipe(pipes) == 0);
	child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		dup2(pipes[1], STDERR_FILENO);
		for (unsigned i = 0; i < cpu_count; i++)
			cpus[i].index = i;
		use();
		_exit(0);
	}
	close(pipes[1]);
	while ((more = read(pipes[0], said + length, size - 1 - length)) > 0)
		length += (size_t)more;
	said[length] = '\0';
	close(pipes[0]);
	CHECK(waitpid(child, &status, 0) == child);
	return status;
}

static void passes(const char *name, void (*use)(void))
{
	char said[4096];
	int status = status_of(use, said, sizeof(said));

	if (status == 0)
		return;
	fprintf(stderr, "%s ended with %#x: %s\n", name, (unsigned)status, said);
	CHECK(status == 0);
}

static void panics(const char *name, void (*use)(void), const char *wanted)
{
	char said[4096];
	int status = status_of(use, said, sizeof(said));

	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && strstr(said, wanted))
		return;
	fprintf(stderr, "%s ended with %#x: %s\n", name, (unsigned)status, said);
	CHECK(!"it panics as it should");
}

#define PASSES(use)         passes(#use, use)
#define PANICS(use, wanted) panics(#use, use, wanted)

int main(void)
{
	PASSES(ascending);
	PASSES(beside_another_cpu);
	PASSES(attempts);
	PANICS(descending, order(RANK_PROCESS, RANK_FRAME));
	PANICS(descending_nested, order(RANK_PROCESS, RANK_FRAME));
	PANICS(below_the_last_of_several, order(RANK_THREAD, RANK_FRAME));
	PANICS(below_one_that_was_not_first, order(RANK_THREAD, RANK_FRAME));
	PANICS(same_rank, order(RANK_THREAD, RANK_THREAD));
	PANICS(nested_by_falling_address, order(RANK_THREAD, RANK_THREAD));
	PANICS(the_same_twice, order(RANK_PROCESS, RANK_PROCESS));
	PANICS(with_interrupts, "assertion failed: !arch_irq_enabled()");
	PANICS(not_taken, "assertion failed: spin_is_held(lock)");
	PANICS(taken_by_another_cpu, "assertion failed: spin_is_held(lock)");
	PANICS(more_than_there_is_room_for, "assertion failed: cpu->locks_held_count < LOCKS_HELD_MAX");
	return 0;
}

// SPDX-License-Identifier: MIT
//
// A static glibc program that asks the Linux personality for futexes: mutexes whose owners end, that lend priority, and the calls
// below them.

#define _GNU_SOURCE
#include "linux_check.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// --- Mutexes whose owners end

struct shared_mutex {
	pthread_mutex_t mutex;
	volatile uint32_t waits, never;
};

// A robust mutex in memory that children share.
static struct shared_mutex *make_robust(int protocol)
{
	struct shared_mutex *shared = mmap(
		NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t attributes;

	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setprotocol(&attributes, protocol);
	return shared != MAP_FAILED && pthread_mutex_init(&shared->mutex, &attributes) == 0 ? shared : NULL;
}

enum end { EXITS, IS_KILLED, EXECUTES };

static _Noreturn void lock_and_end(struct shared_mutex *shared, enum end end, int locked)
{
	if (pthread_mutex_lock(&shared->mutex) != 0 || write(locked, "", 1) != 1)
		_exit(1);
	pause_for(20);
	if (end == EXECUTES)
		execl("/bin/busybox", "true", (char *)NULL);
	if (end == IS_KILLED)
		kill(getpid(), SIGKILL);
	_exit(0);
}

static void survive_owners(int protocol)
{
	struct shared_mutex *shared = make_robust(protocol);
	int status, gate[2];
	char byte;

	EXPECT(shared != NULL && pipe(gate) == 0);
	for (enum end end = EXITS; end <= EXECUTES; end++) {
		pid_t child = fork();

		if (child == 0)
			lock_and_end(shared, end, gate[1]);
		EXPECT(read(gate[0], &byte, 1) == 1);
		EXPECT(pthread_mutex_lock(&shared->mutex) == EOWNERDEAD);
		EXPECT(pthread_mutex_consistent(&shared->mutex) == 0);
		EXPECT(pthread_mutex_unlock(&shared->mutex) == 0);
		EXPECT(waitpid(child, &status, 0) == child);
	}
	close(gate[0]);
	close(gate[1]);
	munmap(shared, PAGE);
}

static void robust_mutexes_survive_their_owners(void)
{
	survive_owners(PTHREAD_PRIO_NONE);
}

static void inheriting_mutexes_survive_their_owners(void)
{
	survive_owners(PTHREAD_PRIO_INHERIT);
}

static void *lock_and_leave(void *shared)
{
	return pthread_mutex_lock(&((struct shared_mutex *)shared)->mutex) == 0 ? shared : NULL;
}

static void robust_mutexes_survive_threads(void)
{
	struct shared_mutex *shared = make_robust(PTHREAD_PRIO_NONE);
	pthread_t thread;
	void *result;

	EXPECT(shared != NULL && pthread_create(&thread, NULL, lock_and_leave, shared) == 0);
	EXPECT(pthread_join(thread, &result) == 0 && result == shared);
	EXPECT(pthread_mutex_trylock(&shared->mutex) == EOWNERDEAD);
	EXPECT(pthread_mutex_unlock(&shared->mutex) == 0);
	// Nobody made it consistent.
	EXPECT(pthread_mutex_lock(&shared->mutex) == ENOTRECOVERABLE);
	munmap(shared, PAGE);
}

// --- Mutexes and words that lend priority

// Counts in `waits` what only one at a time may.
static void *count_locked(void *argument)
{
	struct shared_mutex *shared = argument;

	for (int i = 0; i < 2000; i++) {
		uint32_t count;

		if (pthread_mutex_lock(&shared->mutex) != 0)
			return NULL;
		count = shared->waits;
		if (i % 16 == 0)
			sched_yield();
		shared->waits = count + 1;
		if (pthread_mutex_unlock(&shared->mutex) != 0)
			return NULL;
	}
	return argument;
}

static void mutexes_inherit(void)
{
	struct shared_mutex *shared = make_robust(PTHREAD_PRIO_INHERIT);
	pthread_t threads[4];
	void *result;
	pid_t child;
	int status;

	EXPECT(shared != NULL);
	child = fork();
	if (child == 0)
		_exit(count_locked(shared) == NULL);
	for (int i = 0; i < 4; i++)
		EXPECT(pthread_create(&threads[i], NULL, count_locked, shared) == 0);
	for (int i = 0; i < 4; i++)
		EXPECT(pthread_join(threads[i], &result) == 0 && result == shared);
	EXPECT(waitpid(child, &status, 0) == child && status == 0);
	EXPECT(shared->waits == 5 * 2000);
	munmap(shared, PAGE);
}

static long futex(volatile uint32_t *word, int operation, uint32_t value, long second,
	volatile uint32_t *target, uint32_t third)
{
	return syscall(SYS_futex, word, operation, value, second, target, third);
}

#define LOCK_PI2 13 // newer than some headers

struct owned {
	volatile uint32_t word, other;
	volatile int32_t owner;
	int go[2];
};

// Owns the word, and waits for the other one where the first thread owns that.
static void *own_word(void *argument)
{
	struct owned *owned = argument;
	char byte;
	long result;

	if (futex(&owned->word, FUTEX_LOCK_PI, 0, 0, NULL, 0) != 0)
		return NULL;
	owned->owner = (int32_t)syscall(SYS_gettid);
	if (read(owned->go[0], &byte, 1) != 1)
		return NULL;
	if (byte == 'w') {
		result = futex(&owned->other, FUTEX_LOCK_PI, 0, 0, NULL, 0);
		if (result == 0)
			futex(&owned->other, FUTEX_UNLOCK_PI, 0, 0, NULL, 0);
	}
	if (byte == 'e')
		return argument;
	return futex(&owned->word, FUTEX_UNLOCK_PI, 0, 0, NULL, 0) == 0 ? argument : NULL;
}

static bool start_owner(struct owned *owned, pthread_t *thread)
{
	owned->word = 0;
	owned->owner = 0;
	if (pthread_create(thread, NULL, own_word, owned) != 0)
		return false;
	while (owned->owner == 0)
		pause_for(1);
	return owned->word == (uint32_t)owned->owner;
}

static void words_have_their_owners(void)
{
	static struct owned owned;
	struct timespec soon;
	uint32_t self = (uint32_t)syscall(SYS_gettid);
	pthread_t thread;
	void *result;

	EXPECT(pipe(owned.go) == 0);
	EXPECT(futex(&owned.other, FUTEX_UNLOCK_PI, 0, 0, NULL, 0) == -1 && errno == EPERM);
	EXPECT(futex(NULL, FUTEX_LOCK_PI, 0, 0, NULL, 0) == -1 && errno == EFAULT);
	EXPECT(futex(&owned.other, FUTEX_TRYLOCK_PI, 0, 0, NULL, 0) == 0 && owned.other == self);
	EXPECT(futex(&owned.other, FUTEX_LOCK_PI, 0, 0, NULL, 0) == -1 && errno == EDEADLK);
	EXPECT(futex(&owned.other, FUTEX_UNLOCK_PI, 0, 0, NULL, 0) == 0 && owned.other == 0);
	EXPECT(start_owner(&owned, &thread));
	EXPECT(futex(&owned.word, FUTEX_TRYLOCK_PI, 0, 0, NULL, 0) == -1 && errno == EAGAIN);
	EXPECT(futex(&owned.word, FUTEX_UNLOCK_PI, 0, 0, NULL, 0) == -1 && errno == EPERM);
	clock_gettime(CLOCK_REALTIME, &soon);
	soon.tv_sec -= 1;
	EXPECT(futex(&owned.word, FUTEX_LOCK_PI, 0, (long)&soon, NULL, 0) == -1 && errno == ETIMEDOUT);
	EXPECT(owned.word == ((uint32_t)owned.owner | FUTEX_WAITERS));
	clock_gettime(CLOCK_MONOTONIC, &soon);
	EXPECT(futex(&owned.word, LOCK_PI2, 0, (long)&soon, NULL, 0) == -1 && errno == ETIMEDOUT);
	// It waits for what this thread owns, which therefore must not wait for it.
	EXPECT(futex(&owned.other, FUTEX_LOCK_PI, 0, 0, NULL, 0) == 0);
	EXPECT(write(owned.go[1], "w", 1) == 1);
	while (owned.other == self)
		pause_for(1);
	while (futex(&owned.word, LOCK_PI2, 0, (long)&soon, NULL, 0) == -1 && errno == ETIMEDOUT)
		pause_for(1);
	EXPECT(errno == EDEADLK);
	EXPECT(futex(&owned.other, FUTEX_UNLOCK_PI, 0, 0, NULL, 0) == 0);
	EXPECT(futex(&owned.word, FUTEX_LOCK_PI, 0, 0, NULL, 0) == 0);
	EXPECT(pthread_join(thread, &result) == 0 && result == &owned);
	EXPECT(futex(&owned.word, FUTEX_UNLOCK_PI, 0, 0, NULL, 0) == 0 && owned.word == 0);
	// Its owner ends: whoever waits gets it, whoever comes later finds nobody.
	EXPECT(start_owner(&owned, &thread));
	EXPECT(write(owned.go[1], "e", 1) == 1 && pthread_join(thread, &result) == 0 && result == &owned);
	if (futex(&owned.word, FUTEX_LOCK_PI, 0, 0, NULL, 0) == 0)
		EXPECT(owned.word == (self | FUTEX_WAITERS | FUTEX_OWNER_DIED));
	else
		EXPECT(errno == ESRCH && owned.word == (uint32_t)owned.owner);
	close(owned.go[0]);
	close(owned.go[1]);
}

static void *wait_while_zero(void *argument)
{
	struct shared_mutex *shared = argument;

	while (shared->waits == 0)
		futex(&shared->waits, FUTEX_WAIT_BITSET, 0, 0, NULL, 6);
	return argument;
}

// Repeats a call that wakes until it has woken somebody, for ten seconds.
static bool wakes(volatile uint32_t *word, int operation, uint32_t value, long second,
	volatile uint32_t *target, uint32_t third)
{
	for (int i = 0; i < 10000; i++) {
		if (futex(word, operation, value, second, target, third) == 1)
			return true;
		pause_for(1);
	}
	return false;
}

static void futexes_change_and_wake(void)
{
	struct shared_mutex shared = {.waits = 0};
	volatile uint32_t *waits = &shared.waits, *never = &shared.never;
	pthread_t thread;

	EXPECT(pthread_create(&thread, NULL, wait_while_zero, &shared) == 0);
	EXPECT(wakes(waits, FUTEX_WAKE_BITSET, 1, 0, NULL, 2));
	EXPECT(wakes(never, FUTEX_WAKE_OP, 1, 1, waits, FUTEX_OP(FUTEX_OP_OR, 0, FUTEX_OP_CMP_EQ, 0)));
	EXPECT(wakes(waits, FUTEX_WAKE_OP, 1, 1, never, FUTEX_OP(FUTEX_OP_ADD, 7, FUTEX_OP_CMP_LT, -1)));
	EXPECT(*never >= 7 && *never % 7 == 0);
	// Whoever waits does so for what does not come about.
	EXPECT(futex(never, FUTEX_WAKE_OP, 1, 1, waits, FUTEX_OP(FUTEX_OP_ADD, 12, FUTEX_OP_CMP_GT, 0)) == 0);
	EXPECT(*waits == 12);
	EXPECT(futex(waits, FUTEX_WAKE, 1, 0, NULL, 0) >= 0 && pthread_join(thread, NULL) == 0);
	EXPECT(futex(never, FUTEX_WAKE_OP, 0, 0, waits, FUTEX_OP(FUTEX_OP_ANDN, 4, FUTEX_OP_CMP_NE, 0)) == 0);
	EXPECT(*waits == 8);
	EXPECT(futex(never, FUTEX_WAKE_OP, 0, 0, waits, FUTEX_OP(FUTEX_OP_XOR, 9, FUTEX_OP_CMP_LE, 0)) == 0);
	EXPECT(*waits == 1);
	EXPECT(futex(never, FUTEX_WAKE_OP, 0, 0, waits,
		       FUTEX_OP((FUTEX_OP_SET | FUTEX_OP_OPARG_SHIFT), 5, FUTEX_OP_CMP_GE, 0)) == 0);
	EXPECT(*waits == 32);
	EXPECT(futex(never, FUTEX_WAKE_OP, 0, 0, waits, FUTEX_OP(7, 5, FUTEX_OP_CMP_GE, 0)) == -1);
	EXPECT(errno == ENOSYS && *waits == 32);
	EXPECT(futex(never, FUTEX_WAKE_OP, 0, 0, NULL, 0) == -1 && errno == EFAULT);
	EXPECT(futex(waits, FUTEX_WAIT_BITSET, 32, 0, NULL, 0) == -1 && errno == EINVAL);
}

static const struct check checks[] = {
	CHECK(robust_mutexes_survive_their_owners),
	CHECK(robust_mutexes_survive_threads),
	CHECK(inheriting_mutexes_survive_their_owners),
	CHECK(mutexes_inherit),
	CHECK(words_have_their_owners),
	CHECK(futexes_change_and_wake),
};

int main(void)
{
	return run_checks(checks, sizeof(checks) / sizeof(checks[0]));
}

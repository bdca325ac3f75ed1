// SPDX-License-Identifier: MIT
//
// The C library of native programs: what it gets from the runtime, and that its pieces hold together.

#include "check.h"
#include <errno.h>
#include <math.h>
#include <protocol/console.h>
#include <pthread.h>
#include <runtime/format.h>
#include <runtime/ipc.h>
#include <runtime/start.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define THREADS_AT_ONCE 100
#define THREADS_IN_TURN 1000
#define BLOCKS          500

static void test_text(void)
{
	char text[64], whole[64];
	snprintf(text, sizeof(text), "%.15g %.3e %a", 1.0 / 3, 12345.678, 0.5);
	check(strcmp(text, "0.333333333333333 1.235e+04 0x1p-1") == 0, "floating point is printed");
	check(strtod("2.5e3", NULL) == 2500.0 && fabs(sin(1.0) - 0.8414709848078965) < 1e-15,
		"floating point is read and computed");
	size_t length = format_text(text, sizeof(text), "%s|%5d|%-5u|%05x|%lu|%c%%|%.2s|%p", "a", -42, 7u,
		0xabu, (unsigned long)UINT64_MAX, 'c', "xyz", (void *)0x10);
	check(strcmp(text, "a|  -42|7    |000ab|18446744073709551615|c%|xy|0x10") == 0 &&
			length == strlen(text),
		"format_text formats");
	length = format_text(whole, 5, "%s", "too long");
	check(length == 4 && strcmp(whole, "too ") == 0, "format_text cuts off");
}

static int compare(const void *left, const void *right)
{
	return *(const int *)left - *(const int *)right;
}

static void test_memory(void)
{
	static unsigned char *blocks[BLOCKS];
	static int numbers[BLOCKS];
	bool good = true;
	srand(7);
	for (unsigned round = 0; round < 20 * BLOCKS; round++) {
		unsigned i = (unsigned)rand() % BLOCKS;
		size_t size = (size_t)rand() % 20000 + 1;
		if (blocks[i] != NULL)
			good = good && blocks[i][0] == (i & 0xff);
		free(blocks[i]);
		blocks[i] = malloc(size);
		memset(blocks[i], (int)(i & 0xff), size);
	}
	for (unsigned i = 0; i < BLOCKS; i++) {
		free(blocks[i]);
		numbers[i] = rand();
	}
	check(good, "memory is taken and given back");
	qsort(numbers, BLOCKS, sizeof(int), compare);
	for (unsigned i = 1; i < BLOCKS; i++)
		good = good && numbers[i - 1] <= numbers[i];
	check(good, "numbers are sorted");
	errno = 0;
	void *volatile huge = malloc((size_t)1 << 60);
	check(huge == NULL && errno == ENOMEM, "too much memory is refused");
}

static void test_files(void)
{
	char line[32] = "";
	struct stat status;
	FILE *file = fopen("/tmp/c_library", "w+");
	check(file != NULL && fprintf(file, "number %d\n", 5) == 9 && fseek(file, 7, SEEK_SET) == 0 &&
			fgets(line, sizeof(line), file) != NULL && strcmp(line, "5\n") == 0 &&
			fclose(file) == 0,
		"a file is written and read");
	check(stat("/tmp/c_library", &status) == 0 && S_ISREG(status.st_mode) && status.st_size == 9,
		"a file is looked at");
	check(unlink("/tmp/c_library") == 0 && fopen("/tmp/c_library", "r") == NULL && errno == ENOENT,
		"a file is removed");
}

static void test_time(void)
{
	struct timespec before, after, wall;
	clock_gettime(CLOCK_MONOTONIC, &before);
	nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
	clock_gettime(CLOCK_MONOTONIC, &after);
	clock_gettime(CLOCK_REALTIME, &wall);
	double slept = (double)(after.tv_sec - before.tv_sec) +
		(double)(after.tv_nsec - before.tv_nsec) / 1e9;
	check(slept >= 0.02 && slept < 2, "sleeping takes its time");
	check(wall.tv_sec > 1600000000, "the time of day");
}

// --- Threads

static _Thread_local int own = 11;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned waiting, released;
static bool go;

static void *wait_for_go(void *unused)
{
	struct message message = {.info = MESSAGE_INFO(CONSOLE_COUNT_INPUT, 0, 0)};
	bool good = own == 11 && message_buffer() != NULL &&
		protocol_call(start_handle(START_CONSOLE), &message) == ERR_OK;
	own++;
	pthread_mutex_lock(&lock);
	waiting++;
	pthread_cond_broadcast(&changed);
	while (!go)
		pthread_cond_wait(&changed, &lock);
	released += good && own == 12;
	pthread_mutex_unlock(&lock);
	return unused;
}

static void *count_one(void *unused)
{
	pthread_mutex_lock(&lock);
	released++;
	pthread_mutex_unlock(&lock);
	return unused;
}

// --- Data of a thread by key

static pthread_key_t key;
static _Atomic unsigned destroyed;

static void destroy(void *value)
{
	destroyed += *(unsigned *)value;
	free(value);
}

static void *keep_by_key(void *number)
{
	unsigned *value = malloc(sizeof(*value));
	bool good = pthread_getspecific(key) == NULL && value != NULL && pthread_setspecific(key, value) == 0;
	if (good)
		*value = (unsigned)(uintptr_t)number;
	sched_yield();
	return good && pthread_getspecific(key) == value ? NULL : number;
}

static void test_keys(void)
{
	pthread_t threads[10];
	unsigned own_value = 1000;
	bool good = pthread_key_create(&key, destroy) == 0 && pthread_setspecific(key, &own_value) == 0;
	for (uintptr_t i = 0; i < 10; i++)
		good = good && pthread_create(&threads[i], NULL, keep_by_key, (void *)(i + 1)) == 0;
	for (unsigned i = 0; i < 10; i++) {
		void *result = threads;
		good = good && pthread_join(threads[i], &result) == 0 && result == NULL;
	}
	check(good && destroyed == 55,
		"each thread has its own value of a key, and a destructor gets it at the end");
	check(pthread_getspecific(key) == &own_value && pthread_key_delete(key) == 0,
		"others' ends leave it alone");
}

static void test_threads(void)
{
	static pthread_t threads[THREADS_AT_ONCE];
	bool good = true;
	for (unsigned i = 0; i < THREADS_AT_ONCE; i++)
		good = good && pthread_create(&threads[i], NULL, wait_for_go, NULL) == 0;
	pthread_mutex_lock(&lock);
	while (good && waiting < THREADS_AT_ONCE)
		pthread_cond_wait(&changed, &lock);
	go = true;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	for (unsigned i = 0; i < THREADS_AT_ONCE && good; i++)
		pthread_join(threads[i], NULL);
	check(good && released == THREADS_AT_ONCE && own == 11,
		"100 threads at once, each with its own message buffer and variables");
	released = 0;
	for (unsigned i = 0; i < THREADS_IN_TURN && good; i++)
		good = pthread_create(&threads[0], NULL, count_one, NULL) == 0 &&
			pthread_join(threads[0], NULL) == 0;
	check(good && released == THREADS_IN_TURN, "1000 threads in turn");
	for (unsigned i = 0; i < THREADS_IN_TURN && good; i++)
		good = pthread_create(&threads[0], NULL, count_one, NULL) == 0 &&
			pthread_detach(threads[0]) == 0;
	for (unsigned tries = 0; tries < 1000 && released < 2 * THREADS_IN_TURN; tries++)
		nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	check(good && released == 2 * THREADS_IN_TURN, "1000 detached threads");
}

#define COUNTERS 4
#define COUNTED  1000

static pthread_mutex_t inheriting;
static unsigned counted;

static void *count_locked(void *unused)
{
	for (unsigned i = 0; i < COUNTED; i++) {
		unsigned before;
		if (pthread_mutex_lock(&inheriting) != 0)
			return &inheriting;
		before = counted;
		if (i % 8 == 0)
			sched_yield();
		counted = before + 1;
		if (pthread_mutex_unlock(&inheriting) != 0)
			return &inheriting;
	}
	return unused;
}

static void *lock_and_leave(void *unused)
{
	pthread_mutex_lock(&inheriting);
	released = 1;
	while (released != 2)
		sched_yield();
	return unused;
}

static void test_mutexes(void)
{
	struct timespec soon;
	pthread_mutexattr_t attributes;
	pthread_t threads[COUNTERS];
	void *result;
	bool good = pthread_mutexattr_init(&attributes) == 0 &&
		pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT) == 0 &&
		pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0 &&
		pthread_mutex_init(&inheriting, &attributes) == 0;
	check(good, "mutexes can inherit priority and be robust");
	for (unsigned i = 0; i < COUNTERS; i++)
		good = good && pthread_create(&threads[i], NULL, count_locked, NULL) == 0;
	good = good && count_locked(NULL) == NULL;
	for (unsigned i = 0; i < COUNTERS; i++)
		good = good && pthread_join(threads[i], &result) == 0 && result == NULL;
	check(good && counted == (COUNTERS + 1) * COUNTED, "one thread at a time has an inheriting mutex");
	released = 0;
	good = good && pthread_create(&threads[0], NULL, lock_and_leave, NULL) == 0;
	while (good && released == 0)
		sched_yield();
	clock_gettime(CLOCK_REALTIME, &soon);
	soon.tv_sec--;
	result = &inheriting;
	check(pthread_mutex_timedlock(&inheriting, &soon) == ETIMEDOUT, "locking has a deadline");
	released = 2;
	check(pthread_mutex_lock(&inheriting) == EOWNERDEAD && pthread_mutex_consistent(&inheriting) == 0 &&
			pthread_mutex_unlock(&inheriting) == 0 && pthread_join(threads[0], NULL) == 0,
		"whoever waits for a mutex is told of its holder's end");
}

int main(void)
{
	test_text();
	test_memory();
	test_files();
	test_time();
	test_threads();
	test_keys();
	test_mutexes();
	return check_end();
}

// SPDX-License-Identifier: MIT
//
// A native program that uses what native programs have: the C library's output, memory, threads and
// arithmetic.

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS 4
#define ROUNDS  1000

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local unsigned own;
static unsigned total;

static void *count(void *argument)
{
	for (unsigned i = 0; i < ROUNDS; i++) {
		own++;
		pthread_mutex_lock(&lock);
		total += (unsigned)(size_t)argument;
		pthread_mutex_unlock(&lock);
	}
	return (void *)(size_t)own;
}

static unsigned run_threads(void)
{
	pthread_t threads[THREADS];
	unsigned counted = 0;
	for (size_t i = 0; i < THREADS; i++) {
		if (pthread_create(&threads[i], NULL, count, (void *)(i + 1)) != 0) {
			perror("pthread_create");
			exit(1);
		}
	}
	for (size_t i = 0; i < THREADS; i++) {
		void *result;
		pthread_join(threads[i], &result);
		counted += (unsigned)(size_t)result;
	}
	return counted;
}

int main(int argument_count, char **arguments)
{
	size_t size = (size_t)8 << 20;
	char *memory = malloc(size);
	if (memory == NULL) {
		perror("malloc");
		return 1;
	}
	memset(memory, 'x', size - 1);
	memory[size - 1] = '\0';

	printf("hello from %s with %d argument(s)\n", arguments[0], argument_count - 1);
	printf("pi is %.15g, its root %.15g\n", acos(-1.0), sqrt(acos(-1.0)));
	printf("%zu bytes of memory\n", strlen(memory) + 1);
	unsigned counted = run_threads();
	printf("%d threads counted to %u and %u\n", THREADS, counted, total);
	free(memory);
	return argument_count > 1 ? atoi(arguments[1]) : 0;
}

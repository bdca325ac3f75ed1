// SPDX-License-Identifier: MIT
//
// Making and ending threads.

#include "bench.h"
#include "counter.h"

#define COUNT 64

static uint64_t sleep_for_ever(void *argument)
{
	(void)argument;
	thread_sleep(DEADLINE_NEVER);
	return 0;
}

static struct worker workers[COUNT];

static handle_t timed[COUNT];

// Threads of the lowest priority: none runs before it is counted.
static uint64_t create(void *context, uint64_t count)
{
	uint64_t total = 0;

	(void)context;
	for (uint64_t i = 0; i < count; i++) {
		struct thread_attributes attributes = {
			.name = "bench", .priority = 1, .flags = THREAD_SUSPENDED};
		uint64_t start;

		// The first one only finds a stack and an address for the buffer; what is timed is made of the same attributes.
		MUST(worker_start_with(&workers[i], sleep_for_ever, NULL, &attributes));
		attributes.message_buffer = 0;
		attributes.flags = 0;
		start = counter_read();
		thread_create(HANDLE_SELF, &attributes, &timed[i]);
		total += counter_read() - start;
	}
	for (uint64_t i = 0; i < count; i++) {
		thread_kill(timed[i], 0);
		handle_close(timed[i]);
		thread_kill(workers[i].thread, 0);
		worker_join(&workers[i]);
	}
	return counter_instructions(total);
}

// From the kill of a thread that waits to the closing of its handle, its end included.
static uint64_t destroy(void *context, uint64_t count)
{
	uint64_t total = 0;

	(void)context;
	for (uint64_t i = 0; i < count; i++) {
		uint64_t start, status;

		MUST(worker_start(&workers[i], sleep_for_ever, NULL));
		MUST(wait_for_state(workers[i].thread, THREAD_SLEEPING));
		start = counter_read();
		thread_kill(workers[i].thread, 0);
		thread_join(workers[i].thread, DEADLINE_NEVER, &status);
		handle_close(workers[i].thread);
		total += counter_read() - start;
		worker_forget(&workers[i]);
	}
	return counter_instructions(total);
}

void bench_threads(void)
{
	bench_timed("thread_create_start", create, NULL, COUNT);
	bench_timed("thread_destroy", destroy, NULL, COUNT);
}

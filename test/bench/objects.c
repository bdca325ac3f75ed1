// SPDX-License-Identifier: MIT
//
// Capabilities and processes.

#include "bench.h"
#include "counter.h"

#define COUNT 256

static handle_t copies[COUNT];

static uint64_t copy(void *context, uint64_t count)
{
	uint64_t start = counter_read(), total;

	for (uint64_t i = 0; i < count; i++)
		handle_duplicate(*(handle_t *)context, RIGHTS_SAME, &copies[i]);
	total = counter_read() - start;
	for (uint64_t i = 0; i < count; i++)
		handle_close(copies[i]);
	return counter_instructions(total);
}

static uint64_t close(void *context, uint64_t count)
{
	uint64_t start;

	for (uint64_t i = 0; i < count; i++)
		handle_duplicate(*(handle_t *)context, RIGHTS_SAME, &copies[i]);
	start = counter_read();
	for (uint64_t i = 0; i < count; i++)
		handle_close(copies[i]);
	return counter_instructions(counter_read() - start);
}

#define REVOKED 100 // capabilities derived from one

static uint64_t revoke(void *context, uint64_t count)
{
	handle_t parent, child;
	uint64_t total = 0;

	for (uint64_t i = 0; i < count; i++) {
		uint64_t start;

		MUST_OK(handle_duplicate(*(handle_t *)context, RIGHTS_SAME, &parent));
		for (unsigned n = 0; n < REVOKED; n++)
			MUST_OK(handle_duplicate(parent, RIGHTS_SAME, &child));
		start = counter_read();
		handle_revoke(parent);
		total += counter_read() - start;
		handle_close(parent);
	}
	return counter_instructions(total);
}

static uint64_t exit_at_once(uint64_t status)
{
	return status;
}

// With the copy of the image, which the measured part includes.
static uint64_t process_life(void *context, uint64_t count)
{
	uint64_t total = 0;

	(void)context;
	for (uint64_t i = 0; i < count; i++) {
		uint64_t start = counter_read();
		struct child child;

		MUST(child_start(&child, exit_at_once, 0, NULL, 0));
		child_wait(&child);
		total += counter_read() - start;
	}
	return counter_instructions(total);
}

void bench_objects(void)
{
	handle_t notification;

	MUST_OK(notification_create(&notification));
	bench_timed("cap_copy", copy, &notification, COUNT);
	bench_timed("cap_close", close, &notification, COUNT);
	bench_timed("cap_revoke_100", revoke, &notification, 8);
	handle_close(notification);
	bench_timed("process_create_exit_reap", process_life, NULL, 8);
}

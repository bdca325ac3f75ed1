// SPDX-License-Identifier: MIT
//
// Calls and answers between processes and threads.

#include "bench.h"
#include "counter.h"
#include <string.h>

#define COUNT 1000

struct client {
	handle_t endpoint;
	uint64_t info;
};

static void call_lean(void *context, uint64_t count)
{
	struct client *client = context;

	for (uint64_t i = 0; i < count; i++)
		lean_call(client->endpoint, client->info, 1, 2, 3, 4);
}

static void call_wide(void *context, uint64_t count)
{
	struct client *client = context;

	for (uint64_t i = 0; i < count; i++) {
		struct message message = {.info = client->info, .words = {1, 2, 3, 4, 5, 6, 7, 8}};

		endpoint_call(client->endpoint, &message);
	}
}

static void call_with_capability(void *context, uint64_t count)
{
	struct client *client = context;

	for (uint64_t i = 0; i < count; i++) {
		struct message message = {.info = MESSAGE_INFO(1, 0, 1)};

		message_buffer()->capabilities[0] = client->endpoint;
		endpoint_call(client->endpoint, &message);
	}
}

static char pages[2][PAGE_SIZE] __attribute__((aligned(4096)));

static void call_with_buffers(void *context, uint64_t count)
{
	struct client *client = context;

	for (uint64_t i = 0; i < count; i++) {
		struct message message = {.info = MESSAGE_BUFFERS};

		message_offer(0, pages[0], PAGE_SIZE, OFFER_READ);
		message_offer(1, pages[1], PAGE_SIZE, OFFER_WRITE);
		endpoint_call(client->endpoint, &message);
	}
}

// --- Servers, in a child process: the argument is the info of each answer.

static uint64_t serve_lean(uint64_t info)
{
	return lean_serve(child_given[0], info);
}

static uint64_t serve_with_fpu(uint64_t info)
{
	use_fpu(0x123456789abcdef0);
	return lean_serve(child_given[0], info);
}

static uint64_t serve_wide(uint64_t info)
{
	struct message message = {0};

	endpoint_receive(child_given[0], &message);
	do {
		message.info = info;
	} while (endpoint_reply_receive(child_given[0], &message) == ERR_OK);
	return 0;
}

static uint64_t serve_capabilities(uint64_t info)
{
	struct message message = {0};

	endpoint_receive(child_given[0], &message);
	do {
		handle_close(child_message_buffer->capabilities[0]);
		message.info = info;
	} while (endpoint_reply_receive(child_given[0], &message) == ERR_OK);
	return 0;
}

static uint64_t serve_buffers(uint64_t info)
{
	struct message message = {0};
	uint64_t copied;

	endpoint_receive(child_given[0], &message);
	do {
		reply_read(HANDLE_NONE, 0, 0, pages[0], PAGE_SIZE, &copied);
		reply_write(HANDLE_NONE, 1, 0, pages[0], PAGE_SIZE, &copied);
		message.info = info;
	} while (endpoint_reply_receive(child_given[0], &message) == ERR_OK);
	return 0;
}

static void bench_process(
	const char *name, uint64_t (*server)(uint64_t), operation *run, uint64_t words, uint32_t priority)
{
	struct client client = {.info = MESSAGE_INFO(0, words, 0)};
	struct child child;

	MUST_OK(endpoint_create(&client.endpoint));
	MUST(child_start(&child, server, MESSAGE_INFO(0, words, 0), &client.endpoint, 1));
	if (priority)
		MUST_OK(thread_set_priority(child.thread, priority));
	MUST(wait_for_state(child.thread, THREAD_BLOCKED));
	bench(name, run, &client, COUNT);
	process_kill(child.process, 0);
	child_wait(&child);
	handle_close(client.endpoint);
}

static uint64_t serve_thread(void *argument)
{
	struct client *client = argument;

	return lean_serve(client->endpoint, client->info);
}

static void bench_thread(const char *name, uint64_t words)
{
	struct client client = {.info = MESSAGE_INFO(0, words, 0)};
	struct worker worker;

	MUST_OK(endpoint_create(&client.endpoint));
	MUST(worker_start(&worker, serve_thread, &client));
	MUST(wait_for_state(worker.thread, THREAD_BLOCKED));
	bench(name, call_lean, &client, COUNT);
	thread_kill(worker.thread, 0);
	worker_join(&worker);
	handle_close(client.endpoint);
}

void bench_ipc(void)
{
	memset(pages, 1, sizeof(pages));
	bench_process("ipc_rt_process_0w", serve_lean, call_lean, 0, 0);
	bench_process("ipc_rt_process_4w", serve_lean, call_lean, 4, 0);
	bench_process("ipc_rt_process_8w", serve_wide, call_wide, 8, 0);
	bench_process("ipc_rt_process_64w", serve_wide, call_wide, 64, 0);
	bench_thread("ipc_rt_thread_0w", 0);
	bench_thread("ipc_rt_thread_4w", 4);
	bench_process("ipc_rt_server_low", serve_lean, call_lean, 4, THREAD_PRIORITY_DEFAULT - 10);
	bench_process("ipc_rt_cap", serve_capabilities, call_with_capability, 0, 0);
	bench_process("ipc_rt_buffer_4k", serve_buffers, call_with_buffers, 0, 0);
}

// Apart from the others and last: from here on this thread uses the floating-point registers.
void bench_ipc_fpu(void)
{
	use_fpu(0xfedcba9876543210);
	bench_process("ipc_rt_process_4w_fpu", serve_with_fpu, call_lean, 4, 0);
	MUST(read_fpu() == 0xfedcba9876543210);
}

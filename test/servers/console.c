// SPDX-License-Identifier: MIT
//
// The console: what it answers to good and to hostile requests. There is no input in a test.

#include "check.h"
#include <protocol/error.h>
#include <pthread.h>
#include <runtime/console.h>
#include <runtime/ipc.h>
#include <runtime/start.h>
#include <runtime/system_calls.h>
#include <runtime/thread.h>
#include <string.h>

#define MILLISECOND ((uint64_t)1000 * 1000)

static handle_t console;

static enum error call(uint32_t label, size_t length, uint64_t word0, uint64_t word1)
{
	struct message message = {.info = MESSAGE_INFO(label, length, 0), .words = {word0, word1}};
	return protocol_call(console, &message);
}

static enum error write_from(const void *address, size_t length, uint64_t stream)
{
	struct message message = {
		.info = MESSAGE_INFO(CONSOLE_WRITE, 2, 0) | MESSAGE_BUFFERS,
		.words = {stream, length},
	};
	message_offer(0, address, length, OFFER_READ);
	return protocol_call(console, &message);
}

static void test_output(void)
{
	check_error(console_write(console, CONSOLE_OUTPUT, "# output\n", 9), ERR_OK, "output is written");
	check_error(console_write(console, CONSOLE_ERROR, "error output\n", 13), ERR_OK,
		"error output is written");
	check_error(console_write(console, CONSOLE_OUTPUT, "", 0), ERR_OK, "no bytes are written");
	check_error(write_from("x", 1, 7), ERR_INVALID_ARGUMENT, "a stream that there is not");
	check_error(
		write_from((void *)0x1000, 1, CONSOLE_OUTPUT), ERR_PEER_FAULT, "bytes from unmapped memory");
	check_error(call(CONSOLE_WRITE, 2, CONSOLE_OUTPUT, 1), ERR_INVALID_ARGUMENT,
		"bytes that are not offered");
	check_error(call(CONSOLE_DRAIN, 0, 0, 0), ERR_OK, "output drains");
	check_error(call(CONSOLE_FINISH, 1, 0, 0), ERR_NO_RIGHTS, "the session is not ours to end");
	check_error(call(0x7777, 0, 0, 0), ERR_INVALID_ARGUMENT, "an unknown request");
}

static void test_input(void)
{
	char buffer[8];
	size_t length = sizeof(buffer);
	uint64_t start, end;
	check_error(console_read(console, buffer, &length, 0), ERR_WOULD_BLOCK, "no input is no answer");
	clock_get(&start);
	check_error(console_read(console, buffer, &length, start + 20 * MILLISECOND), ERR_TIMED_OUT,
		"no input in time");
	clock_get(&end);
	check(end - start >= 20 * MILLISECOND && end - start < 2000 * MILLISECOND,
		"input was waited for until the deadline");
	length = 0;
	check_error(console_read(console, buffer, &length, 0), ERR_INVALID_ARGUMENT, "no room for input");
}

static _Atomic handle_t reader;

static void *read_for_ever(void *argument)
{
	char byte;
	size_t length = 1;
	reader = thread_handle();
	console_read(console, &byte, &length, DEADLINE_NEVER);
	return argument;
}

static uint64_t live_objects(void)
{
	struct system_info info = {0};
	system_info(start_handle(START_SYSTEM), &info);
	return info.objects;
}

static bool waits_for_answer(handle_t thread)
{
	struct thread_info info = {0};
	return thread != HANDLE_NONE && thread_info(thread, &info) == ERR_OK &&
		strcmp(info.waits_for, "answer") == 0;
}

// Nothing happens that would show the driver that it is gone but what the kernel tells: the thread, its message buffer and its reply
// are freed all the same.
static void test_reader_that_ends(void)
{
	uint64_t waiting, deadline, now;
	pthread_t thread;
	clock_get(&now);
	deadline = now + 60000 * MILLISECOND;
	pthread_create(&thread, NULL, read_for_ever, NULL);
	while (!waits_for_answer(reader) && now < deadline)
		clock_get(&now);
	waiting = live_objects();
	check_error(thread_kill(reader, 0), ERR_OK, "a reader is killed");
	handle_close(reader);
	while (live_objects() + 3 > waiting && now < deadline)
		clock_get(&now);
	check(live_objects() + 3 <= waiting, "the driver lets go of a reader that was killed");
}

static enum error watch(handle_t capability, uint64_t bits)
{
	struct message message = {
		.info = MESSAGE_INFO(CONSOLE_WATCH_INPUT, 1, capability != HANDLE_NONE),
		.words = {bits},
	};
	message_buffer()->capabilities[0] = capability;
	return protocol_call(console, &message);
}

static void test_watch(void)
{
	handle_t notification;
	uint64_t bits;
	notification_create(&notification);
	check_error(watch(notification, 4), ERR_OK, "a watch on input");
	check_error(
		notification_poll(notification, &bits), ERR_WOULD_BLOCK, "a watch is silent without input");
	check_error(watch(notification, 0), ERR_INVALID_ARGUMENT, "a watch without bits");
	check_error(watch(start_handle(START_LOG), 1), ERR_WRONG_TYPE, "a watch that is no notification");
	check_error(watch(HANDLE_NONE, 0), ERR_OK, "a watch is given up");
}

int main(void)
{
	console = start_handle(START_CONSOLE);
	test_output();
	test_input();
	test_reader_that_ends();
	test_watch();
	return check_end();
}

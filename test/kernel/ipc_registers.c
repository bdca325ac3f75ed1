// SPDX-License-Identifier: MIT
//
// IPC: what is in the registers after a call and an answer, by the fast path and by the general way. Words travel, callee-saved
// registers stay, all others are zero: nothing of the other process, nor of the kernel.

#include "fpu.h"
#include "isa.h"
#include "test.h"
#include <tern/message.h>
#include <tern/syscall_numbers.h>

#define SERVER_PATTERN 0x5e5e000000000000
#define CLIENT_PATTERN 0xc1c1000000000000
#define BADGE          0xbad9e

static uint64_t own_value(uint64_t pattern, unsigned index)
{
	return pattern | index;
}

// An IPC call with a value of its own in every register. Returns the number of registers that are then not what they
// have to be, where a message of the other side with `their_length` words came.
static unsigned call_and_check(uint64_t number, handle_t handle, uint64_t info, uint64_t pattern,
	uint64_t their_pattern, uint64_t their_info, uint64_t badge)
{
	uint64_t registers[ISA_CALL_REGISTERS];
	unsigned wrong = 0;

	for (unsigned i = 0; i < ISA_CALL_REGISTERS; i++)
		registers[i] = own_value(pattern, i);
	registers[ISA_CALL_NUMBER] = number;
	registers[ISA_CALL_HANDLE] = handle;
	registers[ISA_CALL_INFO] = info;
	isa_call_with_registers(registers);
	for (unsigned i = 0; i < ISA_CALL_REGISTERS; i++) {
		uint64_t wanted = (uint32_t)ISA_CALL_PRESERVED >> i & 1 ? own_value(pattern, i) : 0;

		for (unsigned word = 0; word < message_length(their_info) && word < MESSAGE_REGISTER_WORDS;
			word++)
			if (isa_call_words[word] == i)
				wanted = own_value(their_pattern, i);
		if (i == ISA_CALL_INFO)
			wanted = their_info;
		else if (i == ISA_CALL_BADGE)
			wanted = badge;
		wrong += registers[i] != wanted;
	}
	return wrong;
}

// Each answer has as many words as its number says, 0 to 4, and so has each call. `flags` are the server's.
static uint64_t serve(uint64_t flags)
{
	uint64_t wrong, info = 0;
	uint64_t number = SYSCALL_NUMBER_endpoint_receive;

	child_message_buffer->deadline = DEADLINE_NEVER - 1;
	for (unsigned length = 0; length < 5; length = (length + 1) % 5) {
		wrong = call_and_check(number, child_given[0], info | flags, SERVER_PATTERN, CLIENT_PATTERN,
			MESSAGE_INFO(7, length, 0) | MESSAGE_CALL, BADGE);
		info = MESSAGE_INFO(wrong, length, 0);
		number = SYSCALL_NUMBER_endpoint_reply_receive;
	}
	return 0;
}

#define ROUNDS 4

static void check_registers(uint64_t client_flags, uint64_t server_flags)
{
	struct child child;
	handle_t endpoint, badged;

	REQUIRE_OK(endpoint_create(&endpoint));
	REQUIRE_OK(handle_mint(endpoint, RIGHTS_SAME, BADGE, &badged));
	message_buffer()->deadline = after(60000 * MILLISECOND);
	REQUIRE(child_start(&child, serve, server_flags, &endpoint, 1));
	// The first call may come before the server waits, the others find it waiting.
	for (unsigned i = 0; i < 5 * ROUNDS; i++)
		EXPECT_EQUAL(call_and_check(SYSCALL_NUMBER_endpoint_call, badged,
				     MESSAGE_INFO(7, i % 5, 0) | client_flags, CLIENT_PATTERN, SERVER_PATTERN,
				     MESSAGE_INFO(0, i % 5, 0), 0),
			0);
	EXPECT_OK(process_kill(child.process, 0));
	child_wait(&child);
	handle_close(badged);
	handle_close(endpoint);
}

TEST(ipc_registers_on_the_fast_path)
{
	check_registers(0, 0);
	check_registers(MESSAGE_WIDE, MESSAGE_WIDE);
}

TEST(ipc_registers_on_the_general_path)
{
	check_registers(MESSAGE_DEADLINE, 0);
	check_registers(0, MESSAGE_DEADLINE);
}

// --- Floating point

static uint64_t serve_with_fpu(uint64_t uses)
{
	struct short_message message = {0};
	uint64_t wrong = 0;

	arch_ipc_short(SYSCALL_NUMBER_endpoint_receive, child_given[0], &message);
	while (message.info != UINT64_MAX) {
		if (uses)
			wrong = fpu_hold(SERVER_PATTERN, 10);
		message.info = MESSAGE_INFO(wrong != 0, 0, 0);
		arch_ipc_short(SYSCALL_NUMBER_endpoint_reply_receive, child_given[0], &message);
	}
	return 0;
}

static uint64_t look_at_fpu(uint64_t rounds)
{
	uint64_t residue = 0;

	for (uint64_t i = 0; i < rounds; i++) {
		struct short_message message = {0};

		arch_ipc_short(SYSCALL_NUMBER_endpoint_call, child_given[0], &message);
		residue |= fpu_residue();
	}
	return residue;
}

// A server that has its pattern in the FPU registers, and a client that has never written to them.
TEST(ipc_floating_point_registers_stay_apart)
{
	for (uint64_t uses = 0; uses < 2; uses++) {
		struct child server, client;
		handle_t endpoint;

		REQUIRE_OK(endpoint_create(&endpoint));
		REQUIRE(child_start(&server, serve_with_fpu, uses, &endpoint, 1));
		REQUIRE(wait_for_state(server.thread, THREAD_BLOCKED));
		REQUIRE(child_start(&client, look_at_fpu, 20, &endpoint, 1));
		EXPECT_EQUAL(child_wait(&client).exit_status, 0);
		process_kill(server.process, 0);
		child_wait(&server);
		handle_close(endpoint);
	}
}

static uint64_t serve_and_keep_fpu(uint64_t argument)
{
	struct short_message message = {0};
	uint64_t wrong = fpu_hold(SERVER_PATTERN, 1);

	(void)argument;
	arch_ipc_short(SYSCALL_NUMBER_endpoint_receive, child_given[0], &message);
	while (message.info != UINT64_MAX) {
		wrong |= fpu_difference(SERVER_PATTERN);
		message.info = MESSAGE_INFO(wrong != 0, 0, 0);
		arch_ipc_short(SYSCALL_NUMBER_endpoint_reply_receive, child_given[0], &message);
	}
	return 0;
}

static uint64_t call_and_keep_fpu(uint64_t pattern)
{
	uint64_t wrong = fpu_hold(pattern, 1);

	for (unsigned i = 0; i < 200; i++) {
		struct short_message message = {0};

		arch_ipc_short(SYSCALL_NUMBER_endpoint_call, child_given[0], &message);
		wrong |= fpu_difference(pattern);
		wrong |= message_label(message.info);
	}
	return wrong;
}

// A server and two clients that have a pattern of their own each, and write it once.
TEST(ipc_floating_point_registers_of_all_are_kept)
{
	struct child server, clients[2];
	handle_t endpoint;

	REQUIRE_OK(endpoint_create(&endpoint));
	REQUIRE(child_start(&server, serve_and_keep_fpu, 0, &endpoint, 1));
	REQUIRE(wait_for_state(server.thread, THREAD_BLOCKED));
	for (unsigned i = 0; i < 2; i++)
		REQUIRE(child_start(&clients[i], call_and_keep_fpu, 0x1234567812345678 << i, &endpoint, 1));
	for (unsigned i = 0; i < 2; i++)
		EXPECT_EQUAL(child_wait(&clients[i]).exit_status, 0);
	process_kill(server.process, 0);
	child_wait(&server);
	handle_close(endpoint);
}

struct receiver {
	struct worker worker;
	handle_t endpoint;
};

static uint64_t receives(void *argument)
{
	struct receiver *self = argument;
	struct message message = {.info = MESSAGE_DEADLINE};

	self->worker.buffer->deadline = DEADLINE_NEVER - 1;
	return endpoint_receive(self->endpoint, &message);
}

TEST(ipc_registers_of_one_that_waits_hold_nothing_of_the_kernel)
{
	static struct receiver receiver;
	struct registers registers;
	handle_t thread;

	REQUIRE_OK(endpoint_create(&receiver.endpoint));
	REQUIRE(worker_start(&receiver.worker, receives, &receiver));
	thread = receiver.worker.thread;
	REQUIRE(wait_for_state(thread, THREAD_BLOCKED));
	EXPECT_OK(thread_suspend(thread));
	EXPECT_OK(thread_read_registers(thread, &registers));
	for (unsigned i = 0; i < sizeof(registers) / sizeof(uint64_t); i++)
		EXPECT(((const uint64_t *)&registers)[i] < ISA_KERNEL_ADDRESS);
	EXPECT_OK(thread_resume(thread));
	EXPECT_OK(thread_kill(thread, 1));
	EXPECT_EQUAL(worker_join(&receiver.worker), 1);
	handle_close(receiver.endpoint);
}

// SPDX-License-Identifier: MIT
//
// Faults that switch to their handler directly, and answers that switch back: registers, priorities, and what happens to
// either meanwhile.

#include "fpu.h"
#include "pattern.h"
#include "test.h"
#include <string.h>
#include <tern/message.h>
#include <tern/syscall_numbers.h>

#define ROUNDS   200
#define LOWER    (THREAD_PRIORITY_DEFAULT - 1)
#define PATIENCE (60000 * MILLISECOND)
#define HANDLER  0x7b7b000000000000 // its registers

// Where nothing is mapped. Not a constant: the compiler knows that nothing can be there.
static volatile uint64_t *volatile unmapped = (volatile uint64_t *)0x10;

static uint64_t fault_with_pattern(uint64_t pattern)
{
	uint64_t wrong = 0;

	for (;;) {
		wrong |= fpu_hold(pattern, 10);
		*unmapped = wrong;
	}
	return 0;
}

// Receives a fault message with a value of its own in every register, the answer to the last one being `info`. Returns the number of
// registers that are then not what they have to be.
static unsigned receive_fault_and_check(
	uint64_t number, handle_t endpoint, uint64_t info, const uint64_t words[4])
{
	uint64_t registers[ISA_CALL_REGISTERS];
	unsigned wrong = 0;

	call_with_pattern(registers, HANDLER, number, endpoint, info);
	for (unsigned i = 0; i < ISA_CALL_REGISTERS; i++) {
		uint64_t wanted = left_of_pattern(HANDLER, i);

		for (unsigned word = 0; word < 4; word++)
			if (isa_call_words[word] == i)
				wanted = words[word];
		if (i == ISA_CALL_INFO)
			wanted = MESSAGE_INFO(FAULT_PAGE, FAULT_MESSAGE_WORDS, 0) | MESSAGE_CALL |
				MESSAGE_FAULT;
		wrong += registers[i] != wanted;
	}
	return wrong;
}

// Another process faults again and again at one place: at each answer it has all its registers, and this thread sees none of them
// but what the message has.
TEST(direct_fault_keeps_registers_apart)
{
	struct message message = {0};
	struct registers first, again;
	struct child child;
	handle_t endpoint;

	REQUIRE_OK(endpoint_create(&endpoint));
	REQUIRE(child_start_watched(&child, fault_with_pattern, 0x6a6a6a6a6a6a6a6a, NULL, 0, endpoint));
	EXPECT_OK(thread_set_affinity(child.thread, 1));
	REQUIRE_OK(endpoint_receive(endpoint, &message));
	REQUIRE_OK(thread_read_registers(child.thread, &first));
	for (unsigned i = 0; i < ROUNDS; i++) {
		message_buffer()->words[4] = 0;
		EXPECT_EQUAL(receive_fault_and_check(SYSCALL_NUMBER_endpoint_reply_receive, endpoint,
				     MESSAGE_INFO(FAULT_RESUME, 0, 0), message.words),
			0);
		EXPECT_EQUAL(message_buffer()->words[4], message.words[4]);
		REQUIRE_OK(thread_read_registers(child.thread, &again));
		EXPECT(memcmp(&first, &again, sizeof(first)) == 0);
	}
	EXPECT_OK(process_kill(child.process, 0));
	child_wait(&child);
	handle_close(endpoint);
}

struct faults {
	handle_t endpoint;
	struct worker faulting, handler;
	volatile bool stop;
	volatile uint64_t answered;
};

static uint64_t fault_without_end(void *argument)
{
	struct faults *faults = argument;

	while (!faults->stop)
		*unmapped = 1;
	return 0;
}

static uint64_t answer_without_end(void *argument)
{
	struct faults *faults = argument;
	struct message message = {0};
	enum error error = endpoint_receive(faults->endpoint, &message);

	while (error == ERR_OK && !faults->stop) {
		faults->answered++;
		message.info = MESSAGE_INFO(FAULT_RESUME, 0, 0);
		error = endpoint_reply_receive(faults->endpoint, &message);
	}
	return 0;
}

static bool start_faults(struct faults *faults, uint32_t priority, uint32_t handler_priority)
{
	struct thread_attributes handler = {.name = "handler", .priority = handler_priority, .affinity = 1};
	struct thread_attributes faulting = {.name = "faulting", .priority = priority, .affinity = 1};

	*faults = (struct faults){0};
	if (endpoint_create(&faults->endpoint) != ERR_OK)
		return false;
	faulting.fault_endpoint = faults->endpoint;
	return worker_start_with(&faults->handler, answer_without_end, faults, &handler) &&
		wait_for_state(faults->handler.thread, THREAD_BLOCKED) &&
		worker_start_with(&faults->faulting, fault_without_end, faults, &faulting);
}

static void stop_faults(struct faults *faults)
{
	thread_kill(faults->faulting.thread, 7);
	EXPECT_EQUAL(worker_join(&faults->faulting), 7);
	thread_kill(faults->handler.thread, 7);
	EXPECT_EQUAL(worker_join(&faults->handler), 7);
	handle_close(faults->endpoint);
}

// The handler is as urgent as whom it works for, be its own priority lower or higher.
TEST(direct_faults_at_different_priorities)
{
	for (uint32_t i = 0; i < 3; i++) {
		struct faults faults;

		REQUIRE(start_faults(&faults, LOWER - 1, LOWER - 2 + i));
		EXPECT(goes_on(&faults.answered, 1000));
		stop_faults(&faults);
	}
}

TEST(direct_fault_while_either_is_suspended)
{
	struct faults faults;

	REQUIRE(start_faults(&faults, LOWER, LOWER));
	for (unsigned i = 0; i < ROUNDS / 4; i++) {
		handle_t thread = i % 2 ? faults.handler.thread : faults.faulting.thread;
		uint64_t answered;

		EXPECT_OK(thread_suspend(thread));
		thread_sleep(after(MILLISECOND));
		// The handler may count the fault that is on its way when the other one is suspended.
		answered = faults.answered;
		thread_sleep(after(MILLISECOND));
		if (thread == faults.handler.thread)
			EXPECT_EQUAL(faults.answered, answered);
		EXPECT(faults.answered <= answered + 1);
		EXPECT_OK(thread_resume(thread));
		EXPECT(goes_on(&faults.answered, 10));
	}
	stop_faults(&faults);
}

TEST(direct_fault_while_either_is_killed)
{
	for (unsigned i = 0; i < ROUNDS / 4; i++) {
		struct faults faults;

		REQUIRE(start_faults(&faults, LOWER, LOWER));
		EXPECT(goes_on(&faults.answered, 3));
		EXPECT_OK(thread_kill(i % 2 ? faults.handler.thread : faults.faulting.thread, 7));
		stop_faults(&faults);
	}
}

TEST(direct_fault_while_either_has_a_budget)
{
	struct scheduling_context_info info = {0};
	struct faults faults;
	handle_t context;

	REQUIRE_OK(scheduling_context_create(&context));
	REQUIRE_OK(scheduling_context_configure(context, MILLISECOND / 2, 2 * MILLISECOND, 0));
	REQUIRE(start_faults(&faults, LOWER, LOWER));
	for (unsigned i = 0; i < 8; i++) {
		uint64_t consumed = info.consumed, deadline = after(PATIENCE);

		// The handler works on the other one's time: its own budget does not matter.
		EXPECT_OK(scheduling_context_bind(context, faults.faulting.thread));
		if (i % 2)
			EXPECT_OK(scheduling_context_bind(context, faults.handler.thread));
		do {
			EXPECT(goes_on(&faults.answered, 10));
			EXPECT_OK(scheduling_context_info(context, &info));
		} while (info.consumed - consumed < MILLISECOND && now() < deadline);
		EXPECT(info.consumed - consumed >= MILLISECOND);
		EXPECT_OK(scheduling_context_bind(HANDLE_NONE, faults.faulting.thread));
		EXPECT_OK(scheduling_context_bind(HANDLE_NONE, faults.handler.thread));
		EXPECT(goes_on(&faults.answered, 10));
	}
	stop_faults(&faults);
	handle_close(context);
}

// SPDX-License-Identifier: MIT
//
// Registers that are written, of threads and of guests: code runs with all of them, but for privileged bits, which stay the
// kernel's.

#include "guests.h"
#include "isa.h"
#include "test.h"
#include <string.h>

#define PATIENCE (60000 * MILLISECOND)
#define FLAGS    (sizeof(isa_flags_tried) / sizeof(isa_flags_tried[0]))
#define ROUNDS   (2 * FLAGS)

// A value of its own in every register in every round, and flags that nobody may have.
static struct registers registers_of_round(unsigned round, uint64_t program_counter)
{
	struct registers registers;
	uint64_t words[sizeof(registers) / sizeof(uint64_t)];

	for (uint64_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		words[i] = (round * 64 + i + 1) * 0x9e3779b97f4a7c15;
	memcpy(&registers, words, sizeof(registers));
	isa_make_valid(&registers);
	ISA_PROGRAM_COUNTER(&registers) = program_counter;
	ISA_FLAGS(&registers) = isa_flags_tried[round / 2];
	if (round % 2)
		isa_make_as_after_call(&registers);
	return registers;
}

// What is there after registers were written: all of them, and no flags but those that are free to choose. Those in `free` may
// be as they like.
static bool are_as_written(const struct registers *registers, const struct registers *written, uint64_t free)
{
	uint64_t wanted = (ISA_FLAGS(written) & ISA_FLAGS_CHOSEN) | ISA_FLAGS_FIXED;
	struct registers but_flags = *registers;

	ISA_FLAGS(&but_flags) = ISA_FLAGS(written);
	return ((ISA_FLAGS(registers) ^ wanted) & ~free) == 0 &&
		memcmp(&but_flags, written, sizeof(*written)) == 0;
}

static uint64_t spin(void *argument)
{
	volatile uint64_t *count = argument;

	for (;;)
		(*count)++;
	return 0;
}

static bool start_and_suspend(
	struct worker *worker, struct thread_attributes *attributes, volatile uint64_t *count)
{
	return worker_start_with(worker, spin, (void *)(uintptr_t)count, attributes) && goes_on(count, 1) &&
		thread_suspend(worker->thread) == ERR_OK;
}

// The thread's next fault: that of the privileged code.
static bool faults_there(handle_t endpoint)
{
	struct message message = {.info = MESSAGE_DEADLINE};

	message_buffer()->deadline = after(PATIENCE);
	EXPECT_OK(endpoint_receive(endpoint, &message));
	EXPECT(message.info & MESSAGE_FAULT);
	EXPECT_EQUAL(message_label(message.info), ISA_PRIVILEGED_FAULT);
	EXPECT_EQUAL(message.words[2], (uintptr_t)isa_privileged_code);
	return message.info & MESSAGE_FAULT;
}

static void let_go_on(void)
{
	struct message message = {.info = MESSAGE_INFO(FAULT_RESUME, 0, 0)};

	EXPECT_OK(endpoint_reply(HANDLE_NONE, &message));
}

// First a thread that is suspended in the middle of a loop, then one that waits for the reply to its fault message.
TEST(thread_registers_written_are_those_that_run)
{
	struct thread_attributes attributes = {.name = "written"};
	volatile uint64_t count = 0;
	struct worker worker;
	handle_t endpoint;

	REQUIRE_OK(endpoint_create(&endpoint));
	attributes.fault_endpoint = endpoint;
	REQUIRE(start_and_suspend(&worker, &attributes, &count));
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct registers written = registers_of_round(round, (uintptr_t)isa_privileged_code), there;

		EXPECT_OK(thread_write_registers(worker.thread, &written));
		EXPECT_OK(thread_read_registers(worker.thread, &there));
		EXPECT(are_as_written(&there, &written, 0));
		if (round == 0)
			EXPECT_OK(thread_resume(worker.thread));
		else
			let_go_on();
		if (!faults_there(endpoint))
			break;
		EXPECT_OK(thread_read_registers(worker.thread, &there));
		EXPECT(are_as_written(&there, &written, ISA_FLAGS_FAULT));
	}
	EXPECT_OK(thread_kill(worker.thread, 5));
	EXPECT_EQUAL(worker_join(&worker), 5);
	handle_close(endpoint);
}

// One that never calls, on this thread's CPU: it would never give it back.
TEST(thread_registers_written_do_not_mask_interrupts)
{
	struct thread_attributes attributes = {.name = "masks", .affinity = 1};
	struct registers registers;
	volatile uint64_t count = 0;
	struct worker worker;

	EXPECT_OK(thread_set_affinity(HANDLE_SELF, 1));
	REQUIRE(start_and_suspend(&worker, &attributes, &count));
	EXPECT_OK(thread_read_registers(worker.thread, &registers));
	ISA_FLAGS(&registers) = ISA_FLAGS_MASKED;
	EXPECT_OK(thread_write_registers(worker.thread, &registers));
	EXPECT_OK(thread_resume(worker.thread));
	EXPECT(goes_on(&count, 1));
	EXPECT_OK(thread_set_affinity(HANDLE_SELF, UINT64_MAX));
	EXPECT_OK(thread_kill(worker.thread, 6));
	EXPECT_EQUAL(worker_join(&worker), 6);
}

static uint64_t runs_as_written(handle_t space)
{
	struct guest_state *state = (struct guest_state *)GUEST_STATE;

	(void)space;
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct registers written = registers_of_round(round, GUEST_CODE);
		uint64_t reason;

		state->registers = written;
		if (guest_enter(&reason) != ERR_OK || reason != GUEST_EXIT_FAULT)
			return 10 * round + 1;
		if (state->fault_kind != ISA_PRIVILEGED_FAULT)
			return 10 * round + 2;
		if (!are_as_written(&state->registers, &written, ISA_FLAGS_FAULT))
			return 10 * round + 3;
	}
	return 0;
}

TEST(guest_registers_written_are_those_that_run)
{
	static const uint8_t code[] = {ISA_GUEST_PRIVILEGED};

	EXPECT_EQUAL(with_guest(code, sizeof(code), runs_as_written), 0);
}

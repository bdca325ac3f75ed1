// SPDX-License-Identifier: MIT
//
// Faults of user code: each is reported to the fault endpoint with its kind, or ends the process, and nothing
// else notices.

#include "isa.h"
#include "test.h"

static uint64_t read_null(void *argument)
{
	return *(volatile uint64_t *)argument;
}

static uint64_t write_address(void *argument)
{
	*(volatile uint64_t *)argument = 1;
	return 0;
}

static uint64_t jump(void *argument)
{
	((void (*)(void))(uintptr_t)argument)();
	return 0;
}

static uint64_t privileged(void *argument)
{
	(void)argument;
	isa_privileged_instruction();
	return 0;
}

static uint64_t illegal(void *argument)
{
	(void)argument;
	isa_illegal_instruction();
	return 0;
}

static uint64_t breakpoint(void *argument)
{
	(void)argument;
	isa_breakpoint();
	return 0;
}

static uint64_t divide(void *argument)
{
	volatile uint64_t zero = (uintptr_t)argument;

	return 0x123456789 / zero;
}

static uint64_t overflow(void *argument);
static uint64_t (*volatile deeper)(void *) = overflow;

static uint64_t overflow(void *argument)
{
	volatile char frame[1024];

	frame[0] = (char)(uintptr_t)argument;
	return deeper((char *)argument + 1) + (uint64_t)frame[0];
}

// Runs a worker that faults, and tells the kind that its fault endpoint hears of.
static enum fault_kind kind_of(uint64_t (*function)(void *), void *argument, uint64_t *address)
{
	struct thread_attributes attributes = {.name = "faulty"};
	struct message message = {.info = MESSAGE_DEADLINE};
	struct worker worker;
	handle_t endpoint;
	enum fault_kind kind = FAULT_NONE;

	EXPECT_OK(endpoint_create(&endpoint));
	attributes.fault_endpoint = endpoint;
	EXPECT(worker_start_with(&worker, function, argument, &attributes));
	message_buffer()->deadline = after(5000 * MILLISECOND);
	if (endpoint_receive(endpoint, &message) == ERR_OK) {
		EXPECT(message.info & MESSAGE_FAULT);
		EXPECT_EQUAL(message_length(message.info), FAULT_MESSAGE_WORDS);
		kind = (enum fault_kind)message_label(message.info);
		*address = message.words[0];
		message.info = MESSAGE_INFO(FAULT_KILL, 0, 0);
		EXPECT_OK(endpoint_reply(HANDLE_NONE, &message));
		EXPECT_EQUAL(worker_join(&worker), kind);
	} else {
		test_fail(__FILE__, __LINE__, "no fault message came from %#llx",
			(unsigned long long)(uintptr_t)function);
		thread_kill(worker.thread, 0);
		worker_join(&worker);
	}
	handle_close(endpoint);
	return kind;
}

TEST(fault_null_and_unmapped)
{
	uint64_t address = 1;

	EXPECT_EQUAL(kind_of(read_null, (void *)0, &address), FAULT_PAGE);
	EXPECT_EQUAL(address, 0);
	EXPECT_EQUAL(kind_of(write_address, (void *)0x12345008, &address), FAULT_PAGE);
	EXPECT_EQUAL(address, 0x12345008);
}

TEST(fault_kernel_memory)
{
	uint64_t address;
	enum fault_kind kind;

	EXPECT_EQUAL(kind_of(read_null, (void *)ISA_KERNEL_ADDRESS, &address), FAULT_PAGE);
	EXPECT_EQUAL(kind_of(write_address, (void *)ISA_KERNEL_ADDRESS, &address), FAULT_PAGE);
	EXPECT_EQUAL(kind_of(jump, (void *)ISA_KERNEL_ADDRESS, &address), FAULT_PAGE);
	// Not canonical where the ISA knows that.
	kind = kind_of(read_null, (void *)0x4000000000000000, &address);
	EXPECT(kind == FAULT_PAGE || kind == FAULT_PROTECTION);
}

TEST(fault_write_to_code_and_jump_to_data)
{
	static uint64_t data;
	static const uint64_t *const moved[] = {&data}; // written when the program started
	uint64_t address;

	EXPECT_EQUAL(kind_of(write_address, (void *)(uintptr_t)read_null, &address), FAULT_PAGE);
	EXPECT_EQUAL(kind_of(write_address, (void *)(uintptr_t)moved, &address), FAULT_PAGE);
	EXPECT_EQUAL(kind_of(jump, &data, &address), FAULT_PAGE);
}

// A hole that stays one: nobody gets at it or maps something there by accident.
TEST(fault_in_a_guard_region)
{
	struct map_request request = {.length = 3 * PAGE_SIZE, .flags = MAPPING_READ | MAPPING_WRITE};
	struct map_request guard = {
		.length = PAGE_SIZE, .flags = MAPPING_GUARD | MAPPING_FIXED | MAPPING_REPLACE};
	uint64_t start, middle, address, copied;

	REQUIRE_OK(address_space_map(HANDLE_SELF, &request, &start));
	middle = guard.address = start + PAGE_SIZE;
	EXPECT_OK(address_space_map(HANDLE_SELF, &guard, &address));
	EXPECT_EQUAL(kind_of(read_null, (void *)(middle + 8), &address), FAULT_STACK_GUARD);
	EXPECT_EQUAL(address, middle + 8);
	EXPECT_EQUAL(kind_of(write_address, (void *)middle, &address), FAULT_STACK_GUARD);
	EXPECT_EQUAL(kind_of(jump, (void *)middle, &address), FAULT_STACK_GUARD);
	EXPECT_ERROR(BAD_ADDRESS, process_info(HANDLE_SELF, (void *)middle));
	EXPECT_ERROR(PEER_FAULT, address_space_write(HANDLE_SELF, middle, "x", 1, &copied));
	EXPECT_ERROR(NOT_FOUND, address_space_protect(HANDLE_SELF, middle, PAGE_SIZE, MAPPING_READ));
	guard.flags = MAPPING_READ | MAPPING_FIXED;
	EXPECT_ERROR(EXISTS, address_space_map(HANDLE_SELF, &guard, &address));
	*(volatile char *)(middle - 1) = *(volatile char *)(middle + PAGE_SIZE) = 1;
	EXPECT_OK(address_space_unmap(HANDLE_SELF, middle, PAGE_SIZE));
	EXPECT_EQUAL(kind_of(read_null, (void *)middle, &address), FAULT_PAGE);
	EXPECT_OK(address_space_unmap(HANDLE_SELF, start, 3 * PAGE_SIZE));
}

TEST(fault_instructions)
{
	uint64_t address;
	enum fault_kind kind;

	kind = kind_of(privileged, NULL, &address);
	EXPECT(kind == FAULT_ILLEGAL_INSTRUCTION || kind == FAULT_PROTECTION);
	EXPECT_EQUAL(kind_of(illegal, NULL, &address), FAULT_ILLEGAL_INSTRUCTION);
	EXPECT_EQUAL(kind_of(breakpoint, NULL, &address), FAULT_BREAKPOINT);
	if (ISA_DIVIDE_FAULTS)
		EXPECT_EQUAL(kind_of(divide, NULL, &address), FAULT_DIVIDE);
}

// A stack of the kernel's making has a guard page that is told from nothing at all.
TEST(fault_stack_overflow)
{
	struct thread_attributes attributes = {.name = "deep", .entry = (uintptr_t)overflow};
	struct message message = {.info = MESSAGE_DEADLINE};
	struct thread_info info;
	handle_t endpoint, thread;
	uint64_t status;

	REQUIRE_OK(endpoint_create(&endpoint));
	attributes.fault_endpoint = endpoint;
	attributes.stack_size = 64 * 1024;
	REQUIRE_OK(thread_create(HANDLE_SELF, &attributes, &thread));
	message_buffer()->deadline = after(5000 * MILLISECOND);
	EXPECT_OK(endpoint_receive(endpoint, &message));
	EXPECT_EQUAL(message_label(message.info), FAULT_STACK_GUARD);
	EXPECT_OK(thread_info(thread, &info));
	EXPECT_EQUAL(info.stack_end - info.stack_start, 64 * 1024);
	EXPECT(message.words[0] < info.stack_start && message.words[0] >= info.stack_start - PAGE_SIZE);
	EXPECT_EQUAL(message.words[3], info.id);
	message.info = MESSAGE_INFO(FAULT_KILL, 0, 0);
	EXPECT_OK(endpoint_reply(HANDLE_NONE, &message));
	EXPECT_OK(thread_join(thread, after(5000 * MILLISECOND), &status));
	handle_close(thread);
	handle_close(endpoint);
}

// Nothing is mapped there, and nothing will be unless asked for.
#define HOLE 0x30000000

// A handler maps what is missing and lets the thread go on.
TEST(fault_is_repaired)
{
	struct thread_attributes attributes = {.name = "repaired"};
	struct map_request request = {
		.length = PAGE_SIZE, .address = HOLE, .flags = MAPPING_READ | MAPPING_WRITE | MAPPING_FIXED};
	struct message message = {.info = MESSAGE_DEADLINE};
	struct worker worker;
	handle_t endpoint;
	uint64_t address;

	REQUIRE_OK(endpoint_create(&endpoint));
	attributes.fault_endpoint = endpoint;
	REQUIRE(worker_start_with(&worker, write_address, (void *)HOLE, &attributes));
	message_buffer()->deadline = after(5000 * MILLISECOND);
	EXPECT_OK(endpoint_receive(endpoint, &message));
	EXPECT_EQUAL(message.words[0], HOLE);
	EXPECT_EQUAL(message.words[1], FAULT_ACCESS_WRITE);
	REQUIRE_OK(address_space_map(HANDLE_SELF, &request, &address));
	message.info = MESSAGE_INFO(FAULT_RESUME, 0, 0);
	EXPECT_OK(endpoint_reply(HANDLE_NONE, &message));
	EXPECT_EQUAL(worker_join(&worker), 0);
	EXPECT_EQUAL(*(uint64_t *)address, 1);
	address_space_unmap(HANDLE_SELF, address, PAGE_SIZE);
	handle_close(endpoint);
}

// --- What a debugger does

static uint64_t meet_breakpoint(void *argument)
{
	isa_breakpoint();
	return (uintptr_t)argument + 1;
}

// Takes a worker's next fault; its program counter.
static uint64_t take_fault(handle_t endpoint, enum fault_kind kind)
{
	struct message message = {.info = MESSAGE_DEADLINE};

	message_buffer()->deadline = after(5000 * MILLISECOND);
	EXPECT_OK(endpoint_receive(endpoint, &message));
	EXPECT_EQUAL(message_label(message.info), kind);
	return message.words[2];
}

static void resume_fault(void)
{
	struct message message = {.info = MESSAGE_INFO(FAULT_RESUME, 0, 0)};

	EXPECT_OK(endpoint_reply(HANDLE_NONE, &message));
}

TEST(fault_breakpoint_is_passed)
{
	struct thread_attributes attributes = {.name = "stopped"};
	struct registers registers;
	struct worker worker;
	uint64_t at;

	REQUIRE_OK(endpoint_create(&attributes.fault_endpoint));
	REQUIRE(worker_start_with(&worker, meet_breakpoint, (void *)41, &attributes));
	at = take_fault(attributes.fault_endpoint, FAULT_BREAKPOINT);
	REQUIRE_OK(thread_read_registers(worker.thread, &registers));
	EXPECT_EQUAL(ISA_PROGRAM_COUNTER(&registers), at);
	ISA_PROGRAM_COUNTER(&registers) = isa_after_breakpoint(at);
	EXPECT_OK(thread_write_registers(worker.thread, &registers));
	resume_fault();
	EXPECT_EQUAL(worker_join(&worker), 42);
	handle_close(attributes.fault_endpoint);
}

static void set_step(handle_t thread, bool step)
{
	struct registers registers;

	EXPECT_OK(thread_read_registers(thread, &registers));
	ISA_STEP_FLAG(&registers) = (ISA_STEP_FLAG(&registers) & ~ISA_STEP_BIT) | (step ? ISA_STEP_BIT : 0);
	EXPECT_OK(thread_write_registers(thread, &registers));
}

static uint64_t add_up(void *argument)
{
	volatile uint64_t sum = 0;

	thread_yield();
	for (uint64_t i = 1; i <= (uintptr_t)argument; i++)
		sum += i;
	return sum;
}

#define STEPS 40

// One instruction at a time, a system call among them, until the debugger has seen enough.
TEST(fault_single_step)
{
	struct thread_attributes attributes = {.name = "stepped", .flags = THREAD_SUSPENDED};
	struct worker worker;
	uint64_t last = 0;

	if (ISA_STEP_BIT == 0)
		return;
	REQUIRE_OK(endpoint_create(&attributes.fault_endpoint));
	REQUIRE(worker_start_with(&worker, add_up, (void *)10, &attributes));
	set_step(worker.thread, true);
	EXPECT_OK(thread_resume(worker.thread));
	for (unsigned step = 1; step <= STEPS; step++) {
		uint64_t at = take_fault(attributes.fault_endpoint, FAULT_SINGLE_STEP);

		EXPECT(at != last);
		last = at;
		if (step == STEPS)
			set_step(worker.thread, false);
		resume_fault();
	}
	EXPECT_EQUAL(worker_join(&worker), 55);
	handle_close(attributes.fault_endpoint);
}

#define STEPPED_CALLS 3

static handle_t stepped_endpoint, stepped_debugger;

static uint64_t make_calls(void *argument)
{
	struct message message = {.info = MESSAGE_INFO(0, 0, 0)};
	uint64_t sum = 0;

	(void)argument;
	for (uint64_t i = 1; i <= STEPPED_CALLS; i++) {
		message = (struct message){.info = MESSAGE_INFO(0, 1, 0), .words = {i}};
		if (endpoint_call(stepped_endpoint, &message) != ERR_OK)
			return 0;
		sum += message.words[0];
	}
	message.info = MESSAGE_INFO(0, 0, 0);
	return endpoint_send(stepped_debugger, &message) == ERR_OK ? sum : 0;
}

static uint64_t double_words(void *argument)
{
	struct message message = {0};

	(void)argument;
	if (endpoint_receive(stepped_endpoint, &message) != ERR_OK)
		return 1;
	for (;;) {
		message.info = MESSAGE_INFO(0, 1, 0);
		message.words[0] *= 2;
		if (endpoint_reply_receive(stepped_endpoint, &message) != ERR_OK)
			return 1;
	}
}

// Counts the steps of a thread up to the client's message that all calls are made.
static unsigned count_steps(void)
{
	for (unsigned steps = 0;; steps++) {
		struct message message = {.info = MESSAGE_DEADLINE};

		message_buffer()->deadline = after(5000 * MILLISECOND);
		if (endpoint_receive(stepped_debugger, &message) != ERR_OK)
			return 0;
		if (!(message.info & MESSAGE_FAULT))
			return steps;
		EXPECT_EQUAL(message_label(message.info), FAULT_SINGLE_STEP);
		resume_fault();
	}
}

// The steps that one of two threads, which call each other on one CPU, does until all calls are made. The other does none.
static unsigned step_calls(bool server_is_stepped)
{
	struct thread_attributes attributes = {.flags = THREAD_SUSPENDED, .affinity = 1};
	struct message none = {.info = MESSAGE_TRY};
	struct worker server, client;
	handle_t other;
	unsigned steps;

	EXPECT_OK(endpoint_create(&stepped_endpoint));
	EXPECT_OK(endpoint_create(&stepped_debugger));
	EXPECT_OK(endpoint_create(&other));
	attributes.fault_endpoint = server_is_stepped ? stepped_debugger : other;
	EXPECT(worker_start_with(&server, double_words, NULL, &attributes));
	attributes.fault_endpoint = server_is_stepped ? other : stepped_debugger;
	EXPECT(worker_start_with(&client, make_calls, NULL, &attributes));
	set_step(server_is_stepped ? server.thread : client.thread, true);
	EXPECT_OK(thread_resume(server.thread));
	EXPECT_OK(thread_resume(client.thread));
	steps = count_steps();
	if (!server_is_stepped) {
		take_fault(stepped_debugger, FAULT_SINGLE_STEP);
		set_step(client.thread, false);
		resume_fault();
	}
	EXPECT_EQUAL(worker_join(&client), STEPPED_CALLS * (STEPPED_CALLS + 1));
	EXPECT_ERROR(WOULD_BLOCK, endpoint_receive(other, &none));
	thread_kill(server.thread, 0);
	worker_join(&server);
	handle_close(stepped_endpoint);
	handle_close(stepped_debugger);
	handle_close(other);
	return steps;
}

// Calls between threads that wait for each other, one of them stepped: each of its instructions is seen, and none of the other.
TEST(fault_single_step_over_calls)
{
	if (ISA_STEP_BIT == 0)
		return;
	EXPECT(step_calls(false) > 10 * STEPPED_CALLS);
	EXPECT(step_calls(true) > 3 * STEPPED_CALLS);
}

// --- Without a fault endpoint

static uint64_t child_faults(uint64_t which)
{
	switch (which) {
	case 0:
		return read_null(NULL);
	case 1:
		return write_address((void *)ISA_KERNEL_ADDRESS);
	case 2:
		return jump((void *)ISA_KERNEL_ADDRESS);
	case 3:
		return privileged(NULL);
	case 4:
		return illegal(NULL);
	default:
		return overflow(NULL);
	}
}

TEST(fault_ends_only_its_process)
{
	for (uint64_t which = 0; which < 6; which++) {
		struct process_info info;
		struct child child;

		REQUIRE(child_start(&child, child_faults, which, NULL, 0));
		info = child_wait(&child);
		EXPECT_EQUAL(info.state, PROCESS_EXITED);
		EXPECT_EQUAL(info.reason, EXIT_FAULT);
		EXPECT(info.exit_status != FAULT_NONE && info.exit_status < FAULT_KIND_COUNT);
	}
}

// SPDX-License-Identifier: MIT
//
// Guests: entering, leaving by system call, fault and kick; registers kept whole.

#include "guests.h"
#include "isa.h"
#include "test.h"
#include <string.h>
#include <tern/syscall_numbers.h>

#define GUEST_DATA 0x20000

static const uint8_t call_code[] = {ISA_GUEST_SYSCALL, ISA_GUEST_SYSCALL, ISA_GUEST_SPIN};
static const uint8_t load_code[] = {ISA_GUEST_LOAD, ISA_GUEST_SYSCALL};
static const uint8_t spin_code[] = {ISA_GUEST_SPIN};

static struct guest_state *const state = (struct guest_state *)GUEST_STATE;

// A space with a page of code and a page of data.
static handle_t make_guest(const uint8_t *code, size_t length)
{
	struct map_request text = {.length = PAGE_SIZE,
		.address = GUEST_CODE,
		.flags = MAPPING_READ | MAPPING_EXECUTE | MAPPING_FIXED};
	struct map_request data = {.length = PAGE_SIZE,
		.address = GUEST_DATA,
		.flags = MAPPING_READ | MAPPING_WRITE | MAPPING_FIXED};
	handle_t space;
	uint64_t address;

	EXPECT_OK(address_space_create(&space));
	EXPECT_OK(memory_create(PAGE_SIZE, 0, &text.memory));
	EXPECT_OK(memory_write(text.memory, 0, code, length));
	EXPECT_OK(address_space_map(space, &text, &address));
	EXPECT_OK(address_space_map(space, &data, &address));
	EXPECT_OK(address_space_sync_code(space, GUEST_CODE, PAGE_SIZE));
	handle_close(text.memory);
	return space;
}

// Guests are bound to threads: each test runs in one of its own, and leaves its result here.
struct run {
	const uint8_t *code;
	size_t length;
	uint64_t (*body)(handle_t space);
};

// What the calls of such a thread gave back.
static struct {
	enum error bind, enter, refused;
} result;

static uint64_t run_bound(void *argument)
{
	struct run *run = argument;
	handle_t space = make_guest(run->code, run->length);
	uint64_t status = 1000;

	result.bind = guest_bind(space, GUEST_STATE);
	if (result.bind == ERR_OK) {
		memset(state, 0, sizeof(*state));
		ISA_PROGRAM_COUNTER(&state->registers) = GUEST_CODE;
		ISA_STACK_POINTER(&state->registers) = GUEST_DATA + PAGE_SIZE;
		status = run->body(space);
	}
	guest_bind(HANDLE_NONE, 0);
	handle_close(space);
	return status;
}

uint64_t with_guest(const uint8_t *code, size_t length, uint64_t (*body)(handle_t space))
{
	struct run run = {code, length, body};
	struct worker worker;

	if (!worker_start(&worker, run_bound, &run))
		return 2000;
	return worker_join(&worker);
}

static bool state_is_mapped(void)
{
	struct mapping_info info;

	return address_space_query(HANDLE_SELF, GUEST_STATE, &info) == ERR_OK && info.address <= GUEST_STATE;
}

static uint64_t bind_and_unbind(void *argument)
{
	handle_t space = *(handle_t *)argument;

	for (unsigned i = 0; i < 2; i++) {
		if (guest_bind(space, GUEST_STATE) != ERR_OK || !state_is_mapped())
			return 1;
		if (guest_bind(HANDLE_NONE, 0) != ERR_OK || state_is_mapped())
			return 2;
	}
	return guest_bind(space, GUEST_STATE);
}

TEST(guest_state_page_goes_with_the_binding)
{
	handle_t space = make_guest(call_code, sizeof(call_code));
	struct worker worker;

	EXPECT(worker_start(&worker, bind_and_unbind, &space));
	EXPECT_EQUAL(worker_join(&worker), ERR_OK);
	EXPECT(!state_is_mapped());
	handle_close(space);
}

static uint64_t keeps_registers(handle_t space)
{
	struct registers before, after;
	uint64_t reason;

	(void)space;
	isa_fill_registers(&state->registers);
	ISA_STACK_POINTER(&state->registers) = GUEST_DATA + 64;
	for (unsigned i = 1; i <= 2; i++) {
		before = state->registers;
		result.enter = guest_enter(&reason);
		if (result.enter != ERR_OK || reason != GUEST_EXIT_SYSCALL ||
			state->reason != GUEST_EXIT_SYSCALL)
			return 10 * i + 1;
		after = state->registers;
		if (ISA_PROGRAM_COUNTER(&after) != GUEST_CODE + i * (sizeof((uint8_t[]){ISA_GUEST_SYSCALL})))
			return 10 * i + 2;
		ISA_PROGRAM_COUNTER(&before) = ISA_PROGRAM_COUNTER(&after);
		isa_forget_syscall(&after, &before);
		if (memcmp(&before, &after, sizeof(before)) != 0)
			return 10 * i + 3;
	}
	return 0;
}

TEST(guest_system_call_keeps_registers)
{
	EXPECT_EQUAL(with_guest(call_code, sizeof(call_code), keeps_registers), 0);
	EXPECT_RESULT(OK, guest_bind, result.bind);
	EXPECT_RESULT(OK, guest_enter, result.enter);
}

static uint64_t loads(handle_t space)
{
	uint64_t reason, copied, value = 0x123456789abcdef0;

	if (address_space_write(space, GUEST_DATA + 8, &value, sizeof(value), &copied) != ERR_OK)
		return 1;
	isa_fill_registers(&state->registers);
	ISA_FIRST_ARGUMENT(&state->registers) = GUEST_DATA + 8;
	ISA_STACK_POINTER(&state->registers) = GUEST_DATA + 64;
	if (guest_enter(&reason) != ERR_OK || reason != GUEST_EXIT_SYSCALL)
		return 2;
	return 0;
}

static uint64_t faults(handle_t space)
{
	// Nothing of ours is in its space: not the state page, not our memory, not the kernel's.
	const uint64_t addresses[] = {0x40, GUEST_STATE, (uintptr_t)&call_code, ISA_KERNEL_ADDRESS};

	(void)space;
	for (unsigned i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		struct registers before;
		uint64_t reason;

		isa_fill_registers(&state->registers);
		ISA_STACK_POINTER(&state->registers) = GUEST_DATA + 64;
		ISA_FIRST_ARGUMENT(&state->registers) = addresses[i];
		ISA_PROGRAM_COUNTER(&state->registers) = GUEST_CODE;
		before = state->registers;
		if (guest_enter(&reason) != ERR_OK || reason != GUEST_EXIT_FAULT)
			return 10 * i + 1;
		if (state->fault_kind != FAULT_PAGE || state->fault_address != addresses[i] ||
			state->fault_access != FAULT_ACCESS_READ)
			return 10 * i + 2;
		if (ISA_PROGRAM_COUNTER(&state->registers) != GUEST_CODE ||
			ISA_STACK_POINTER(&state->registers) != ISA_STACK_POINTER(&before))
			return 10 * i + 3;
	}
	return 0;
}

TEST(guest_memory_is_its_own)
{
	EXPECT_EQUAL(with_guest(load_code, sizeof(load_code), loads), 0);
	EXPECT_EQUAL(with_guest(load_code, sizeof(load_code), faults), 0);
}

static uint64_t is_stepped(handle_t space)
{
	uint64_t reason;

	(void)space;
	for (unsigned i = 1; i <= 3; i++) {
		ISA_STEP_FLAG(&state->registers) |= ISA_STEP_BIT;
		if (guest_enter(&reason) != ERR_OK || reason != GUEST_EXIT_FAULT)
			return 10 * i + 1;
		if (state->fault_kind != FAULT_SINGLE_STEP ||
			ISA_PROGRAM_COUNTER(&state->registers) != GUEST_CODE)
			return 10 * i + 2;
	}
	return 0;
}

// The guest does one instruction at a time, its personality goes on.
TEST(guest_is_stepped)
{
	if (ISA_STEP_BIT)
		EXPECT_EQUAL(with_guest(spin_code, sizeof(spin_code), is_stepped), 0);
}

static uint64_t refuses(handle_t space)
{
	const uint64_t counters[] = {ISA_KERNEL_ADDRESS, 0x8000000000000000, UINT64_MAX - 3};
	uint64_t reason;

	if (guest_bind(space, GUEST_STATE + PAGE_SIZE) != ERR_INVALID_ARGUMENT)
		return 1;
	for (unsigned i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
		ISA_PROGRAM_COUNTER(&state->registers) = counters[i];
		result.refused = guest_enter(&reason);
		if (result.refused != ERR_INVALID_ARGUMENT)
			return 10 + i;
	}
	return guest_bind(HANDLE_NONE, 0) == ERR_OK && guest_enter(&reason) == ERR_BAD_STATE ? 0 : 2;
}

TEST(guest_arguments)
{
	handle_t own, process, other, space, fewer;
	uint64_t reason;

	EXPECT_ERROR(BAD_STATE, guest_enter(&reason));
	EXPECT_EQUAL(with_guest(spin_code, sizeof(spin_code), refuses), 0);
	EXPECT_RESULT(INVALID_ARGUMENT, guest_enter, result.refused);
	REQUIRE_OK(process_address_space(HANDLE_SELF, &own));
	EXPECT_ERROR(INVALID_ARGUMENT, guest_bind(own, GUEST_STATE));
	handle_close(own);
	// It ends with its process, whoever may have a capability of it.
	REQUIRE_OK(process_create(start_handle(START_ACCOUNT), "other", &process));
	REQUIRE_OK(process_address_space(process, &other));
	EXPECT_ERROR(INVALID_ARGUMENT, guest_bind(other, GUEST_STATE));
	handle_close(other);
	handle_close(process);
	REQUIRE_OK(address_space_create(&space));
	EXPECT_ERROR(INVALID_ARGUMENT, guest_bind(space, GUEST_STATE + 1));
	EXPECT_ERROR(INVALID_ARGUMENT, guest_bind(space, 0));
	EXPECT_ERROR(INVALID_ARGUMENT, guest_bind(space, ISA_KERNEL_ADDRESS & ~(PAGE_SIZE - 1)));
	EXPECT_ERROR(EXISTS, guest_bind(space, (uintptr_t)&call_code & ~(PAGE_SIZE - 1)));
	fewer = without(space, RIGHT_MAP);
	EXPECT_ERROR(NO_RIGHTS, guest_bind(fewer, GUEST_STATE));
	handle_close(fewer);
	handle_close(space);
}

// --- Kicks

static _Atomic uint32_t phase;

static uint64_t spins(handle_t space)
{
	uint64_t reason;

	(void)space;
	phase = 1;
	if (guest_enter(&reason) != ERR_OK || reason != GUEST_EXIT_KICKED)
		return 1;
	return ISA_PROGRAM_COUNTER(&state->registers) == GUEST_CODE ? 0 : 2;
}

static uint64_t kicked_before(handle_t space)
{
	uint64_t reason;

	(void)space;
	phase = 1;
	while (phase != 2)
		thread_yield();
	return guest_enter(&reason) == ERR_OK && reason == GUEST_EXIT_KICKED ? 0 : 1;
}

static uint64_t kicked_in_a_wait(handle_t space)
{
	enum error error;

	(void)space;
	state->interruptible = 1;
	phase = 1;
	error = thread_sleep(DEADLINE_NEVER);
	state->interruptible = 0;
	return error;
}

static uint64_t kick_it(uint64_t (*body)(handle_t), enum thread_state expected)
{
	struct run run = {spin_code, sizeof(spin_code), body};
	struct worker worker;

	phase = 0;
	if (!worker_start(&worker, run_bound, &run))
		return 2000;
	while (phase != 1)
		thread_sleep(after(MILLISECOND));
	if (expected == THREAD_SLEEPING)
		EXPECT(wait_for_state(worker.thread, expected));
	else
		thread_sleep(after(10 * MILLISECOND));
	EXPECT_OK(guest_kick(worker.thread));
	phase = 2;
	return worker_join(&worker);
}

TEST(guest_kick)
{
	EXPECT_EQUAL(kick_it(spins, THREAD_RUNNING), 0);
	EXPECT_EQUAL(kick_it(kicked_before, THREAD_RUNNING), 0);
	EXPECT_EQUAL(kick_it(kicked_in_a_wait, THREAD_SLEEPING), ERR_CANCELLED);
}

static uint64_t runs_away(handle_t space)
{
	uint64_t reason;

	(void)space;
	phase = 1;
	guest_enter(&reason);
	return 1;
}

TEST(guest_thread_is_killed)
{
	struct run run = {spin_code, sizeof(spin_code), runs_away};
	struct worker worker;

	phase = 0;
	REQUIRE(worker_start(&worker, run_bound, &run));
	while (phase != 1)
		thread_sleep(after(MILLISECOND));
	thread_sleep(after(10 * MILLISECOND));
	EXPECT_OK(thread_kill(worker.thread, 44));
	EXPECT_EQUAL(worker_join(&worker), 44);
	EXPECT(!state_is_mapped());
}

// --- For other tests

handle_t guest_make_spinning(void)
{
	return make_guest(spin_code, sizeof(spin_code));
}

uint64_t guest_spin(handle_t space, _Atomic uint32_t *begun)
{
	uint64_t reason = GUEST_EXIT_KICKED;
	enum error error = guest_bind(space, GUEST_STATE);

	if (error)
		return error;
	ISA_PROGRAM_COUNTER(&state->registers) = GUEST_CODE;
	ISA_STACK_POINTER(&state->registers) = GUEST_DATA + PAGE_SIZE;
	*begun = 1;
	error = guest_enter(&reason);
	guest_bind(HANDLE_NONE, 0);
	return error ? error : reason == GUEST_EXIT_KICKED ? ERR_OK : ERR_MISMATCH;
}

// --- Calls that go straight to the personality and back

#define CALL_LENGTH sizeof((uint8_t[]){ISA_GUEST_SYSCALL})
#define CALLS       64
#define OWN_VALUE   0x5e1f000000000000

static uint8_t calls_code[CALLS * CALL_LENGTH];

static uint64_t with_calls(uint64_t (*body)(handle_t space))
{
	const uint8_t call[] = {ISA_GUEST_SYSCALL};

	for (unsigned i = 0; i < CALLS; i++)
		memcpy(calls_code + i * CALL_LENGTH, call, CALL_LENGTH);
	return with_guest(calls_code, sizeof(calls_code), body);
}

// What is in the personality's registers after a call of its guest: its own, the results, and else nothing.
static uint64_t looks_at_registers(handle_t space)
{
	(void)space;
	isa_fill_registers(&state->registers);
	for (unsigned call = 0; call < CALLS; call++) {
		uint64_t registers[ISA_CALL_REGISTERS];
		unsigned kept = 0, zero = 0, reasons = 0;

		for (unsigned i = 0; i < ISA_CALL_REGISTERS; i++)
			registers[i] = OWN_VALUE | i;
		registers[ISA_CALL_NUMBER] = SYSCALL_NUMBER_guest_enter;
		isa_call_with_registers(registers);
		for (unsigned i = 0; i < ISA_CALL_REGISTERS; i++) {
			if ((uint32_t)ISA_CALL_PRESERVED >> i & 1)
				kept += registers[i] == (OWN_VALUE | i);
			else
				zero += registers[i] == 0;
			reasons += registers[i] == GUEST_EXIT_SYSCALL;
		}
		if (reasons != 1 || kept + zero != ISA_CALL_REGISTERS - 1)
			return 1000 * call + 10 * kept + zero + 1;
	}
	return 0;
}

TEST(guest_system_call_shows_no_registers)
{
	EXPECT_EQUAL(with_calls(looks_at_registers), 0);
}

static _Atomic uint64_t calls_done, kicks_seen;
static _Atomic bool calls_failed;

static uint64_t calls_for_ever(handle_t space)
{
	uint64_t reason;

	(void)space;
	while (!calls_failed) {
		ISA_PROGRAM_COUNTER(&state->registers) = GUEST_CODE;
		for (unsigned done = 0; done < CALLS;) {
			bool good = guest_enter(&reason) == ERR_OK && state->reason == reason;

			if (reason == GUEST_EXIT_SYSCALL)
				done++;
			calls_failed = !good ||
				ISA_PROGRAM_COUNTER(&state->registers) != GUEST_CODE + done * CALL_LENGTH ||
				(reason != GUEST_EXIT_SYSCALL && reason != GUEST_EXIT_KICKED);
			if (calls_failed)
				return 1;
			if (reason == GUEST_EXIT_SYSCALL)
				calls_done++;
			else
				kicks_seen++;
		}
	}
	return 2;
}

static void wait_for_change(_Atomic uint64_t *count, uint64_t before)
{
	while (*count == before && !calls_failed)
		thread_yield();
}

static void kick_and_suspend(handle_t thread)
{
	struct registers registers;

	wait_for_change(&calls_done, 0);
	for (unsigned i = 0; i < 10 && !calls_failed; i++) {
		uint64_t before = kicks_seen;

		EXPECT_OK(guest_kick(thread));
		wait_for_change(&kicks_seen, before);
		EXPECT_OK(thread_suspend(thread));
		before = calls_done;
		EXPECT_OK(thread_read_registers(thread, &registers));
		thread_yield();
		EXPECT_EQUAL(calls_done, before);
		EXPECT_OK(thread_resume(thread));
		wait_for_change(&calls_done, before);
	}
}

TEST(guest_calls_are_kicked_suspended_and_killed)
{
	struct run run = {calls_code, sizeof(calls_code), calls_for_ever};
	struct worker worker;

	EXPECT_EQUAL(with_calls(looks_at_registers), 0);
	for (unsigned i = 0; i < 10; i++) {
		calls_done = kicks_seen = 0;
		calls_failed = false;
		REQUIRE(worker_start(&worker, run_bound, &run));
		kick_and_suspend(worker.thread);
		EXPECT(!calls_failed);
		EXPECT_OK(thread_kill(worker.thread, 45));
		EXPECT_EQUAL(worker_join(&worker), 45);
		EXPECT(!state_is_mapped());
	}
}

// The other thread writes whatever it likes to the registers while the guest is entered.
static _Atomic bool enters_done;

static uint64_t scribbles(void *argument)
{
	const uint8_t values[] = {0, 0xff, 0x80, 0x10};

	(void)argument;
	for (unsigned i = 0; !enters_done; i++) {
		memset(&state->registers, values[i % 4], sizeof(state->registers));
		ISA_PROGRAM_COUNTER(&state->registers) = i % 3 ? GUEST_CODE : ISA_KERNEL_ADDRESS;
		if (i % 16 == 0)
			thread_yield();
	}
	return 0;
}

static uint64_t enters_scribbled(handle_t space)
{
	struct worker worker;
	uint64_t reason, wrong = 0;

	(void)space;
	enters_done = false;
	if (!worker_start(&worker, scribbles, NULL))
		return 1;
	for (unsigned i = 0; i < 5000 && !wrong; i++) {
		enum error error = guest_enter(&reason);

		wrong = error != ERR_INVALID_ARGUMENT &&
			(error != ERR_OK || (reason != GUEST_EXIT_SYSCALL && reason != GUEST_EXIT_FAULT));
		if (i % 16 == 0)
			thread_yield();
	}
	enters_done = true;
	worker_join(&worker);
	return wrong;
}

TEST(guest_registers_are_written_while_it_is_entered)
{
	EXPECT_EQUAL(with_calls(enters_scribbled), 0);
}

// SPDX-License-Identifier: MIT
//
// The machine's memory is used up, in every way there is to use it: whoever asks for more is told so, nobody else
// notices, and when it is given back all goes on as before.

#include "test.h"

#define LEFT       ((uint64_t)16 << 20) // for those who take it in small pieces
#define TOUCHED    (2 * LEFT / PAGE_SIZE)
#define LARGE_SIZE ((uint64_t)2 << 20) // what a page table maps
#define PIECES_MAX 256
#define PATIENCE   (60000 * MILLISECOND)

enum given { GATE, REFUSED, ACCOUNT };

// --- Who takes it in calls, until one says that there is no more

static enum error write_pages(void)
{
	uint64_t offset = 0;
	enum error error;
	handle_t memory;

	error = memory_create(TOUCHED * PAGE_SIZE, 0, &memory);
	for (; !error && offset < TOUCHED * PAGE_SIZE; offset += PAGE_SIZE)
		error = memory_write(memory, offset, &offset, sizeof(offset));
	return error;
}

static enum error make_threads(void)
{
	struct thread_attributes attributes = {.name = "pressure",
		.entry = PAGE_SIZE,
		.stack_pointer = PAGE_SIZE,
		.flags = THREAD_SUSPENDED};
	enum error error;
	handle_t thread;

	do
		error = thread_create(HANDLE_SELF, &attributes, &thread);
	while (!error);
	return error;
}

static enum error make_processes(void)
{
	enum error error;
	handle_t process;

	do
		error = process_create(child_given[ACCOUNT], "pressure", &process);
	while (!error);
	return error;
}

// In tables of other processes, for one of them is full too soon.
static enum error make_capabilities(void)
{
	handle_t process, granted;
	enum error error;

	do {
		error = process_create(child_given[ACCOUNT], "pressure", &process);
		while (!error)
			error = handle_grant(process, child_given[REFUSED], RIGHTS_SAME, &granted);
	} while (error == ERR_NO_SLOTS);
	return error;
}

static enum error make_mappings(void)
{
	struct map_request request = {.address = LARGE_SIZE * 1024, .length = PAGE_SIZE};
	enum error error;
	uint64_t address;

	do {
		request.flags = MAPPING_FIXED | MAPPING_GUARD;
		request.address += 2 * PAGE_SIZE;
		error = address_space_map(HANDLE_SELF, &request, &address);
	} while (!error);
	return error;
}

static enum error (*const takers[])(void) = {
	write_pages, make_threads, make_processes, make_capabilities, make_mappings};

#define TAKERS (sizeof(takers) / sizeof(takers[0]))

static void pass_gate(void)
{
	struct short_message message = {0};

	endpoint_call_short(child_given[GATE], &message);
}

static uint64_t take(uint64_t number)
{
	enum error error;

	pass_gate();
	error = takers[number]();
	if (error == ERR_NO_MEMORY)
		error = takers[number](); // it is no accident
	notification_signal(child_given[REFUSED], (uint64_t)1 << number);
	pass_gate();
	return error;
}

// --- Who takes it by touching: a thread's fault endpoint hears that there is no more, and lets it try again

static const uint64_t strides[] = {PAGE_SIZE, LARGE_SIZE}; // with and without a page table for each

#define TOUCHERS  (sizeof(strides) / sizeof(strides[0]))
#define EVERYBODY (((uint64_t)1 << (TAKERS + TOUCHERS)) - 1)

static uint64_t touch(uint64_t stride)
{
	struct map_request request = {.length = TOUCHED * stride, .flags = MAPPING_READ | MAPPING_WRITE};
	uint64_t start, wrong = 0;

	if (address_space_map(HANDLE_SELF, &request, &start) != ERR_OK)
		return UINT64_MAX;
	pass_gate();
	for (uint64_t i = 0; i < TOUCHED; i++)
		*(volatile uint64_t *)(start + i * stride) = i;
	for (uint64_t i = 0; i < TOUCHED; i++)
		wrong += *(volatile uint64_t *)(start + i * stride) != i;
	return wrong;
}

struct nurse {
	struct worker worker;
	struct child patient;
	handle_t faults, refused, recovered;
	uint64_t bit;
};

static uint64_t care(void *argument)
{
	struct nurse *nurse = argument;
	struct message message = {0};
	uint64_t label, bits;

	endpoint_receive(nurse->faults, &message);
	label = message_label(message.info);
	notification_signal(nurse->refused, nurse->bit);
	notification_wait(nurse->recovered, DEADLINE_NEVER, &bits);
	message.info = MESSAGE_INFO(FAULT_RESUME, 0, 0);
	endpoint_reply(HANDLE_NONE, &message);
	return label;
}

// --- Who does not notice

#define WORDS MESSAGE_INFO(0, 2, 0)

static handle_t bystanders;
static atomic_bool stop;
static _Atomic uint64_t rounds;

static uint64_t answer(void *argument)
{
	struct short_message message = {0};

	(void)argument;
	endpoint_receive_short(bystanders, &message);
	while (message.words[0] != 0) {
		atomic_fetch_add(&rounds, 1);
		message.words[1] = atomic_load(&stop);
		message.info = WORDS;
		endpoint_reply_receive_short(bystanders, &message);
	}
	return 0;
}

// Calls another process, and faults in memory that it has.
static uint64_t go_on(uint64_t pages)
{
	struct map_request request = {.length = pages * PAGE_SIZE, .flags = MAPPING_READ | MAPPING_WRITE};
	struct short_message message = {0};
	uint64_t start, wrong = 0;

	if (address_space_map(HANDLE_SELF, &request, &start) != ERR_OK)
		return UINT64_MAX;
	for (uint64_t round = 1; message.words[1] == 0; round++) {
		for (uint64_t at = start; at < start + request.length; at += PAGE_SIZE) {
			wrong += *(volatile uint64_t *)at != (round - 1) * at;
			*(volatile uint64_t *)at = round * at;
		}
		message.info = WORDS;
		message.words[0] = round;
		wrong += endpoint_call_short(child_given[0], &message) != ERR_OK || message.words[0] != round;
		wrong += address_space_protect(HANDLE_SELF, start, request.length, MAPPING_READ) != ERR_OK;
		wrong += address_space_protect(
				 HANDLE_SELF, start, request.length, MAPPING_READ | MAPPING_WRITE) != ERR_OK;
		thread_sleep(after(MILLISECOND));
	}
	return wrong;
}

static void expect_rounds(uint64_t more)
{
	uint64_t deadline = after(PATIENCE), wanted = atomic_load(&rounds) + more;

	while (atomic_load(&rounds) < wanted && now() < deadline)
		thread_sleep(after(MILLISECOND));
	EXPECT(atomic_load(&rounds) >= wanted);
}

// --- The test

static void open_gate(handle_t gate, unsigned count)
{
	struct message message = {0};

	while (count-- > 0) {
		message_buffer()->deadline = after(PATIENCE);
		message.info = MESSAGE_DEADLINE;
		EXPECT_OK(endpoint_receive(gate, &message));
		message.info = 0;
		EXPECT_OK(endpoint_reply(HANDLE_NONE, &message));
	}
}

// Takes memory in large pieces.
static unsigned take_most(handle_t system, handle_t pieces[PIECES_MAX])
{
	uint64_t size = (uint64_t)256 << 20;
	struct system_info info;
	unsigned count = 0;

	while (system_info(system, &info) == ERR_OK && info.memory_free > LEFT && count < PIECES_MAX) {
		while (size > info.memory_free - LEFT && size > LARGE_SIZE)
			size /= 2;
		if (memory_create(size, MEMORY_RESIDENT, &pieces[count]) != ERR_OK)
			break;
		count++;
	}
	EXPECT(info.memory_free <= LEFT);
	return count;
}

static void start_nurse(struct nurse *nurse, unsigned number, const handle_t given[3])
{
	*nurse = (struct nurse){.refused = given[REFUSED], .bit = (uint64_t)1 << (TAKERS + number)};
	REQUIRE_OK(endpoint_create(&nurse->faults));
	REQUIRE_OK(notification_create(&nurse->recovered));
	REQUIRE(worker_start(&nurse->worker, care, nurse));
	REQUIRE(child_start_watched(&nurse->patient, touch, strides[number], given, 2, nurse->faults));
}

static void end_nurse(struct nurse *nurse)
{
	notification_signal(nurse->recovered, 1);
	EXPECT_EQUAL(worker_join(&nurse->worker), FAULT_NO_MEMORY);
	EXPECT_EQUAL(child_wait(&nurse->patient).exit_status, 0);
	handle_close(nurse->recovered);
	handle_close(nurse->faults);
}

static void use_everything_up(handle_t system)
{
	static handle_t pieces[PIECES_MAX];
	handle_t given[] = {HANDLE_NONE, HANDLE_NONE, start_handle(START_ACCOUNT)};
	struct nurse nurses[TOUCHERS];
	struct child children[TAKERS];
	struct system_info info;
	uint64_t bits, refused = 0;
	unsigned count;

	REQUIRE_OK(endpoint_create(&given[GATE]));
	REQUIRE_OK(notification_create(&given[REFUSED]));
	for (unsigned i = 0; i < TAKERS; i++)
		REQUIRE(child_start(&children[i], take, i, given, 3));
	for (unsigned i = 0; i < TOUCHERS; i++)
		start_nurse(&nurses[i], i, given);
	count = take_most(system, pieces);
	open_gate(given[GATE], TAKERS + TOUCHERS);
	while (refused != EVERYBODY && notification_wait(given[REFUSED], after(PATIENCE), &bits) == ERR_OK)
		refused |= bits;
	EXPECT_EQUAL(refused, EVERYBODY);
	EXPECT_OK(system_info(system, &info));
	EXPECT(info.memory_free < (info.cpu_count + 1) << 20); // what a CPU keeps, others do not get
	expect_rounds(50);
	while (count > 0)
		handle_close(pieces[--count]);
	open_gate(given[GATE], TAKERS);
	for (unsigned i = 0; i < TAKERS; i++)
		EXPECT_EQUAL(child_wait(&children[i]).exit_status, ERR_NO_MEMORY);
	for (unsigned i = 0; i < TOUCHERS; i++)
		end_nurse(&nurses[i]);
	handle_close(given[GATE]);
	handle_close(given[REFUSED]);
}

TEST(pressure_of_all_memory)
{
	handle_t system = start_handle(START_SYSTEM);
	struct system_info before, later;
	struct child bystander;
	struct worker server;

	REQUIRE_OK(endpoint_create(&bystanders));
	atomic_store(&stop, false);
	REQUIRE(worker_start(&server, answer, NULL));
	REQUIRE(child_start(&bystander, go_on, 4, &bystanders, 1));
	expect_rounds(10);
	fill_kept();
	use_everything_up(system); // the first time leaves tables of this process behind
	settled_info(system, &before);
	use_everything_up(system);
	expect_as_before(system, &before, &later);
	test_note("free frames %llu before, %llu after; live objects %llu before, %llu after; %llu rounds "
		  "beside it",
		(unsigned long long)(before.memory_free / PAGE_SIZE),
		(unsigned long long)(later.memory_free / PAGE_SIZE), (unsigned long long)before.objects,
		(unsigned long long)later.objects, (unsigned long long)atomic_load(&rounds));
	expect_rounds(10);
	atomic_store(&stop, true);
	EXPECT_EQUAL(child_wait(&bystander).exit_status, 0);
	EXPECT_OK(endpoint_call_short(bystanders, &(struct short_message){0}) == ERR_GONE ? ERR_OK
											  : ERR_BAD_STATE);
	EXPECT_EQUAL(worker_join(&server), 0);
	handle_close(bystanders);
}

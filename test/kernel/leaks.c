// SPDX-License-Identifier: MIT
//
// Whatever is made and ended very often leaves nothing behind: free frames and live objects are the same before and after, exactly.

#include "test.h"

#define MESSAGE_BUFFER ((uint64_t)13 << 32) // below programs

struct leak_test {
	const char *what;
	unsigned rounds;
	bool (*round)(unsigned number);
};

static void check_leaks(const struct leak_test *test)
{
	handle_t system = start_handle(START_SYSTEM);
	unsigned rounds = test->rounds;
	struct system_info before, later;
	bool done = true;
	uint64_t start;

	EXPECT_OK(system_info(system, &before));
	// Several CPUs under one emulator wait for each other most of the time.
	if (before.cpu_count > 1 && !test_long)
		rounds /= 20;
	fill_kept();
	for (unsigned i = 0; i < 100 && done; i++)
		done = test->round(i);
	settled_info(system, &before);
	start = now();
	for (unsigned i = 0; i < rounds && done; i++)
		done = test->round(i);
	start = now() - start;
	expect_as_before(system, &before, &later);
	test_note(
		"%u %s in %llu ms: free frames %llu before, %llu after; live objects %llu before, %llu after",
		rounds, test->what, (unsigned long long)(start / MILLISECOND),
		(unsigned long long)(before.memory_free / PAGE_SIZE),
		(unsigned long long)(later.memory_free / PAGE_SIZE), (unsigned long long)before.objects,
		(unsigned long long)later.objects);
	EXPECT(done);
}

// --- Threads

static void end_at_once(uint64_t argument)
{
	thread_exit(argument);
}

static bool make_and_join_thread(unsigned number)
{
	struct thread_attributes attributes = {.name = "leak",
		.entry = (uintptr_t)end_at_once,
		.argument = number,
		.message_buffer = MESSAGE_BUFFER};
	uint64_t status = ~(uint64_t)number;
	handle_t thread;

	return thread_create(HANDLE_SELF, &attributes, &thread) == ERR_OK &&
		thread_join(thread, DEADLINE_NEVER, &status) == ERR_OK && status == number &&
		handle_close(thread) == ERR_OK;
}

TEST(leaks_of_threads)
{
	check_leaks(&(struct leak_test){"threads made and joined", 100000, make_and_join_thread});
}

// Its end is known by a watch; nobody has a handle of it any more.
static handle_t thread_ends;

static bool make_and_detach_thread(unsigned number)
{
	struct thread_attributes attributes = {.name = "leak",
		.entry = (uintptr_t)end_at_once,
		.argument = number,
		.message_buffer = MESSAGE_BUFFER,
		.flags = THREAD_SUSPENDED};
	handle_t thread;
	uint64_t bits;

	return thread_create(HANDLE_SELF, &attributes, &thread) == ERR_OK &&
		thread_watch(thread, thread_ends, 1) == ERR_OK && thread_detach(thread) == ERR_OK &&
		thread_resume(thread) == ERR_OK && handle_close(thread) == ERR_OK &&
		notification_wait(thread_ends, DEADLINE_NEVER, &bits) == ERR_OK;
}

TEST(leaks_of_detached_threads)
{
	REQUIRE_OK(notification_create(&thread_ends));
	check_leaks(&(struct leak_test){"threads made and detached", 20000, make_and_detach_thread});
	handle_close(thread_ends);
}

// --- Processes

static handle_t process_ends;

static void exit_at_once(uint64_t argument)
{
	process_exit(argument);
}

static bool make_and_reap_process(unsigned number)
{
	struct process_info info;
	struct child child;
	uint64_t bits;

	if (!child_start_shared(&child, exit_at_once, number) ||
		process_watch(child.process, process_ends, 1) != ERR_OK ||
		notification_wait(process_ends, DEADLINE_NEVER, &bits) != ERR_OK ||
		process_info(child.process, &info) != ERR_OK)
		return false;
	handle_close(child.thread);
	handle_close(child.process);
	return info.exit_status == number;
}

TEST(leaks_of_processes)
{
	REQUIRE_OK(notification_create(&process_ends));
	check_leaks(&(struct leak_test){"processes made and reaped", 10000, make_and_reap_process});
	handle_close(process_ends);
}

// --- Messages

static handle_t endpoint, sent;

// Gives back a duplicate of what came, until the label says that it is enough.
static uint64_t serve_capabilities(void *argument)
{
	struct worker *self = argument;
	struct message message = {0};
	enum error error = endpoint_receive(endpoint, &message);

	while (error == ERR_OK && message_label(message.info) == 1) {
		handle_t came = self->buffer->capabilities[0];

		if (message_capabilities(message.info) != 1 ||
			handle_duplicate(came, RIGHTS_SAME, &self->buffer->capabilities[0]) != ERR_OK)
			return 1;
		handle_close(came);
		came = self->buffer->capabilities[0];
		message.info = MESSAGE_INFO(1, 0, 1);
		error = endpoint_reply(HANDLE_NONE, &message);
		handle_close(came);
		message.info = 0;
		if (error == ERR_OK)
			error = endpoint_receive(endpoint, &message);
	}
	message.info = 0;
	endpoint_reply(HANDLE_NONE, &message);
	return (uint64_t)error;
}

static bool call_with_capability(unsigned number)
{
	struct message message = {.info = MESSAGE_INFO(1, 1, 1), .words = {number}};

	message_buffer()->capabilities[0] = sent;
	return endpoint_call(endpoint, &message) == ERR_OK && message_capabilities(message.info) == 1 &&
		handle_close(message_buffer()->capabilities[0]) == ERR_OK;
}

TEST(leaks_of_messages_with_capabilities)
{
	struct message message = {.info = MESSAGE_INFO(0, 0, 0)};
	struct worker server;

	REQUIRE_OK(endpoint_create(&endpoint));
	REQUIRE_OK(notification_create(&sent));
	REQUIRE(worker_start(&server, serve_capabilities, &server));
	check_leaks(&(struct leak_test){"calls with a capability each way", 100000, call_with_capability});
	EXPECT_OK(endpoint_call(endpoint, &message));
	EXPECT_EQUAL(worker_join(&server), ERR_OK);
	handle_close(sent);
	handle_close(endpoint);
}

// --- Clones

#define CLONED_PAGES   32
#define CLONED_ADDRESS ((uint64_t)0x40000000)

static handle_t original;

static bool clone_and_unmap(unsigned number)
{
	uint64_t copied, page = CLONED_ADDRESS + number % CLONED_PAGES * PAGE_SIZE;
	handle_t clone;
	bool done;

	if (address_space_clone(original, &clone) != ERR_OK)
		return false;
	done = address_space_write(clone, page, &number, sizeof(number), &copied) == ERR_OK &&
		address_space_write(original, page, &number, sizeof(number), &copied) == ERR_OK &&
		address_space_unmap(clone, CLONED_ADDRESS, (1 + number % CLONED_PAGES) * PAGE_SIZE) == ERR_OK;
	handle_close(clone);
	return done;
}

TEST(leaks_of_clones)
{
	struct map_request request = {.length = CLONED_PAGES * PAGE_SIZE,
		.address = CLONED_ADDRESS,
		.flags = MAPPING_READ | MAPPING_WRITE | MAPPING_FIXED};
	uint64_t address, copied;

	REQUIRE_OK(address_space_create(&original));
	REQUIRE_OK(address_space_map(original, &request, &address));
	for (unsigned i = 0; i < CLONED_PAGES; i++)
		EXPECT_OK(address_space_write(
			original, CLONED_ADDRESS + i * PAGE_SIZE, &i, sizeof(i), &copied));
	check_leaks(&(struct leak_test){"spaces cloned, written and unmapped", 10000, clone_and_unmap});
	handle_close(original);
}

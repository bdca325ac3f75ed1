// SPDX-License-Identifier: MIT
//
// Threads and child processes for the tests, made with nothing but system calls.

#include "isa.h"
#include "test.h"
#include <elf.h>
#include <string.h>

// So long only a hang takes, even where many virtual CPUs share few real ones.
#define PATIENCE (60000 * MILLISECOND)

handle_t child_given[CHILD_GIVEN];
struct message_buffer *child_message_buffer;

// --- Threads

struct start {
	uint64_t (*function)(void *argument);
	void *argument;
};

static void worker_entry(struct start *start)
{
	uint64_t status = start->function(start->argument);

	thread_exit(status);
}

// One mapping: the stack, with the start record at its top; above it the page where the kernel maps the
// message buffer.
bool worker_start_with(struct worker *worker, uint64_t (*function)(void *argument), void *argument,
	struct thread_attributes *attributes)
{
	struct map_request request = {
		.length = WORKER_STACK + PAGE_SIZE, .flags = MAPPING_READ | MAPPING_WRITE};
	struct start *start;
	uint64_t address;

	if (address_space_map(HANDLE_SELF, &request, &address) != ERR_OK)
		return false;
	address_space_unmap(HANDLE_SELF, address + WORKER_STACK, PAGE_SIZE);
	worker->stack = address;
	worker->buffer = (struct message_buffer *)(address + WORKER_STACK);
	start = (struct start *)(address + WORKER_STACK) - 1;
	start->function = function;
	start->argument = argument;
	attributes->entry = (uintptr_t)worker_entry;
	attributes->argument = (uintptr_t)start;
	attributes->stack_pointer = ((uintptr_t)start & ~(uintptr_t)15) - ISA_STACK_BIAS;
	attributes->message_buffer = (uintptr_t)worker->buffer;
	if (thread_create(HANDLE_SELF, attributes, &worker->thread) == ERR_OK)
		return true;
	address_space_unmap(HANDLE_SELF, address, WORKER_STACK);
	return false;
}

bool worker_start(struct worker *worker, uint64_t (*function)(void *argument), void *argument)
{
	struct thread_attributes attributes = {.name = "worker"};

	return worker_start_with(worker, function, argument, &attributes);
}

// One that does not end is killed, before its stack goes.
uint64_t worker_join(struct worker *worker)
{
	uint64_t status = UINT64_MAX;
	enum error error = thread_join(worker->thread, after(PATIENCE), &status);

	if (error == ERR_TIMED_OUT) {
		thread_kill(worker->thread, status);
		thread_join(worker->thread, DEADLINE_NEVER, &status);
	}
	EXPECT_OK(error);
	worker_forget(worker);
	return status;
}

void worker_forget(struct worker *worker)
{
	handle_close(worker->thread);
	address_space_unmap(HANDLE_SELF, worker->stack, WORKER_STACK);
}

bool wait_for_state(handle_t thread, enum thread_state state)
{
	uint64_t deadline = after(PATIENCE);
	struct thread_info info;

	do {
		if (thread_info(thread, &info) == ERR_OK && info.state == state)
			return true;
		thread_sleep(after(MILLISECOND));
	} while (now() < deadline);
	return false;
}

bool goes_on(const volatile uint64_t *count, uint64_t more)
{
	uint64_t wanted = *count + more, deadline = after(PATIENCE);

	while (*count < wanted && now() < deadline)
		thread_sleep(after(MILLISECOND));
	return *count >= wanted;
}

// --- Child processes

extern const Elf64_Ehdr __ehdr_start;

#define SEGMENTS_MAX 16

// Where a segment of this program is.
static uint64_t segment_address(const Elf64_Phdr *segment)
{
	return (uintptr_t)&__ehdr_start + segment->p_vaddr;
}

// Memory with a segment as it is now.
static handle_t copy_segment(const Elf64_Phdr *segment)
{
	uint64_t offset = segment->p_vaddr % PAGE_SIZE, size = offset + segment->p_memsz;
	handle_t memory;

	if (memory_create((size + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1), 0, &memory) != ERR_OK)
		return HANDLE_NONE;
	if (memory_write(memory, offset, (const void *)segment_address(segment), segment->p_memsz) == ERR_OK)
		return memory;
	handle_close(memory);
	return HANDLE_NONE;
}

// Maps that memory at the segment's place in another space.
static bool map_segment(handle_t space, const Elf64_Phdr *segment, handle_t memory)
{
	uint64_t start = segment_address(segment) & ~(uint64_t)(PAGE_SIZE - 1);
	uint64_t end = (segment_address(segment) + segment->p_memsz + PAGE_SIZE - 1) &
		~(uint64_t)(PAGE_SIZE - 1);
	struct map_request request = {.memory = memory,
		.length = end - start,
		.address = start,
		.flags = MAPPING_FIXED | MAPPING_READ | MAPPING_SHARED};
	uint64_t address;

	if (segment->p_flags & PF_W)
		request.flags |= MAPPING_WRITE;
	if (segment->p_flags & PF_X)
		request.flags |= MAPPING_EXECUTE;
	return address_space_map(space, &request, &address) == ERR_OK;
}

// Puts a copy of this program's image into a space: made now, or the one in `kept`, which is filled the first time.
static bool map_image(handle_t space, handle_t kept[SEGMENTS_MAX])
{
	const Elf64_Phdr *segments = (const Elf64_Phdr *)((uintptr_t)&__ehdr_start + __ehdr_start.e_phoff);
	bool done = __ehdr_start.e_phnum <= SEGMENTS_MAX;

	for (unsigned i = 0; done && i < __ehdr_start.e_phnum; i++) {
		handle_t memory;

		if (segments[i].p_type != PT_LOAD || segments[i].p_memsz == 0)
			continue;
		memory = kept && kept[i] ? kept[i] : copy_segment(&segments[i]);
		done = memory && map_segment(space, &segments[i], memory);
		if (kept)
			kept[i] = memory;
		else
			handle_close(memory);
	}
	return done;
}

static uint64_t (*child_function)(uint64_t argument);

static void child_entry(uint64_t argument)
{
	process_exit(child_function(argument));
}

#define CHILD_BUFFER 0x10000

static bool run_child(
	struct child *child, const struct thread_attributes *attributes, handle_t kept[SEGMENTS_MAX])
{
	handle_t space;
	bool done;

	if (process_address_space(child->process, &space) != ERR_OK)
		return false;
	done = map_image(space, kept) && thread_create(child->process, attributes, &child->thread) == ERR_OK;
	handle_close(space);
	if (!done)
		handle_close(child->process);
	return done;
}

static bool start_child(struct child *child, handle_t account, uint64_t (*function)(uint64_t argument),
	uint64_t argument, const handle_t *given, unsigned count, handle_t fault_endpoint)
{
	struct thread_attributes attributes = {
		.name = "child",
		.entry = (uintptr_t)child_entry,
		.argument = argument,
		.message_buffer = CHILD_BUFFER,
		.fault_endpoint = fault_endpoint,
	};

	if (process_create(account, "child", &child->process) != ERR_OK)
		return false;
	for (unsigned i = 0; i < count; i++) {
		if (handle_grant(child->process, given[i], RIGHTS_SAME, &child->given[i]) != ERR_OK)
			return false;
	}
	// The image is copied as it is now: what the child needs to know is in it.
	child_function = function;
	memcpy(child_given, child->given, sizeof(child_given));
	child_message_buffer = (struct message_buffer *)CHILD_BUFFER;
	return run_child(child, &attributes, NULL);
}

bool child_start_shared(struct child *child, void (*entry)(uint64_t argument), uint64_t argument)
{
	static handle_t image[SEGMENTS_MAX];
	struct thread_attributes attributes = {.name = "child",
		.entry = (uintptr_t)entry,
		.argument = argument,
		.message_buffer = CHILD_BUFFER};

	return process_create(start_handle(START_ACCOUNT), "child", &child->process) == ERR_OK &&
		run_child(child, &attributes, image);
}

bool child_start(struct child *child, uint64_t (*function)(uint64_t argument), uint64_t argument,
	const handle_t *given, unsigned count)
{
	return child_start_watched(child, function, argument, given, count, HANDLE_NONE);
}

bool child_start_watched(struct child *child, uint64_t (*function)(uint64_t argument), uint64_t argument,
	const handle_t *given, unsigned count, handle_t fault_endpoint)
{
	return start_child(
		child, start_handle(START_ACCOUNT), function, argument, given, count, fault_endpoint);
}

bool child_start_in(struct child *child, handle_t account, uint64_t (*function)(uint64_t argument),
	uint64_t argument, const handle_t *given, unsigned count)
{
	return start_child(child, account, function, argument, given, count, HANDLE_NONE);
}

struct process_info child_wait(struct child *child)
{
	struct process_info info = {0};
	handle_t ended;
	uint64_t bits;

	EXPECT_OK(notification_create(&ended));
	EXPECT_OK(process_watch(child->process, ended, 1));
	EXPECT_OK(notification_wait(ended, after(PATIENCE), &bits));
	EXPECT_OK(process_info(child->process, &info));
	handle_close(ended);
	handle_close(child->thread);
	handle_close(child->process);
	return info;
}

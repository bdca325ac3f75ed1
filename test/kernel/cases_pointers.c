// SPDX-License-Identifier: MIT
//
// Every pointer argument of every system call: null, the kernel's, where nothing is mapped, wrapping, one byte too long for
// its page, and read-only where the kernel writes.

#include "cases.h"
#include <string.h>

static char bytes[64];

#define PORTS start_handle(START_PORTS)

static size_t fpu_size(void)
{
	uint64_t size = 0;

	thread_read_fpu(NULL, 0, &size);
	return size;
}

static uint64_t own_id(void)
{
	struct process_info info = {0};

	process_info(HANDLE_SELF, &info);
	return info.id;
}

POINTER_CASE(handle_info, info, sizeof(struct handle_info), WRITES, AN(TIMER), pointer);
POINTER_CASE(account_info, info, sizeof(struct account_info), WRITES, AN(ACCOUNT), pointer);
POINTER_CASE(process_create, name, 1, READS, start_handle(START_ACCOUNT), pointer, &made);
POINTER_CASE(process_info, info, sizeof(struct process_info), WRITES, AN(PROCESS), pointer);
POINTER_CASE(thread_create, attributes, sizeof(struct thread_attributes), READS, HANDLE_SELF, pointer, &made);
POINTER_CASE(thread_info, info, sizeof(struct thread_info), WRITES, AN(THREAD), pointer);
POINTER_CASE(thread_read_registers, registers, sizeof(struct registers), WRITES, AN(THREAD), pointer);
POINTER_CASE(thread_write_registers, registers, sizeof(struct registers), READS, AN(THREAD), pointer);
POINTER_CASE(thread_read_fpu, buffer, fpu_size(), WRITES, pointer, fpu_size(), &yielded);
POINTER_CASE(thread_write_fpu, buffer, fpu_size(), READS, pointer, fpu_size());
POINTER_CASE(scheduling_context_info, info, sizeof(struct scheduling_context_info), WRITES,
	AN(SCHEDULING_CONTEXT), pointer);
POINTER_CASE(memory_read, buffer, 16, WRITES, AN(MEMORY), 0, pointer, 16);
POINTER_CASE(memory_write, buffer, 16, READS, AN(MEMORY), 0, pointer, 16);
POINTER_CASE(memory_info, info, sizeof(struct memory_info), WRITES, AN(MEMORY), pointer);
POINTER_CASE(address_space_map, request, sizeof(struct map_request), READS, HANDLE_SELF, pointer, &yielded);
POINTER_CASE(address_space_read, buffer, 16, WRITES, HANDLE_SELF, (uintptr_t)bytes, pointer, 16, &yielded);
POINTER_CASE(address_space_write, buffer, 16, READS, HANDLE_SELF, (uintptr_t)bytes, pointer, 16, &yielded);
POINTER_CASE(address_space_query, info, sizeof(struct mapping_info), WRITES, HANDLE_SELF, 0, pointer);
POINTER_CASE(reply_read, buffer, 16, WRITES, AN(REPLY), 0, 0, pointer, 16, &yielded);
POINTER_CASE(reply_write, buffer, 16, READS, AN(REPLY), 0, 0, pointer, 16, &yielded);
POINTER_CASE(io_port_write_bytes, bytes, PORTS ? 2 : 0, READS, PORTS, 0x80, pointer, 2);
POINTER_CASE(log_write, text, 16, READS, start_handle(START_LOG), LOG_DEBUG, pointer, 16);
POINTER_CASE(log_read, buffer, 16, WRITES, start_handle(START_LOG), 0, pointer, 16, &yielded, &yielded);
POINTER_CASE(log_read, next, 8, WRITES, start_handle(START_LOG), 0, bytes, 16, pointer, &yielded);
POINTER_CASE(system_info, info, sizeof(struct system_info), WRITES, start_handle(START_SYSTEM), pointer);
POINTER_CASE(handle_next, info, sizeof(struct handle_info), WRITES, HANDLE_NONE, pointer, &yielded);
POINTER_CASE(system_process, record, sizeof(struct process_record), WRITES, start_handle(START_SYSTEM), 0,
	pointer);
POINTER_CASE(system_thread, info, sizeof(struct thread_info), WRITES, start_handle(START_SYSTEM), own_id(), 0,
	pointer);
POINTER_CASE(system_cpu, info, sizeof(struct cpu_info), WRITES, start_handle(START_SYSTEM), 0, pointer);
POINTER_CASE(system_object_type, info, sizeof(struct object_type_info), WRITES, start_handle(START_SYSTEM),
	OBJECT_THREAD, pointer);
POINTER_CASE(random_get, buffer, 16, WRITES, pointer, 16);

extern const struct pointer_case __start_pointer_cases[], __stop_pointer_cases[];

static void expect_bad(const struct pointer_case *tried, void *pointer)
{
	enum error error = tried->call(pointer);

	if (error != ERR_BAD_ADDRESS)
		test_fail(__FILE__, __LINE__, "%s: %p gives error %d", tried->name, pointer, error);
}

static void try_pointers(const struct pointer_case *tried)
{
	size_t size = tried->size();
	void *pointer;

	for (unsigned i = 0; bad_pointer(i, &pointer); i++)
		expect_bad(tried, pointer);
	expect_bad(tried, memset(end_of_page(size - 1), 'x', size - 1));
	if (tried->writes)
		expect_bad(tried, (void *)(uintptr_t)try_pointers);
	// Wholly in its page it is good, whatever else the call has to say about it.
	memset(end_of_page(size), 0, size);
	made = HANDLE_NONE;
	if (tried->call(end_of_page(size)) == ERR_BAD_ADDRESS)
		test_fail(__FILE__, __LINE__, "%s: a good pointer is refused", tried->name);
	if (made != HANDLE_NONE)
		EXPECT_OK(handle_close(made));
}

TEST(every_pointer_argument)
{
	REQUIRE(objects_make());
	for (const struct pointer_case *tried = __start_pointer_cases; tried < __stop_pointer_cases; tried++)
		if (tried->size() > 0)
			try_pointers(tried);
	objects_close();
}

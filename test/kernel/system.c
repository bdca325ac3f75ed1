// SPDX-License-Identifier: MIT
//
// Resources, interrupts, the log, entropy, and calls that do not exist.

#include "isa.h"
#include "test.h"
#include <runtime/arch.h>
#include <string.h>

TEST(system_no_such_call)
{
	static const uint64_t numbers[] = {
		0, 8, 9, SYSCALL_NUMBER_LIMIT, 100000, UINT64_MAX, (uint64_t)1 << 32 | 120};

	for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		EXPECT_ERROR(NO_SYSCALL, arch_system_call(numbers[i], 1, 2, 3, 4, 5, 6).error);
}

TEST(system_resource_parts)
{
	handle_t interrupts = start_handle(START_INTERRUPTS), part, smaller, fewer,
		 physical = start_handle(START_PHYSICAL);
	handle_t interrupt, memory;

	REQUIRE(interrupts != HANDLE_NONE && physical != HANDLE_NONE);
	REQUIRE_OK(resource_create(interrupts, 8, 4, &part));
	EXPECT_ERROR(INVALID_ARGUMENT, resource_create(part, 7, 2, &smaller));
	EXPECT_ERROR(INVALID_ARGUMENT, resource_create(part, 11, 2, &smaller));
	EXPECT_ERROR(INVALID_ARGUMENT, resource_create(part, 8, 0, &smaller));
	EXPECT_ERROR(INVALID_ARGUMENT, resource_create(part, UINT64_MAX, 2, &smaller));
	EXPECT_ERROR(INVALID_ARGUMENT, interrupt_create(part, 12, 0, &interrupt));
	EXPECT_ERROR(INVALID_ARGUMENT, interrupt_create(part, 8, 0x80, &interrupt));
	EXPECT_ERROR(WRONG_TYPE, interrupt_create(physical, 8, 0, &interrupt));
	EXPECT_ERROR(WRONG_TYPE, memory_create_physical(part, 0, PAGE_SIZE, &memory));
	fewer = without(part, RIGHT_CREATE);
	EXPECT_ERROR(NO_RIGHTS, resource_create(fewer, 8, 1, &smaller));
	EXPECT_ERROR(NO_RIGHTS, interrupt_create(fewer, 8, 0, &interrupt));
	handle_close(fewer);
	REQUIRE_OK(resource_create(part, 9, 1, &smaller));
	handle_close(smaller);
	handle_close(part);
}

#define NOT_RAM ((uint64_t)1 << 47)

TEST(system_physical_memory_arguments)
{
	handle_t physical = start_handle(START_PHYSICAL), memory, part, fewer;

	EXPECT_ERROR(INVALID_ARGUMENT, memory_create_physical(physical, 1, PAGE_SIZE, &memory));
	EXPECT_ERROR(INVALID_ARGUMENT, memory_create_physical(physical, 0, 0, &memory));
	EXPECT_ERROR(INVALID_ARGUMENT, memory_create_physical(physical, 0, 100, &memory));
	EXPECT_ERROR(INVALID_ARGUMENT,
		memory_create_physical(physical, UINT64_MAX & ~(PAGE_SIZE - 1), 2 * PAGE_SIZE, &memory));
	EXPECT_OK(memory_create_physical(physical, NOT_RAM, PAGE_SIZE, &memory));
	EXPECT_OK(handle_close(memory));
	REQUIRE_OK(resource_create(physical, 0x10000000, PAGE_SIZE, &part));
	EXPECT_ERROR(INVALID_ARGUMENT, memory_create_physical(part, 0x10001000, PAGE_SIZE, &memory));
	fewer = without(part, RIGHT_CREATE);
	EXPECT_ERROR(NO_RIGHTS, memory_create_physical(fewer, 0x10000000, PAGE_SIZE, &memory));
	handle_close(fewer);
	handle_close(part);
}

TEST(system_interrupt_object)
{
	handle_t interrupts = start_handle(START_INTERRUPTS), interrupt, again, notification, fewer;

	REQUIRE_OK(notification_create(&notification));
	REQUIRE_OK(interrupt_create(interrupts, ISA_FREE_LINE, 0, &interrupt));
	EXPECT_ERROR(BUSY, interrupt_create(interrupts, ISA_FREE_LINE, 0, &again));
	EXPECT_ERROR(BAD_STATE, interrupt_acknowledge(interrupt));
	EXPECT_ERROR(INVALID_ARGUMENT, interrupt_bind(interrupt, notification, 0));
	fewer = without(interrupt, RIGHT_BIND | RIGHT_CONTROL);
	EXPECT_ERROR(NO_RIGHTS, interrupt_bind(fewer, notification, 1));
	EXPECT_ERROR(NO_RIGHTS, interrupt_acknowledge(fewer));
	handle_close(fewer);
	fewer = without(notification, RIGHT_SEND);
	EXPECT_ERROR(NO_RIGHTS, interrupt_bind(interrupt, fewer, 1));
	handle_close(fewer);
	EXPECT_OK(interrupt_bind(interrupt, notification, 1));
	EXPECT_OK(interrupt_acknowledge(interrupt));
	handle_close(interrupt);
	// The line is free again.
	REQUIRE_OK(interrupt_create(interrupts, ISA_FREE_LINE, 0, &interrupt));
	handle_close(interrupt);
	handle_close(notification);
}

// They are the CPU's own on AArch64, its timer's among them; elsewhere they may be devices'.
#define LOW_LINES 32

TEST(system_interrupt_lines_of_the_cpu)
{
	handle_t interrupts = start_handle(START_INTERRUPTS), interrupt;

	REQUIRE_OK(thread_set_affinity(HANDLE_SELF, 1));
	for (uint32_t line = 0; line < LOW_LINES; line++) {
		enum error error = interrupt_create(interrupts, line, 0, &interrupt);

		EXPECT(error == ERR_OK || error == ERR_BUSY || error == ERR_INVALID_ARGUMENT);
		if (error == ERR_OK)
			handle_close(interrupt);
	}
	EXPECT_OK(thread_sleep(after(20 * MILLISECOND)));
	EXPECT_OK(thread_set_affinity(HANDLE_SELF, UINT64_MAX));
}

TEST(system_log)
{
	handle_t log = start_handle(START_LOG), fewer, notification;
	static char text[1025], read[2048];
	uint64_t copied, next = 0, position;
	void *bad;

	REQUIRE(log != HANDLE_NONE);
	REQUIRE_OK(notification_create(&notification));
	EXPECT_OK(log_write(log, LOG_DEBUG, "a line of the tests", 19));
	EXPECT_ERROR(INVALID_ARGUMENT, log_write(log, 4, "x", 1));
	EXPECT_ERROR(TOO_LONG, log_write(log, LOG_DEBUG, text, sizeof(text)));
	EXPECT_ERROR(BAD_HANDLE, log_write(HANDLE_NONE, LOG_DEBUG, "x", 1));
	for (unsigned i = 0; bad_pointer(i, &bad); i++)
		EXPECT_ERROR(BAD_ADDRESS, log_write(log, LOG_DEBUG, bad, 16));
	EXPECT_ERROR(INVALID_ARGUMENT, log_read(log, 0, read, 0, &next, &copied));
	position = 0;
	for (unsigned i = 0; i < 1000; i++) {
		EXPECT_OK(log_read(log, position, read, sizeof(read), &next, &copied));
		if (copied == 0)
			break;
		EXPECT(next > position);
		position = next;
	}
	EXPECT(position > 0);
	EXPECT_ERROR(INVALID_ARGUMENT, log_watch(log, notification, 0));
	handle_close(notification);
	fewer = without(log, RIGHT_WRITE | RIGHT_READ | RIGHT_CONTROL);
	EXPECT_ERROR(NO_RIGHTS, log_write(fewer, LOG_DEBUG, "x", 1));
	EXPECT_ERROR(NO_RIGHTS, log_read(fewer, 0, read, 1, &next, &copied));
	EXPECT_ERROR(NO_RIGHTS, log_watch(fewer, HANDLE_NONE, 0));
	handle_close(fewer);
}

TEST(system_random_bytes)
{
	static uint8_t first[256], second[256];
	unsigned same = 0;
	void *bad;

	EXPECT_OK(random_get(first, sizeof(first)));
	EXPECT_OK(random_get(second, sizeof(second)));
	for (unsigned i = 0; i < sizeof(first); i++)
		same += first[i] == second[i];
	EXPECT(same < 32);
	EXPECT_OK(random_get(first, 0));
	EXPECT_ERROR(TOO_LONG, random_get(first, 257));
	for (unsigned i = 0; bad_pointer(i, &bad); i++)
		EXPECT_ERROR(BAD_ADDRESS, random_get(bad, 16));
}

TEST(system_counts_and_power)
{
	handle_t system = start_handle(START_SYSTEM), fewer;
	struct system_info info;

	EXPECT_OK(system_info(system, &info));
	EXPECT(info.cpu_count >= 1 && info.memory_total > info.memory_free && info.memory_free > 0);
	EXPECT(info.processes >= 2 && info.threads >= 2 && info.uptime > 0);
	EXPECT_ERROR(INVALID_ARGUMENT, system_power(system, 17));
	fewer = without(system, RIGHT_CONTROL | RIGHT_READ);
	EXPECT_ERROR(NO_RIGHTS, system_power(fewer, POWER_OFF));
	EXPECT_ERROR(NO_RIGHTS, system_info(fewer, &info));
	handle_close(fewer);
	EXPECT_ERROR(WRONG_TYPE, system_power(start_handle(START_INTERRUPTS), POWER_OFF));
}

TEST(system_io_ports)
{
	handle_t ports = start_handle(START_PORTS), part, fewer;
	static uint8_t bytes[256];
	uint64_t data;

	if (ports == HANDLE_NONE) {
		EXPECT_ERROR(BAD_HANDLE, io_port_read(ports, 0x80, 1, &data));
		return;
	}
	EXPECT_OK(io_port_read(ports, 0x80, 1, &data));
	EXPECT_ERROR(INVALID_ARGUMENT, io_port_read(ports, 0x80, 3, &data));
	EXPECT_ERROR(INVALID_ARGUMENT, io_port_read(ports, 0xffff, 2, &data));
	EXPECT_ERROR(INVALID_ARGUMENT, io_port_write(ports, 0x10000, 1, 0));
	REQUIRE_OK(resource_create(ports, 0x80, 1, &part));
	EXPECT_OK(io_port_write(part, 0x80, 1, 0));
	EXPECT_ERROR(INVALID_ARGUMENT, io_port_write(part, 0x80, 2, 0));
	EXPECT_ERROR(INVALID_ARGUMENT, io_port_write(part, 0x81, 1, 0));
	EXPECT_OK(io_port_write_bytes(part, 0x80, bytes, sizeof(bytes)));
	EXPECT_OK(io_port_write_bytes(part, 0x80, bytes, 0));
	EXPECT_ERROR(TOO_LONG, io_port_write_bytes(part, 0x80, bytes, sizeof(bytes) + 1));
	EXPECT_ERROR(INVALID_ARGUMENT, io_port_write_bytes(part, 0x81, bytes, 1));
	fewer = without(part, RIGHT_READ);
	EXPECT_ERROR(NO_RIGHTS, io_port_read(fewer, 0x80, 1, &data));
	handle_close(fewer);
	fewer = without(part, RIGHT_WRITE);
	EXPECT_ERROR(NO_RIGHTS, io_port_write(fewer, 0x80, 1, 0));
	handle_close(fewer);
	handle_close(part);
}

static void touch_nothing(uint64_t argument)
{
	*(volatile uint64_t *)argument = 0;
}

static uint64_t crash_with_a_bad_name(uint64_t argument)
{
	struct thread_attributes attributes = {
		.name = "\033[2J\nforged", .entry = (uintptr_t)touch_nothing, .argument = argument};
	handle_t thread;

	if (thread_create(HANDLE_SELF, &attributes, &thread) != ERR_OK)
		return 1;
	return thread_sleep(DEADLINE_NEVER);
}

// What a program calls its threads does not reach a terminal as it is, nor make lines of its own.
TEST(log_shows_names_without_control_characters)
{
	handle_t log = start_handle(START_LOG);
	uint64_t position = 0, next, copied = 1;
	static char text[80 * 1024]; // more than the log holds
	size_t length = 0;
	struct child child;

	REQUIRE(child_start(&child, crash_with_a_bad_name, 16, NULL, 0));
	EXPECT_EQUAL(child_wait(&child).reason, EXIT_FAULT);
	for (; copied > 0 && length + PAGE_SIZE < sizeof(text); length += copied) {
		REQUIRE_OK(log_read(log, position, text + length, PAGE_SIZE, &next, &copied));
		position = next;
		for (size_t i = 0; i < copied; i++)
			EXPECT(text[length + i] >= ' ' || text[length + i] == '\n');
	}
	EXPECT(strstr(text, "\"?[2J?forged\"") != NULL);
}

// SPDX-License-Identifier: MIT
//
// The trace: one line in the kernel log for each system call and what came of it.

#include <arch/thread.h>
#include <kernel/cpu.h>
#include <kernel/log.h>
#include <kernel/process.h>
#include <kernel/syscall.h>
#include <kernel/trace.h>
#include <tern/syscall_numbers.h>

bool trace_enabled;

enum { IPC = -1, UNKNOWN = -2 };

// How many arguments a call has.
static int argument_count(uint64_t number)
{
	switch (number) {
#define ARGUMENTS0()                                               0
#define ARGUMENTS1(t0, n0)                                         1
#define ARGUMENTS2(t0, n0, t1, n1)                                 2
#define ARGUMENTS3(t0, n0, t1, n1, t2, n2)                         3
#define ARGUMENTS4(t0, n0, t1, n1, t2, n2, t3, n3)                 4
#define ARGUMENTS5(t0, n0, t1, n1, t2, n2, t3, n3, t4, n4)         5
#define ARGUMENTS6(t0, n0, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5) 6
#define SYSCALL(number, name, result, arguments) \
	case SYSCALL_NUMBER_##name:              \
		return arguments;
#define SYSCALL_IPC(number, name)   \
	case SYSCALL_NUMBER_##name: \
		return IPC;
#include <tern/syscalls.def>
#include <tern/syscalls_undef.h>
	default:
		return UNKNOWN;
	}
}

static const char *process_name(const struct thread *thread)
{
	return thread->process ? thread->process->name : "kernel";
}

static void trace_ipc(const struct thread *thread, uint64_t number)
{
	uint64_t info = arch_message_info(&thread->arch);

	log_info("trace: %s/%llu %s(%#llx label %u length %zu words %#llx %#llx)", process_name(thread),
		(unsigned long long)thread->object.id, syscall_name(number),
		(unsigned long long)arch_message_handle(&thread->arch), (unsigned)message_label(info),
		message_length(info), (unsigned long long)arch_message_word(&thread->arch, 0),
		(unsigned long long)arch_message_word(&thread->arch, 1));
}

static void trace_arguments(const struct thread *thread, uint64_t number, int count)
{
	unsigned long long value[6];

	for (int i = 0; i < 6; i++)
		value[i] = i < count ? arch_syscall_argument(&thread->arch, (unsigned)i) : 0;
	switch (count) {
	case 0:
		log_info("trace: %s/%llu %s()", process_name(thread), (unsigned long long)thread->object.id,
			syscall_name(number));
		break;
	case 1:
	case 2:
		log_info("trace: %s/%llu %s(%#llx %#llx)", process_name(thread),
			(unsigned long long)thread->object.id, syscall_name(number), value[0], value[1]);
		break;
	default:
		log_info("trace: %s/%llu %s(%#llx %#llx %#llx %#llx)", process_name(thread),
			(unsigned long long)thread->object.id, syscall_name(number), value[0], value[1],
			value[2], value[3]);
		break;
	}
}

// The log's own calls would fill it with themselves.
static bool is_traced(const struct thread *thread, uint64_t number)
{
	return number != SYSCALL_NUMBER_log_read && number != SYSCALL_NUMBER_log_write &&
		!log_is_watched_by(thread->process);
}

void trace_syscall_enter(uint64_t number)
{
	const struct thread *thread = thread_current();
	int count = argument_count(number);

	if (!is_traced(thread, number))
		return;
	if (count == IPC)
		trace_ipc(thread, number);
	else
		trace_arguments(thread, number, count);
}

void trace_syscall_leave(uint64_t number, struct syscall_result result)
{
	const struct thread *thread = thread_current();

	if (!is_traced(thread, number) || result.error == UINT64_MAX)
		return;
	log_info("trace: %s/%llu %s = %llu, %#llx", process_name(thread),
		(unsigned long long)thread->object.id, syscall_name(number), (unsigned long long)result.error,
		(unsigned long long)result.value);
}

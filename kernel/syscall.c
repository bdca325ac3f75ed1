// SPDX-License-Identifier: MIT
//
// The system-call table: decoders made from syscalls.def, each a typed call of its handler.

#include <arch/thread.h>
#include <kernel/assert.h>
#include <kernel/cpu.h>
#include <kernel/syscall.h>
#include <kernel/trace.h>
#include <tern/syscall_numbers.h>

#define ARGUMENT(type, index) (type) arch_syscall_argument(arch, index)

#define ARGUMENTS0()
#define ARGUMENTS1(t0, n0)                         ARGUMENT(t0, 0)
#define ARGUMENTS2(t0, n0, t1, n1)                 ARGUMENTS1(t0, n0), ARGUMENT(t1, 1)
#define ARGUMENTS3(t0, n0, t1, n1, t2, n2)         ARGUMENTS2(t0, n0, t1, n1), ARGUMENT(t2, 2)
#define ARGUMENTS4(t0, n0, t1, n1, t2, n2, t3, n3) ARGUMENTS3(t0, n0, t1, n1, t2, n2), ARGUMENT(t3, 3)
#define ARGUMENTS5(t0, n0, t1, n1, t2, n2, t3, n3, t4, n4) \
	ARGUMENTS4(t0, n0, t1, n1, t2, n2, t3, n3), ARGUMENT(t4, 4)
#define ARGUMENTS6(t0, n0, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5) \
	ARGUMENTS5(t0, n0, t1, n1, t2, n2, t3, n3, t4, n4), ARGUMENT(t5, 5)
#define USER_IN(type)  const type __user *
#define USER_OUT(type) type __user *

// The handler sets the results itself, now or when the thread is woken.
static const struct syscall_result results_later = {.error = UINT64_MAX};

static struct syscall_result call(const struct arch_thread *arch, uint64_t number)
{
	switch (number) {
#define SYSCALL(number, name, result, arguments) \
	case number:                             \
		return sys_##name(arguments);
#define SYSCALL_IPC(number, name) \
	case number:              \
		sys_##name();     \
		return results_later;
#include <tern/syscalls.def>
#include <tern/syscalls_undef.h>
	default:
		return SYSCALL_ERROR(ERR_NO_SYSCALL);
	}
}

void syscall_dispatch(void)
{
	struct thread *thread = thread_current();
	uint64_t number = arch_syscall_number(&thread->arch);
	struct syscall_result result;

	if (trace_enabled)
		trace_syscall_enter(number);
	result = call(&thread->arch, number);
	if (trace_enabled)
		trace_syscall_leave(number, result);
	if (result.error != results_later.error)
		arch_syscall_set_result(&thread->arch, result);
}

// --- Direct calls

#define DIRECT_ARGUMENTS0()
#define DIRECT_ARGUMENTS1(t0, n0)                         (t0) a0
#define DIRECT_ARGUMENTS2(t0, n0, t1, n1)                 DIRECT_ARGUMENTS1(t0, n0), (t1)a1
#define DIRECT_ARGUMENTS3(t0, n0, t1, n1, t2, n2)         DIRECT_ARGUMENTS2(t0, n0, t1, n1), (t2)a2
#define DIRECT_ARGUMENTS4(t0, n0, t1, n1, t2, n2, t3, n3) DIRECT_ARGUMENTS3(t0, n0, t1, n1, t2, n2), (t3)a3
#define DIRECT_ARGUMENTS5(t0, n0, t1, n1, t2, n2, t3, n3, t4, n4) \
	DIRECT_ARGUMENTS4(t0, n0, t1, n1, t2, n2, t3, n3), (t4)a4
#define DIRECT_ARGUMENTS6(t0, n0, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5) \
	DIRECT_ARGUMENTS5(t0, n0, t1, n1, t2, n2, t3, n3, t4, n4), (t5)a5

#define USER_IN(type)  const type __user *
#define USER_OUT(type) type __user *
#define SYSCALL(number, name, result, arguments)                                    \
	static UNUSED struct syscall_result direct_##name(SYSCALL_ENTRY_PARAMETERS) \
	{                                                                           \
		struct syscall_result answer = sys_##name(DIRECT_##arguments);      \
		ASSERT_NO_LOCKS_HELD();                                             \
		return answer;                                                      \
	}
#define SYSCALL_IPC(number, name)
#include <tern/syscalls.def>
#include <tern/syscalls_undef.h>

static struct syscall_result no_syscall(SYSCALL_ENTRY_PARAMETERS)
{
	return SYSCALL_ERROR(ERR_NO_SYSCALL);
}

// What the table has in place of these.
#define direct_guest_enter arch_guest_enter_directly
#ifdef TERN_FAST_PATH
#define direct_thread_yield        fast_thread_yield
#define direct_notification_signal fast_notification_signal
#define direct_notification_wait   fast_notification_wait
#endif

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
syscall_entry *const syscall_table[SYSCALL_TABLE_SIZE] = {
	[0 ... SYSCALL_TABLE_SIZE - 1] = no_syscall,
#define SYSCALL(number, name, result, arguments) [number] = direct_##name,
#define SYSCALL_IPC(number, name)                [number] = arch_##name,
#include <tern/syscalls.def>
#include <tern/syscalls_undef.h>
};
#pragma GCC diagnostic pop

const char *syscall_name(uint64_t number)
{
	switch (number) {
#define SYSCALL(number, name, result, arguments) \
	case number:                             \
		return #name;
#define SYSCALL_IPC(number, name) \
	case number:              \
		return #name;
#include <tern/syscalls.def>
#include <tern/syscalls_undef.h>
	default:
		return "unknown";
	}
}

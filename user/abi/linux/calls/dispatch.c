// SPDX-License-Identifier: MIT
//
// The table of calls by number, generated from calls.def, and the way through it.

#include <linux/calls/dispatch.h>

#include <linux/calls/calls.h>
#include <linux/interface/errors.h>
#include <linux/process/process.h>

#include <runtime/format.h>

// A decoder gives the handler its arguments in the types that it declares: of an int the low half of the
// register.
#define ARGUMENTS0()
#define ARGUMENTS1(t0, n0)                                 , (t0)a[0]
#define ARGUMENTS2(t0, n0, t1, n1)                         , (t0)a[0], (t1)a[1]
#define ARGUMENTS3(t0, n0, t1, n1, t2, n2)                 , (t0)a[0], (t1)a[1], (t2)a[2]
#define ARGUMENTS4(t0, n0, t1, n1, t2, n2, t3, n3)         , (t0)a[0], (t1)a[1], (t2)a[2], (t3)a[3]
#define ARGUMENTS5(t0, n0, t1, n1, t2, n2, t3, n3, t4, n4) , (t0)a[0], (t1)a[1], (t2)a[2], (t3)a[3], (t4)a[4]
#define ARGUMENTS6(t0, n0, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5) \
	, (t0)a[0], (t1)a[1], (t2)a[2], (t3)a[3], (t4)a[4], (t5)a[5]
#define MISSING(x86_64, generic, name)
#define CALL(x86_64, generic, name, arguments)                                                \
	static int64_t decode_##name(struct thread *thread, const uint64_t a[CALL_ARGUMENTS]) \
	{                                                                                     \
		(void)a;                                                                      \
		return linux_##name(thread arguments);                                        \
	}
#include <linux/calls/calls.def>
#include <linux/calls/calls_undef.h>

static int64_t decode_missing(struct thread *thread, const uint64_t a[CALL_ARGUMENTS])
{
	(void)thread;
	(void)a;
	return -LINUX_ENOSYS;
}

static int64_t (*const decoders[])(struct thread *thread, const uint64_t a[CALL_ARGUMENTS]) = {
#define CALL(x86_64, generic, name, arguments) [CALL_NUMBER(x86_64, generic)] = decode_##name,
#define MISSING(x86_64, generic, name)         [CALL_NUMBER(x86_64, generic)] = decode_missing,
#include <linux/calls/calls.def>
#include <linux/calls/calls_undef.h>
};

void call_dispatch(struct thread *thread)
{
	struct registers *registers = &thread->state->registers;
	uint64_t arguments[CALL_ARGUMENTS];
	uint64_t number = guest_call_number(registers);
	int64_t result = -LINUX_ENOSYS;

	guest_call_arguments(registers, arguments);
	if (number < sizeof(decoders) / sizeof(decoders[0]) && decoders[number])
		result = decoders[number](thread, arguments);
	else
		log_print(
			LOG_DEBUG, "%s (process %d): no call %lu", thread->name, thread->process->id, number);
	thread->call_rewound = result == -LINUX_ERESTART;
	if (thread->call_rewound || result == -LINUX_ERESTARTNOINTR)
		guest_rewind_call(registers, number, arguments[0]);
	else if (result != CALL_REGISTERS_SET)
		guest_set_result(registers, result);
}

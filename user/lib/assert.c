// SPDX-License-Identifier: MIT
//
// A failed assertion and a smashed stack end the program with a line in the log and a fault, whose backtrace the kernel logs.
// (The C library's own assertion would bring printf, and with it floating point, into every program.)

#include <assert.h>
#include <runtime/format.h>

_Noreturn void __wrap___stack_chk_fail(void);

_Noreturn void __assert_fail(const char *expression, const char *file, int line, const char *function)
{
	log_print(LOG_ERROR, "assertion failed: %s (%s:%d, %s)", expression, file, line, function);
	__builtin_trap();
}

// What the compiler calls as __stack_chk_fail where a function returns and finds another canary than the one it left.
_Noreturn void __wrap___stack_chk_fail(void)
{
	log_print(LOG_ERROR, "stack smashed: a function wrote beyond its local variables");
	__builtin_trap();
}

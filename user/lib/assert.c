// SPDX-License-Identifier: MIT
//
// A failed assertion ends the program with a line in the log and a fault, whose backtrace the kernel logs. (The C
// library's own would bring printf, and with it floating point, into every program.)

#include <assert.h>
#include <runtime/format.h>

_Noreturn void __assert_fail(const char *expression, const char *file, int line, const char *function)
{
	log_print(LOG_ERROR, "assertion failed: %s (%s:%d, %s)", expression, file, line, function);
	__builtin_trap();
}

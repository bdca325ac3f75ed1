// SPDX-License-Identifier: MIT
//
// What the compiler's undefined-behaviour sanitizer calls in debug builds. Each finding is a panic that says
// where.

#include <kernel/panic.h>
#include <stdint.h>

struct source_location {
	const char *file;
	uint32_t line;
	uint32_t column;
};

// Each handler is given a structure of its own kind, which begins with the location.
static _Noreturn void report(const char *what, const struct source_location *location)
{
	panic("undefined behaviour: %s at %s:%u", what, location->file, location->line);
}

#define HANDLER(name, what)                                                 \
	void __ubsan_handle_##name(const struct source_location *location); \
	void __ubsan_handle_##name(const struct source_location *location)  \
	{                                                                   \
		report(what, location);                                     \
	}

HANDLER(add_overflow, "addition overflows")
HANDLER(sub_overflow, "subtraction overflows")
HANDLER(mul_overflow, "multiplication overflows")
HANDLER(negate_overflow, "negation overflows")
HANDLER(divrem_overflow, "division by zero or overflow")
HANDLER(shift_out_of_bounds, "shift by too much or of a negative value")
HANDLER(out_of_bounds, "array index out of bounds")
HANDLER(type_mismatch_v1, "null or misaligned pointer, or too small an object")
HANDLER(pointer_overflow, "pointer arithmetic overflows")
HANDLER(load_invalid_value, "value that its type does not have")
HANDLER(builtin_unreachable, "unreachable code reached")
HANDLER(missing_return, "function without a return value")
HANDLER(vla_bound_not_positive, "array of no size")
HANDLER(nonnull_arg, "null argument where it must not be")
HANDLER(nonnull_return_v1, "null returned where it must not be")
HANDLER(invalid_builtin, "zero given to a bit count")
HANDLER(alignment_assumption, "assumed alignment is not there")
HANDLER(function_type_mismatch, "call through a pointer of another type")

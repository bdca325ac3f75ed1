// SPDX-License-Identifier: MIT
//
// Tables of cases: each row is one argument of one system call, and names both so that
// tools/check_syscall_tests.py knows what the tests of a table try.

#ifndef CASES_H
#define CASES_H

#include "test.h"

// An object of each type with a handle that has all rights, for the time of a test of a table.
extern handle_t objects[OBJECT_TYPE_COUNT];
#define AN(type) objects[OBJECT_##type]

bool objects_make(void);
void objects_close(void);

// What a call yields that should have failed.
extern handle_t made;
extern uint64_t yielded;

#define TABLE_ROW(table, row) \
	static const struct table row __attribute__((section(#table "s"), used, aligned(8)))

// --- Handles: `handle` stands for it in the arguments. TYPE: ANY, or the only one that is good. Without one of
// RIGHTS the call fails. Where ERR_BAD_HANDLE is not the answer to HANDLE_NONE: OPTIONAL_HANDLE_CASE.

struct handle_case {
	const char *name;
	enum error (*call)(handle_t handle);
	enum object_type type;
	rights_t rights;
	bool optional;
};

#define OBJECT_ANY OBJECT_NONE

#define HANDLE_CASE_OF(the_call, argument, the_type, the_rights, is_optional, ...)       \
	static enum error the_call##_##argument##_handle(handle_t handle)                \
	{                                                                                \
		return the_call(__VA_ARGS__);                                            \
	}                                                                                \
	TABLE_ROW(handle_case, row_##the_call##_##argument) = {#the_call ": " #argument, \
		the_call##_##argument##_handle, OBJECT_##the_type, the_rights, is_optional}

#define HANDLE_CASE(call, argument, type, rights, ...) \
	HANDLE_CASE_OF(call, argument, type, rights, false, __VA_ARGS__)
#define OPTIONAL_HANDLE_CASE(call, argument, type, rights, ...) \
	HANDLE_CASE_OF(call, argument, type, rights, true, __VA_ARGS__)

// --- Pointers: `pointer` stands for it in the arguments. SIZE: what the kernel accesses, in bytes; 0: this machine cannot
// make the call. ACCESS: whether the kernel READS or WRITES it.

struct pointer_case {
	const char *name;
	enum error (*call)(void *pointer);
	size_t (*size)(void);
	bool writes;
};

enum { READS, WRITES };

#define POINTER_CASE(the_call, argument, the_size, access, ...)                           \
	static enum error the_call##_##argument##_pointer(void *pointer)                  \
	{                                                                                 \
		return the_call(__VA_ARGS__);                                             \
	}                                                                                 \
	static size_t the_call##_##argument##_size(void)                                  \
	{                                                                                 \
		return the_size;                                                          \
	}                                                                                 \
	TABLE_ROW(pointer_case, row_##the_call##_##argument) = {#the_call ": " #argument, \
		the_call##_##argument##_pointer, the_call##_##argument##_size, access}

// --- What takes memory: LIMITS says of what none may be left in the account (PAGES, OBJECTS) or in the capability table (SLOTS)
// for the call to fail with ERR_NO_MEMORY or ERR_NO_SLOTS.

enum { PAGES = 1, OBJECTS = 2, SLOTS = 4 };

struct memory_case {
	const char *name;
	enum error (*call)(void);
	unsigned limits;
};

#define MEMORY_CASE(the_call, the_limits, ...)     \
	static enum error the_call##_in_want(void) \
	{                                          \
		return the_call(__VA_ARGS__);      \
	}                                          \
	TABLE_ROW(memory_case, row_##the_call) = {#the_call, the_call##_in_want, the_limits}

#endif

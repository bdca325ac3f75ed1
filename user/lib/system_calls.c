// SPDX-License-Identifier: MIT
//
// The bodies of the system calls' C functions.

#include <runtime/arch.h>
#include <runtime/system_calls.h>

#define USER_IN(type)  const type *
#define USER_OUT(type) type *

#define PASS_ARGUMENTS0()                       0, 0, 0, 0, 0, 0
#define PASS_ARGUMENTS1(t0, n0)                 (uint64_t) n0, 0, 0, 0, 0, 0
#define PASS_ARGUMENTS2(t0, n0, t1, n1)         (uint64_t) n0, (uint64_t)n1, 0, 0, 0, 0
#define PASS_ARGUMENTS3(t0, n0, t1, n1, t2, n2) (uint64_t) n0, (uint64_t)n1, (uint64_t)n2, 0, 0, 0
#define PASS_ARGUMENTS4(t0, n0, t1, n1, t2, n2, t3, n3) \
	(uint64_t) n0, (uint64_t)n1, (uint64_t)n2, (uint64_t)n3, 0, 0
#define PASS_ARGUMENTS5(t0, n0, t1, n1, t2, n2, t3, n3, t4, n4) \
	(uint64_t) n0, (uint64_t)n1, (uint64_t)n2, (uint64_t)n3, (uint64_t)n4, 0
#define PASS_ARGUMENTS6(t0, n0, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5) \
	(uint64_t) n0, (uint64_t)n1, (uint64_t)n2, (uint64_t)n3, (uint64_t)n4, (uint64_t)n5

#define STORE_NO_VALUE
#define STORE_VALUE(type, name)             \
	if (answer.error == ERR_OK) {       \
		*name = (type)answer.value; \
	}

#define SYSCALL(number, name, result, arguments)                                           \
	enum error name(PARAMETERS(result, arguments))                                     \
	{                                                                                  \
		struct syscall_result answer = arch_system_call(number, PASS_##arguments); \
		STORE_##result return (enum error)answer.error;                            \
	}
#define SYSCALL_IPC(number, name)
#include <tern/syscalls.def>
#include <tern/syscalls_undef.h>

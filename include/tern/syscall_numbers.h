// SPDX-License-Identifier: MIT
//
// enum syscall_number: SYSCALL_NUMBER_name for each system call.

#ifndef TERN_SYSCALL_NUMBERS_H
#define TERN_SYSCALL_NUMBERS_H

#define SYSCALL_NUMBER_LIMIT 170 // all numbers are below it

enum syscall_number {
#define SYSCALL(number, name, result, arguments) SYSCALL_NUMBER_##name = number,
#define SYSCALL_IPC(number, name)                SYSCALL_NUMBER_##name = number,
#include <tern/syscalls.def>
#include <tern/syscalls_undef.h>
};

#endif

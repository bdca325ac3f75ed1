// SPDX-License-Identifier: MIT
//
// The system calls as C functions, generated from tern/syscalls.def, which is their reference. Each returns
// its error; one that yields a value stores it through its last parameter where the error is ERR_OK.

#ifndef RUNTIME_SYSTEM_CALLS_H
#define RUNTIME_SYSTEM_CALLS_H

#include <tern/arch/registers.h>
#include <tern/guest.h>
#include <tern/info.h>
#include <tern/syscall_numbers.h>
#include <tern/types.h>

#define USER_IN(type)  const type *
#define USER_OUT(type) type *

#include <runtime/parameters.h>
#define SYSCALL(number, name, result, arguments) enum error name(PARAMETERS(result, arguments));
#define SYSCALL_IPC(number, name)                // runtime/ipc.h
#include <tern/syscalls.def>
#include <tern/syscalls_undef.h>

#endif

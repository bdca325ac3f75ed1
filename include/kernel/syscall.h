// SPDX-License-Identifier: MIT
//
// The handlers of the system calls, as syscalls.def declares them, and what they use to look at their
// arguments.

#ifndef KERNEL_SYSCALL_H
#define KERNEL_SYSCALL_H

#include <arch/usercopy.h>
#include <kernel/capability.h>
#include <kernel/thread.h>
#include <tern/info.h>
#include <tern/syscall_numbers.h>
#include <tern/types.h>

// Marks pointers to user memory for the static checker: never dereferenced, only given to copy_from_user and
// copy_to_user.
#ifdef __CHECKER__
#define __user __attribute__((noderef, address_space(1)))
#else
#define __user
#endif

// Entries of the table of direct calls. None needs all of what they are given.
#define UNUSED __attribute__((unused))
#define SYSCALL_ENTRY_PARAMETERS                                                                            \
	UNUSED uint64_t a0, UNUSED uint64_t a1, UNUSED uint64_t a2, UNUSED uint64_t a3, UNUSED uint64_t a4, \
		UNUSED uint64_t a5
typedef struct syscall_result syscall_entry(SYSCALL_ENTRY_PARAMETERS);

// Every handler: struct syscall_result sys_NAME(arguments), void sys_NAME(void) for IPC (registers of the
// current thread), which the ISA's syscall_entry arch_NAME calls.
#define SYSCALL(number, name, result, arguments) struct syscall_result sys_##name(arguments);
#define SYSCALL_IPC(number, name) \
	void sys_##name(void);    \
	syscall_entry arch_##name;
#define ARGUMENTS0()                                               void
#define ARGUMENTS1(t0, n0)                                         t0 n0
#define ARGUMENTS2(t0, n0, t1, n1)                                 t0 n0, t1 n1
#define ARGUMENTS3(t0, n0, t1, n1, t2, n2)                         t0 n0, t1 n1, t2 n2
#define ARGUMENTS4(t0, n0, t1, n1, t2, n2, t3, n3)                 t0 n0, t1 n1, t2 n2, t3 n3
#define ARGUMENTS5(t0, n0, t1, n1, t2, n2, t3, n3, t4, n4)         t0 n0, t1 n1, t2 n2, t3 n3, t4 n4
#define ARGUMENTS6(t0, n0, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5) t0 n0, t1 n1, t2 n2, t3 n3, t4 n4, t5 n5
#define USER_IN(type)                                              const type __user *
#define USER_OUT(type)                                             type __user *
#include <tern/syscalls.def>
#include <tern/syscalls_undef.h>

#define SYSCALL_OK       ((struct syscall_result){.error = ERR_OK, .value = 0})
#define SYSCALL_VALUE(v) ((struct syscall_result){.error = ERR_OK, .value = (uint64_t)(v)})
#define SYSCALL_ERROR(e) ((struct syscall_result){.error = (uint64_t)(e), .value = 0})

// Whether [address, address + length) is wholly below ARCH_USER_END, overflow included.
bool user_range_valid(uint64_t address, uint64_t length);

// Check the range and copy. ERR_BAD_ADDRESS: nothing may be assumed about what was copied. No lock held.
enum error copy_from_user(void *destination, const void __user *source, size_t length);
enum error copy_to_user(void __user *destination, const void *source, size_t length);

// Look-ups that take HANDLE_SELF.
enum error process_lookup(handle_t handle, rights_t needed, struct process **process);
enum error thread_lookup(handle_t handle, rights_t needed, struct thread **thread);

// Entries in place of the general ones, which they call where something is unusual: arch_guest_enter with the frame at the stack
// pointer, and switches from user mode to user mode: fast_path.h.
syscall_entry arch_guest_enter_directly, fast_thread_yield, fast_notification_signal, fast_notification_wait;

// The handlers by number, for direct calls; every hole is a handler that answers ERR_NO_SYSCALL.
#define SYSCALL_TABLE_SIZE SYSCALL_NUMBER_LIMIT
extern syscall_entry *const syscall_table[SYSCALL_TABLE_SIZE];

// Dispatches the current thread's system call by its frame (trap_syscall, after guests were sorted out).
void syscall_dispatch(void);
const char *syscall_name(uint64_t number);

#endif

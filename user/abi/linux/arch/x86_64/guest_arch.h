// SPDX-License-Identifier: MIT
//
// Linux on x86_64: registers of calls and layouts. See arch/guest.h.

#ifndef ARCH_GUEST_ARCH_H
#define ARCH_GUEST_ARCH_H

#include <string.h>

#define CALL_NUMBER(x86_64, generic) (x86_64)

#define GUEST_ELF_MACHINE 62
#define GUEST_MACHINE     "x86_64"
#define GUEST_PLATFORM    "x86_64"
#define GUEST_ADDRESS_END ((guest_address_t)0x7ffffffff000)

#define LINUX_O_DIRECT    0040000
#define LINUX_O_LARGEFILE 0100000
#define LINUX_O_DIRECTORY 0200000
#define LINUX_O_NOFOLLOW  0400000

struct linux_stat {
	uint64_t file_system;
	uint64_t node;
	uint64_t links;
	uint32_t mode;
	uint32_t user;
	uint32_t group;
	uint32_t padding;
	uint64_t device;
	int64_t size;
	int64_t block_size;
	int64_t blocks;
	int64_t access_seconds, access_nanoseconds;
	int64_t modify_seconds, modify_nanoseconds;
	int64_t change_seconds, change_nanoseconds;
	int64_t reserved[3];
};
_Static_assert(sizeof(struct linux_stat) == 144, "stat is 144 bytes");

struct linux_signal_action {
	uint64_t handler;
	uint64_t flags;
	uint64_t restorer;
	uint64_t mask;
};

static inline uint64_t guest_call_number(const struct registers *registers)
{
	return registers->rax;
}

static inline void guest_call_arguments(const struct registers *registers, uint64_t arguments[CALL_ARGUMENTS])
{
	arguments[0] = registers->rdi;
	arguments[1] = registers->rsi;
	arguments[2] = registers->rdx;
	arguments[3] = registers->r10;
	arguments[4] = registers->r8;
	arguments[5] = registers->r9;
}

static inline void guest_set_result(struct registers *registers, int64_t result)
{
	registers->rax = (uint64_t)result;
}

static inline void guest_start(struct registers *registers, guest_address_t entry, guest_address_t stack)
{
	memset(registers, 0, sizeof(*registers));
	registers->rip = entry;
	registers->rsp = stack;
}

static inline guest_address_t guest_program_counter(const struct registers *registers)
{
	return registers->rip;
}

static inline guest_address_t guest_stack_pointer(const struct registers *registers)
{
	return registers->rsp;
}

static inline void guest_set_stack_pointer(struct registers *registers, guest_address_t stack)
{
	registers->rsp = stack;
}

static inline void guest_set_thread_pointer(struct registers *registers, guest_address_t base)
{
	registers->fs_base = base;
}

#endif

// SPDX-License-Identifier: MIT
//
// Linux on AArch64: registers of calls and layouts. See arch/guest.h.

#ifndef ARCH_GUEST_ARCH_H
#define ARCH_GUEST_ARCH_H

#include <linux/arch/generic/stat.h>

#include <string.h>

#define CALL_NUMBER(x86_64, generic) (generic)

#define GUEST_ELF_MACHINE 183
#define GUEST_MACHINE     "aarch64"
#define GUEST_PLATFORM    "aarch64"
#define GUEST_ADDRESS_END ((guest_address_t)0xfffffffff000)

#define LINUX_O_DIRECTORY 0040000
#define LINUX_O_NOFOLLOW  0100000
#define LINUX_O_DIRECT    0200000
#define LINUX_O_LARGEFILE 0400000

struct linux_signal_action {
	uint64_t handler;
	uint64_t flags;
	uint64_t restorer;
	uint64_t mask;
};

static inline uint64_t guest_call_number(const struct registers *registers)
{
	return registers->x[8];
}

static inline void guest_call_arguments(const struct registers *registers, uint64_t arguments[CALL_ARGUMENTS])
{
	memcpy(arguments, &registers->x[0], CALL_ARGUMENTS * sizeof(uint64_t));
}

static inline void guest_set_result(struct registers *registers, int64_t result)
{
	registers->x[0] = (uint64_t)result;
}

static inline void guest_start(struct registers *registers, guest_address_t entry, guest_address_t stack)
{
	memset(registers, 0, sizeof(*registers));
	registers->pc = entry;
	registers->sp = stack;
}

static inline guest_address_t guest_program_counter(const struct registers *registers)
{
	return registers->pc;
}

static inline guest_address_t guest_stack_pointer(const struct registers *registers)
{
	return registers->sp;
}

static inline void guest_set_stack_pointer(struct registers *registers, guest_address_t stack)
{
	registers->sp = stack;
}

static inline void guest_set_thread_pointer(struct registers *registers, guest_address_t base)
{
	registers->tpidr = base;
}

#endif

// SPDX-License-Identifier: MIT
//
// What differs between the guests' architectures: the contract that each arch/ISA/guest_arch.h and
// guest_arch.c fulfils. The prototypes stand here, so an ISA that misses one or types it otherwise does not
// compile.
//
// guest_arch.h also defines
//   CALL_NUMBER(x86_64, generic)   the ISA's number of a row of calls.def
//   GUEST_ELF_MACHINE              e_machine of its programs
//   GUEST_MACHINE                  its name in uname
//   GUEST_PLATFORM                 AT_PLATFORM, or NULL
//   GUEST_ADDRESS_END              guests use addresses below it only
//   LINUX_O_DIRECTORY, LINUX_O_NOFOLLOW, LINUX_O_LARGEFILE, LINUX_O_DIRECT
//   struct linux_stat              as stat fills it
//   struct linux_signal_action     as sigaction takes it: at least handler, flags, mask

#ifndef ARCH_GUEST_H
#define ARCH_GUEST_H

#include <protocol/file.h>
#include <tern/guest.h>

// An address, or any pointer argument, of a guest.
typedef uint64_t guest_address_t;

#define CALL_ARGUMENTS 6

// The number and the arguments of the call that the guest has just made.
static inline uint64_t guest_call_number(const struct registers *registers);
static inline void guest_call_arguments(
	const struct registers *registers, uint64_t arguments[CALL_ARGUMENTS]);

// Puts a call's result, or its negated error, where the guest expects it.
static inline void guest_set_result(struct registers *registers, int64_t result);

// Makes the registers those of a program that starts.
static inline void guest_start(struct registers *registers, guest_address_t entry, guest_address_t stack);

static inline guest_address_t guest_program_counter(const struct registers *registers);
static inline guest_address_t guest_stack_pointer(const struct registers *registers);
static inline void guest_set_stack_pointer(struct registers *registers, guest_address_t stack);
static inline void guest_set_thread_pointer(struct registers *registers, guest_address_t base);

#include <guest_arch.h>

// A name and a value for each register, for reports of faults; false past the last.
struct guest_register {
	const char *name;
	uint64_t value;
};
bool guest_register(const struct registers *registers, unsigned index, struct guest_register *result);

// Makes the registers such that the guest makes the call again that it has just made: its number and first
// argument are what results may have overwritten. The other undoes that: the call is then one that was made.
void guest_rewind_call(struct registers *registers, uint64_t number, uint64_t argument);
void guest_complete_call(struct registers *registers);

// Code that makes the call rt_sigreturn, for handlers that bring none of their own to return to.
#define GUEST_SIGNAL_RETURN_SIZE 8
extern const uint8_t guest_signal_return_code[GUEST_SIGNAL_RETURN_SIZE];

// The CPU features that AT_HWCAP tells.
uint64_t guest_capabilities(void);

// Lays attributes out as the stat family of this ISA does. `device` numbers are in Linux's encoding.
void guest_fill_stat(struct linux_stat *result, const struct file_attributes *attributes);

#endif

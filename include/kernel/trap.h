// SPDX-License-Identifier: MIT
//
// What the ISAs call in the core: all with interrupts disabled.
//
// From user mode an ISA saves the registers in the current thread's frame, calls one of trap_syscall,
// trap_fault, trap_interrupt ..., and then trap_exit, before it returns to user mode by restoring the frame.
// trap_exit may switch threads, and does not return for a thread that blocked. From kernel mode (idle,
// preemption points) only interrupts come: then trap_exit is not called.
//
// A system call whose number is below cpu->direct_calls is an ordinary call of C: the ISA saves program counter,
// stack pointer, flags and the callee-saved registers in the frame, and calls the handler in syscall_table with the arguments
// where C has them. The entries of IPC calls are functions of the ISA, arch_NAME, which save the message registers as
// well, call sys_NAME and go on to trap_exit. When a handler returns and cpu->work is 0, the ISA returns to user mode with the
// results, the callee-saved registers as C preserved them, and zero in all other registers. Else it calls
// trap_syscall_exit and restores the whole frame. So whoever finds a thread that is not on a CPU finds its registers in its frame; a
// thread that was preempted inside a call goes through trap_exit.
//
// A guest's system call (cpu->direct_calls is 0, thread->guest is set) is none of these: the ISA stores the registers in the state
// page, calls guest_end with the stack of the personality's guest_enter, and goes on as its handler had returned
// GUEST_EXIT_SYSCALL.

#ifndef KERNEL_TRAP_H
#define KERNEL_TRAP_H

#include <arch/types.h>
#include <tern/fault.h>

struct fault {
	enum fault_kind kind;
	uint64_t address; // page faults: the address accessed
	enum fault_access access;
	uint64_t isa_code;
};

// A system call that is not direct: all registers are in the frame.
void trap_syscall(void);
// What cpu->direct_calls is while a thread runs its own code: 0 where calls are traced or measured.
extern uint64_t direct_calls_limit;

// The end of a direct system call that leaves work to be done.
void trap_syscall_exit(struct syscall_result result);

// A fault in user mode, page faults included.
void trap_fault(const struct fault *fault);

// The end of a kernel entry from user mode.
void trap_exit(void);

// The end of a switch to a thread that goes on to user mode: trap_exit, unless there is nothing that it would do.
void trap_exit_switched(void);

// A page fault at a user address inside a copy function. True: the access can be tried again; false: it
// cannot (the ISA ends the copy by its fix-up table).
bool vm_kernel_fault(vaddr_t address, enum fault_access access);

// A fault of the kernel itself that no fix-up covers: prints and panics. `name` says what in words; a stack
// overflow says "kernel stack overflow".
_Noreturn void trap_kernel_fault(const char *name, const struct arch_frame *frame, const struct fault *fault);

// Interrupts, called by the interrupt controller's dispatch: a device line, the timer, an IPI.
void trap_interrupt(uint32_t line);
void trap_timer(void);
void trap_ipi(void);

#endif

// SPDX-License-Identifier: MIT
//
// The HAL contract: threads, their kernel contexts and user registers.
//
// A thread that does not run is in one of two shapes. Its kernel context is either somewhere inside the
// kernel (it was switched out at a preemption point), or fresh: arch_thread_reset_context says at which
// function it starts, on an empty kernel stack just below its frame. Every thread that blocks is fresh:
// nothing on its kernel stack is live but its frame.

#ifndef ARCH_THREAD_H
#define ARCH_THREAD_H

#include <arch/types.h>
#include <tern/arch/registers.h>
#include <tern/fault.h>

struct cpu;

// Prepares a new thread: frame at the top of the kernel stack that ends at `stack_top` (16-byte aligned),
// user registers zero but for those given, interrupts enabled in user mode, FPU state initial and unused.
void arch_thread_init(struct arch_thread *thread, vaddr_t stack_top, uint64_t entry, uint64_t stack_pointer,
	uint64_t argument, uint64_t tls_base);

// Prepares a thread that runs only in the kernel (idle): starts at `entry` on its stack, never returns to
// user mode.
void arch_thread_init_kernel(struct arch_thread *thread, vaddr_t stack_top, void (*entry)(void));

// Makes the kernel context of a thread that was switched out fresh: the next switch to it calls `entry`, which must not
// return.
static inline void arch_thread_reset_context(struct arch_thread *thread, void (*entry)(void));

static inline bool arch_thread_is_fresh(const struct arch_thread *thread);

// Switches kernel contexts: saves callee-saved state, TLS bases and FPU ownership of `previous`, and loads
// those of `next`; sets the kernel stack for the next entry from user mode. Address spaces are switched
// separately. Interrupts disabled. Returns when `previous` runs again.
void arch_context_switch(struct arch_thread *previous, struct arch_thread *next);

// Returns to user mode with the registers of the current thread's frame. Interrupts disabled; nothing
// pending.
_Noreturn void arch_enter_user(struct arch_thread *thread);

// The thread has ended or moves to another CPU: no CPU keeps its FPU registers any more. Called on the CPU
// that ran it last.
void arch_fpu_release(struct arch_thread *thread);

// The size of the FPU state as thread_read_fpu gives it, and copies of it. The thread is current. Writing
// checks the state.
size_t arch_fpu_size(void);
void arch_fpu_get(struct arch_thread *thread, void *state);
bool arch_fpu_set(struct arch_thread *thread, const void *state);
void arch_fpu_reset(struct arch_thread *thread);

// TLS base of user mode. The thread is current or not running.
uint64_t arch_tls_get(struct arch_thread *thread);
void arch_tls_set(struct arch_thread *thread, uint64_t base);

// Whether direct switches (arch/direct_switch.h) work on this machine.
static inline bool arch_can_switch_directly(void);
// From the current thread in its system call or fault to user mode of another one whose context is fresh, with all registers of its
// frame: as arch_context_switch and arch_enter_user. Nothing is kept of the current thread but what its frame has. Clears on_cpu of
// `previous` when its stack is no longer in use, and then looks at the CPU's work: where it is not 0, ipc_fast_path_work comes
// first. FPU and address space have been switched.
static inline _Noreturn void arch_resume_directly(
	struct cpu *cpu, struct arch_thread *previous, struct arch_thread *next);
// The FPU's part of a direct switch, and whether it has anything to do.
static inline void arch_fpu_switch_directly(
	struct arch_cpu *cpu, struct arch_thread *previous, struct arch_thread *next);
static inline bool arch_fpu_must_switch(
	const struct arch_cpu *cpu, const struct arch_thread *previous, const struct arch_thread *next);

// All user registers, TLS bases included. The thread is current or not running. Setting leaves privileged
// bits as they must be and returns false, changing nothing, where the CPU would refuse an address
// (non-canonical, kernel). What it reads may be memory that others write: what is checked is read once.
void arch_registers_get(struct arch_thread *thread, struct registers *registers);
bool arch_registers_set(struct arch_thread *thread, const struct registers *registers);

// Guests (kernel/guest.c); the thread is current. Its frame becomes one just below that of its system call, in which and in the thread
// that call's registers, TLS bases included, stay until arch_guest_end.
void arch_guest_begin(struct arch_cpu *cpu, struct arch_thread *thread);
void arch_guest_end(struct arch_cpu *cpu, struct arch_thread *thread);
// Goes on with guest_begin on the stack below that frame, and to user mode. Does not return itself.
struct syscall_result arch_guest_enter(void);
// The same as the first two with what of arch_registers_set and arch_registers_get is left to do where assembly loads and stores all
// others straight from and to `registers`. False, nothing changed: the CPU would refuse them, or assembly cannot do it, or it does
// what it can without this.
bool arch_guest_begin_directly(
	struct arch_cpu *cpu, struct arch_thread *thread, const struct registers *registers);
void arch_guest_end_directly(struct arch_cpu *cpu, struct arch_thread *thread, struct registers *registers);

// The same, for the frame alone in a system call: number, argument 0 to 5, results. Setting results zeroes
// the other caller-saved registers.
static inline uint64_t arch_syscall_number(const struct arch_thread *thread);
static inline uint64_t arch_syscall_argument(const struct arch_thread *thread, unsigned index);
static inline void arch_syscall_set_result(struct arch_thread *thread, struct syscall_result result);

// Message registers as message.h lays them out. `index` is below MESSAGE_WIDE_WORDS.
static inline uint64_t arch_message_handle(const struct arch_thread *thread);
static inline uint64_t arch_message_info(const struct arch_thread *thread);
static inline uint64_t arch_message_word(const struct arch_thread *thread, unsigned index);
// Zeroes all caller-saved registers, then sets error, badge and info; words are set after it.
static inline void arch_message_set_result(
	struct arch_thread *thread, enum error error, uint64_t badge, uint64_t info);
static inline void arch_message_set_word(struct arch_thread *thread, unsigned index, uint64_t word);

static inline uint64_t arch_program_counter(const struct arch_thread *thread);
static inline uint64_t arch_stack_pointer(const struct arch_thread *thread);

// Prints the registers of a frame to the log (crashes and panics).
void arch_frame_log(const struct arch_frame *frame);

// Return addresses of the calling kernel code, innermost first; of a frame: the program counter and the return
// addresses of the kernel or user code it interrupted. A user stack is read by `arch_copy_from_user`. The value is how many were stored.
size_t arch_backtrace(uintptr_t *addresses, size_t limit);
size_t arch_backtrace_frame(const struct arch_frame *frame, uintptr_t *addresses, size_t limit);

#include <isa/thread.h>

#endif

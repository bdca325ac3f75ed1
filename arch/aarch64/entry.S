// SPDX-License-Identifier: MIT
//
// Exceptions: from user mode into the frame at the top of the thread's kernel stack (SP_EL1 points to it
// meanwhile), from the kernel into a frame on the present stack.

#include <isa/layout.h>
#include <isa/offsets.h>

#define EXCEPTION_CLASS_SHIFT 26
#define EXCEPTION_CLASS_SVC   0x15

#define FLAG_C 2 // of the four that CCMP sets

// A kernel exception needs its frame and this much of the stack; where it is not there, the stack has
// overflowed.
#define STACK_MARGIN 1024

.macro save_caller_saved
	stp	x0, x1, [sp, #0]
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	str	x18, [sp, #144]
	str	xzr, [sp, #FRAME_ZEROED]
.endm

.macro save_general
	save_caller_saved
	str	x19, [sp, #FRAME_X19]
	stp	x20, x21, [sp, #160]
	stp	x22, x23, [sp, #176]
	stp	x24, x25, [sp, #192]
	stp	x26, x27, [sp, #208]
	stp	x28, x29, [sp, #224]
.endm

.macro load_general
	ldp	x0, x1, [sp, #0]
	ldp	x2, x3, [sp, #16]
	ldp	x4, x5, [sp, #32]
	ldp	x6, x7, [sp, #48]
	ldp	x8, x9, [sp, #64]
	ldp	x10, x11, [sp, #80]
	ldp	x12, x13, [sp, #96]
	ldp	x14, x15, [sp, #112]
	ldp	x16, x17, [sp, #128]
	ldp	x18, x19, [sp, #144]
	ldp	x20, x21, [sp, #160]
	ldp	x22, x23, [sp, #176]
	ldp	x24, x25, [sp, #192]
	ldp	x26, x27, [sp, #208]
	ldp	x28, x29, [sp, #224]
.endm

// What a direct call finds in the frame besides x27 to x30, which are there.
.macro save_others
	stp	x19, x20, [sp, #FRAME_X19]
	stp	x21, x22, [sp, #FRAME_X19 + 16]
	stp	x23, x24, [sp, #FRAME_X19 + 32]
	stp	x25, x26, [sp, #FRAME_X19 + 48]
	mrs	x29, sp_el0
	str	x29, [sp, #FRAME_SP]
	mrs	x29, elr_el1
	mrs	x30, spsr_el1
	stp	x29, x30, [sp, #FRAME_PC]
	mov	x29, xzr
.endm

// All but the results. x18 is the CPU.
.macro zero_caller_saved
	.irp	n, 2, 4, 6, 8, 10, 12, 14, 16
	zero_pair \n, %(\n + 1), x18
	.endr
	mov	x18, xzr
.endm

.macro load_preserved
	ldp	x19, x20, [sp, #FRAME_X19]
	ldp	x21, x22, [sp, #FRAME_X19 + 16]
	ldp	x23, x24, [sp, #FRAME_X19 + 32]
	ldp	x25, x26, [sp, #FRAME_X19 + 48]
	ldp	x27, x28, [sp, #FRAME_X27]
.endm

// Fills a frame from user mode and ends the chain of frame pointers.
.macro save_user
	save_general
	mrs	x21, sp_el0
	mrs	x22, elr_el1
	mrs	x23, spsr_el1
	stp	x30, x21, [sp, #FRAME_X30]
	stp	x22, x23, [sp, #FRAME_PC]
	mov	x29, xzr
.endm

// Fills a frame from the kernel. The interrupted code's frame pointer stays: the chain goes on.
.macro save_kernel
	sub	sp, sp, #FRAME_SIZE
	save_general
	add	x21, sp, #FRAME_SIZE
	mrs	x22, elr_el1
	mrs	x23, spsr_el1
	stp	x30, x21, [sp, #FRAME_X30]
	stp	x22, x23, [sp, #FRAME_PC]
.endm

// At most 32 instructions: where the one before is longer, the location counter cannot go back to here.
.macro vector name
.set	vector_number, vector_number + 1
.org	exception_vectors + 128 * vector_number
\name:
.endm

.macro bad_vector
.set	vector_number, vector_number + 1
.org	exception_vectors + 128 * vector_number
	b	bad_exception
.endm

.macro store_guest_pair n, next
	stp	x\n, x\next, [x29, #GUEST_X(\n)]
.endm

// `base`: the CPU.
.macro zero_pair n, next, base
	ldp	x\n, x\next, [\base, #CPU_ZEROS]
.endm

.macro load_guest_pair n, next
	ldp	x\n, x\next, [x0, #GUEST_X(\n)]
.endm

// address_space_load in the usual case, on the way to user mode; overwrites x5 to x8. tlb.c explains it.
.macro load_space cpu, space, unusual
	ldp	x5, x6, [\space, #ARCH_SPACE_ARCH]
	ldr	x7, [\cpu, #CPU_ASID_GENERATION]
	and	x8, x6, #~ASID_NUMBER_MASK
	cmp	x8, x7
	b.ne	\unusual
	str	\space, [\cpu, #CPU_ADDRESS_SPACE]
	str	x6, [\cpu, #CPU_ASID_ACTIVE]
	dmb	ish
	ldr	x7, [\cpu, #CPU_ASID_GENERATION]
	cmp	x8, x7
	b.ne	\unusual
	orr	x5, x5, x6, lsl #TTBR_ASID_SHIFT
	msr	ttbr0_el1, x5
.endm

.altmacro
.section .text.entry, "ax"

.balign 2048
.global exception_vectors
exception_vectors:
.set	vector_number, -1
	// This exception level on SP_EL0: never used.
	bad_vector
	bad_vector
	bad_vector
	bad_vector

	vector	kernel_synchronous
	b	kernel_fault_entry
	vector	kernel_interrupt
	b	kernel_interrupt_entry
	bad_vector
	bad_vector

	vector	user_synchronous
	stp	x29, x30, [sp, #FRAME_X29]
	stp	x27, x28, [sp, #FRAME_X27]
	mrs	x29, esr_el1
	mrs	x27, tpidr_el1
	lsr	x29, x29, #EXCEPTION_CLASS_SHIFT
	ldp	x28, x30, [x27, #CPU_DIRECT_CALLS]
	cmp	x29, #EXCEPTION_CLASS_SVC
	ccmp	x8, x28, #FLAG_C, eq	// "not lower", if it is no system call
	b.lo	syscall_entry
	cmp	x29, #EXCEPTION_CLASS_SVC
	ldp	x27, x28, [sp, #FRAME_X27]
	b.eq	syscall_whole
	ldp	x29, x30, [sp, #FRAME_X29]
	b	user_fault_entry
	vector	user_interrupt
	save_user
	bl	exception_interrupt
	b	user_exit
	bad_vector
	vector	user_system_error
	save_user
	b	user_system_error_entry

	// AArch32: user mode cannot get there.
	bad_vector
	bad_vector
	bad_vector
	bad_vector

// A direct call. x27 to x30 are in the frame; x27: the CPU, which ipc/fast_path.c wants there, x30: its handlers.
syscall_entry:
	ldr	x16, [x30, x8, lsl #3]
	save_others
	blr	x16
syscall_return:
	mrs	x18, tpidr_el1
	ldr	w9, [x18, #CPU_WORK]
	cbnz	w9, syscall_work
	ldp	x2, x3, [sp, #FRAME_PC]
	ldp	x30, x4, [sp, #FRAME_X30]
	ldp	x27, x28, [sp, #FRAME_X27]
	ldr	x29, [sp, #FRAME_X29]
	msr	elr_el1, x2
	msr	spsr_el1, x3
	msr	sp_el0, x4
	zero_caller_saved
	eret

syscall_work:
	bl	trap_syscall_exit
	b	restore_user

// Not direct: a guest's, or the rest of the frame. x29 and x30 are there.
syscall_whole:
	mrs	x30, tpidr_el1
	ldr	x29, [x30, #CPU_CURRENT]
	ldr	x29, [x29, #THREAD_GUEST]
	cbnz	x29, guest_syscall
	stp	x27, x28, [sp, #FRAME_X27]
	save_others
	save_caller_saved
	bl	trap_syscall
	b	user_exit

// A guest's registers go straight to its state page, x29. The frame of the personality's guest_enter is above the guest's. x30 is the CPU. The
// rest is as guest_end and syscall_return do it, where the CPU has no work.
guest_syscall:
	.irp	n, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26
	store_guest_pair \n, %(\n + 1)
	.endr
	ldp	x0, x1, [sp, #FRAME_X29]
	mrs	x2, sp_el0
	mrs	x3, elr_el1
	mrs	x4, spsr_el1
	mrs	x5, tpidr_el0
	mov	x6, #GUEST_SYSTEM_CALL
	and	x4, x4, #~PSTATE_USER
	stp	x28, x0, [x29, #GUEST_X(28)]
	stp	x1, x2, [x29, #GUEST_X(30)]
	stp	x3, x4, [x29, #GUEST_PC]
	stp	x5, x6, [x29, #GUEST_TPIDR]
	ldp	x2, x1, [x30, #CPU_WORK]
	add	sp, sp, #FRAME_SIZE
	cbnz	w2, 1f
	ldr	x3, [x1, #THREAD_SPACE]
	load_space x30, x3, 1f
	adrp	x2, direct_calls_limit
	ldr	x2, [x2, #:lo12:direct_calls_limit]
	ldr	x3, [x1, #THREAD_HOST_TLS]
	mov	x4, sp
	str	xzr, [x1, #THREAD_GUEST]
	str	x4, [x1, #THREAD_FRAME]
	str	x2, [x30, #CPU_DIRECT_CALLS]
	msr	tpidr_el0, x3
	load_preserved
	mov	x18, x30
	ldp	x2, x3, [sp, #FRAME_PC]
	ldp	x29, x30, [sp, #FRAME_X29]
	ldr	x4, [sp, #FRAME_SP]
	mov	x0, xzr
	mov	x1, #GUEST_SYSTEM_CALL
	msr	elr_el1, x2
	msr	spsr_el1, x3
	msr	sp_el0, x4
	zero_caller_saved
	eret

1:	mov	x29, xzr
	bl	guest_end
	load_preserved
	mov	x0, xzr
	mov	x1, #GUEST_SYSTEM_CALL
	b	syscall_return

// What the state page says is loaded from it. The second one is the entry of a direct call, with the frame at sp.
.global arch_guest_enter
arch_guest_enter:
	mrs	x9, tpidr_el1
	ldr	x9, [x9, #CPU_CURRENT]
	ldr	x9, [x9, #THREAD_FRAME]
	mov	sp, x9
.global arch_guest_enter_directly
arch_guest_enter_directly:
	mrs	x9, tpidr_el1
	ldp	x1, x10, [x9, #CPU_WORK]
	ldr	x0, [x10, #THREAD_GUEST_STATE]
	ldrb	w2, [x10, #THREAD_KICKED]
	cbz	x0, 1f
	orr	w1, w1, w2
	cbnz	w1, 1f
	ldp	x1, x2, [x0, #GUEST_PC]
	mov	x3, #ARCH_USER_END
	ldr	x4, pstate_user_bits
	cmp	x1, x3
	b.hs	1f
	tbnz	x2, #PSTATE_STEP_BIT, 1f
	and	x2, x2, x4
	orr	x2, x2, #PSTATE_USER
	ldr	x3, [x10, #THREAD_GUEST_SPACE]
	load_space x9, x3, 3f
2:	mrs	x5, tpidr_el0
	ldr	x6, [x0, #GUEST_TPIDR]
	sub	sp, sp, #FRAME_SIZE
	mov	x7, sp
	str	x5, [x10, #THREAD_HOST_TLS]
	str	x7, [x10, #THREAD_FRAME]
	str	x0, [x10, #THREAD_GUEST]
	str	xzr, [x9, #CPU_DIRECT_CALLS]
	msr	tpidr_el0, x6
	msr	elr_el1, x1
	msr	spsr_el1, x2
	ldp	x30, x1, [x0, #GUEST_X(30)]
	msr	sp_el0, x1
	.irp	n, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28
	load_guest_pair \n, %(\n + 1)
	.endr
	ldp	x0, x1, [x0]
	eret

1:	sub	sp, sp, #FRAME_SIZE
	b	guest_begin
3:	stp	x0, x1, [sp, #-48]!
	stp	x2, x9, [sp, #16]
	str	x10, [sp, #32]
	mov	x0, x9
	mov	x1, x3
	bl	address_space_load
	ldr	x10, [sp, #32]
	ldp	x2, x9, [sp, #16]
	ldp	x0, x1, [sp], #48
	b	2b
.balign 8
pstate_user_bits:
	.quad	PSTATE_USER_BITS

// The general way of an IPC call, which does not return to where it is called. Where there is a fast one (ipc/fast_path.c),
// that is arch_\name.
.macro ipc_entry name
.weak arch_\name
.set arch_\name, arch_slow_\name
.global arch_slow_\name
arch_slow_\name:
	mrs	x16, tpidr_el1
	ldr	x16, [x16, #CPU_CURRENT]
	ldr	x16, [x16, #THREAD_FRAME]
	mov	sp, x16
	.irp n, 11,12,13,14,15,16,17,18 // the kernel's by now
	mov	x\n, xzr
	.endr
	save_caller_saved
	bl	sys_\name
	b	user_exit
.endm

#ifdef TERN_FAST_PATH
// arch_switch_directly finds work. x12: previous; the message is where it goes.
.global switch_with_work
switch_with_work:
	isb				// the return to user mode would have done it
	stp	xzr, x1, [sp, #0]
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	xzr, xzr, [sp, #48]
	stp	x8, xzr, [sp, #64]
	stp	xzr, xzr, [sp, #80]
	stp	xzr, xzr, [sp, #96]
	stp	xzr, xzr, [sp, #112]
	stp	xzr, xzr, [sp, #128]
	str	xzr, [sp, #144]
	str	xzr, [sp, #FRAME_ZEROED]
	mov	x0, x12
2:	mov	x29, xzr
	bl	ipc_fast_path_work
	b	restore_user

// The rest of arch_resume_directly. x0: previous
.global resume_with_work
resume_with_work:
	isb				// as above
	b	2b
#endif

#define SYSCALL(number, name, result, arguments)
#define SYSCALL_IPC(number, name) ipc_entry name
#include <tern/syscalls.def>
#include <tern/syscalls_undef.h>

user_system_error_entry:
	mrs	x0, esr_el1
	bl	exception_system_error
	b	user_exit

user_fault_entry:
	save_user
	mrs	x0, esr_el1
	bl	exception_user
user_exit:
	bl	trap_exit
.global restore_user
restore_user:
	ldp	x22, x23, [sp, #FRAME_PC]
	ldp	x30, x21, [sp, #FRAME_X30]
	msr	elr_el1, x22
	msr	spsr_el1, x23
	msr	sp_el0, x21
	load_general
	eret

// void arch_enter_user(struct arch_thread *thread)
.global arch_enter_user
arch_enter_user:
	ldr	x0, [x0, #THREAD_FRAME]
	mov	sp, x0
	b	restore_user

kernel_interrupt_entry:
	save_kernel
	bl	exception_interrupt
	b	restore_kernel

// Tries first whether the stack can hold a frame. SP_EL0 is in the user's frame and free to keep a register.
kernel_fault_entry:
	msr	sp_el0, x0
	sub	x0, sp, #(FRAME_SIZE + STACK_MARGIN)
	at	s1e1w, x0
	isb
	mrs	x0, par_el1
	tbnz	x0, #0, stack_overflow
	mrs	x0, sp_el0
	save_kernel
	mov	x0, sp
	mrs	x1, esr_el1
	bl	exception_kernel
restore_kernel:
	ldp	x22, x23, [sp, #FRAME_PC]
	ldr	x30, [sp, #FRAME_X30]
	msr	elr_el1, x22
	msr	spsr_el1, x23
	load_general
	add	sp, sp, #FRAME_SIZE
	eret

// As above, on the emergency stack. There is no way back, so TPIDRRO_EL0 may keep a register too.
stack_overflow:
	msr	tpidrro_el0, x1
	mov	x1, sp
	mrs	x0, tpidr_el1
	ldr	x0, [x0, #CPU_EMERGENCY_STACK]
	mov	sp, x0
	mrs	x0, sp_el0
	msr	sp_el0, x1
	mrs	x1, tpidrro_el0
	save_kernel
	mrs	x21, sp_el0
	str	x21, [sp, #FRAME_SP]
	mov	x0, sp
	bl	exception_stack_overflow

bad_exception:
	save_kernel
	mov	x0, sp
	mrs	x1, esr_el1
	bl	exception_unexpected

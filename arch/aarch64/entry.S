// SPDX-License-Identifier: MIT
//
// Exceptions: from user mode into the frame at the top of the thread's kernel stack (SP_EL1 points past it
// meanwhile), from the kernel into a frame on the present stack.

#include <isa/offsets.h>

#define EXCEPTION_CLASS_SHIFT 26
#define EXCEPTION_CLASS_SVC   0x15

// A kernel exception needs its frame and this much of the stack; where it is not there, the stack has
// overflowed.
#define STACK_MARGIN 1024

.macro save_general
	stp	x0, x1, [sp, #0]
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x19, [sp, #144]
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

// Fills a frame from user mode and ends the chain of frame pointers.
.macro save_user
	sub	sp, sp, #FRAME_SIZE
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

.macro vector name
.balign 128
\name:
.endm

.macro bad_vector name
.balign 128
	b	bad_exception
.endm

.section .text.entry, "ax"

.balign 2048
.global exception_vectors
exception_vectors:
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
	save_user
	mrs	x0, esr_el1
	lsr	x1, x0, #EXCEPTION_CLASS_SHIFT
	cmp	x1, #EXCEPTION_CLASS_SVC
	b.ne	user_fault_entry
	bl	trap_syscall
	b	user_exit
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

user_system_error_entry:
	mrs	x0, esr_el1
	bl	exception_system_error
	b	user_exit

user_fault_entry:
	bl	exception_user
user_exit:
	bl	trap_exit
restore_user:
	ldp	x22, x23, [sp, #FRAME_PC]
	ldp	x30, x21, [sp, #FRAME_X30]
	msr	elr_el1, x22
	msr	spsr_el1, x23
	msr	sp_el0, x21
	load_general
	add	sp, sp, #FRAME_SIZE
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

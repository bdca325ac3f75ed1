// SPDX-License-Identifier: MIT
//
// The switch from one thread's kernel context to another's.

#include <isa/offsets.h>

.section .text.switch, "ax"

// void arch_context_switch(struct arch_thread *previous, struct arch_thread *next)
//
// Only the owner of the FPU's registers runs with the FPU on, and only a thread that is stepped with that on; the
// exception return to user mode makes CPACR_EL1 and MDSCR_EL1 take effect.
.global arch_context_switch
arch_context_switch:
	mrs	x9, tpidr_el0
	str	x9, [x0, #THREAD_TLS]
	str	xzr, [x0, #THREAD_FRESH_ENTRY]
	stp	x29, x30, [sp, #-96]!
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	mov	x10, sp
	str	x10, [x0, #THREAD_KERNEL_SP]
	mrs	x11, tpidr_el1
	ldr	x9, [x1, #THREAD_TLS]
	ldr	x12, [x11, #CPU_FPU_OWNER]
	msr	tpidr_el0, x9
	mov	x13, #CPACR_FPU
	cmp	x12, x1
	csel	x13, x13, xzr, eq
	msr	cpacr_el1, x13
	ldr	w9, [x1, #THREAD_HINDRANCES]
	mov	x13, #MDSCR_USER
	bfxil	x13, x9, #HINDRANCE_STEP_BIT, #1
	msr	mdscr_el1, x13
	ldr	x10, [x1, #THREAD_FRESH_ENTRY]
	cbnz	x10, 1f
	ldr	x9, [x1, #THREAD_KERNEL_SP]
	mov	sp, x9
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #64]
	ldp	x27, x28, [sp, #80]
	ldp	x29, x30, [sp], #96
	ret
1:
	ldr	x9, [x1, #THREAD_FRAME]
	mov	sp, x9
	mov	x29, xzr
	mov	x30, xzr
	br	x10

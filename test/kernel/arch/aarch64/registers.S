// SPDX-License-Identifier: MIT
//
// isa_call_with_registers(registers): a system call with the given registers x0 to x29, which are then what it left behind.

.text
.global isa_call_with_registers
isa_call_with_registers:
	stp	x29, x30, [sp, #-112]!
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	str	x0, [sp, #96]
	mov	x30, x0
	.irp	n, 0,2,4,6,8,10,12,14,16,18,20,22,24,26,28
	ldr	x\n, [x30, #8 * \n]
	.endr
	.irp	n, 1,3,5,7,9,11,13,15,17,19,21,23,25,27,29
	ldr	x\n, [x30, #8 * \n]
	.endr
	svc	#0
	ldr	x30, [sp, #96]
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29
	str	x\n, [x30, #8 * \n]
	.endr
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #64]
	ldp	x27, x28, [sp, #80]
	ldp	x29, x30, [sp], #112
	ret

.global isa_privileged_code
isa_privileged_code:
	msr	ttbr0_el1, xzr
	udf	#0

.section .note.GNU-stack, "", %progbits

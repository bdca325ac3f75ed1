// SPDX-License-Identifier: MIT
//
// isa_call_with_registers(registers): a system call with the given registers, indexed by their numbers, which are then what it left
// behind: all but x0, ra and sp. gp and tp are not loaded; what is added to theirs is by how much they changed.

.text
.global isa_call_with_registers
isa_call_with_registers:
	addi sp, sp, -128
	sd ra, 0(sp)
	sd s0, 8(sp)
	sd s1, 16(sp)
	sd s2, 24(sp)
	sd s3, 32(sp)
	sd s4, 40(sp)
	sd s5, 48(sp)
	sd s6, 56(sp)
	sd s7, 64(sp)
	sd s8, 72(sp)
	sd s9, 80(sp)
	sd s10, 88(sp)
	sd s11, 96(sp)
	sd a0, 104(sp)
	sd gp, 112(sp)
	sd tp, 120(sp)
	mv ra, a0
	.irp n, 5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	ld x\n, 8 * \n(ra)
	.endr
	ecall
	ld ra, 104(sp)
	.irp n, 5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	sd x\n, 8 * \n(ra)
	.endr
	.irp n, 3,4
	ld t0, 8 * \n(ra)
	ld t1, 88 + 8 * \n(sp)
	add t0, t0, x\n
	sub t0, t0, t1
	sd t0, 8 * \n(ra)
	mv x\n, t1
	.endr
	ld ra, 0(sp)
	ld s0, 8(sp)
	ld s1, 16(sp)
	ld s2, 24(sp)
	ld s3, 32(sp)
	ld s4, 40(sp)
	ld s5, 48(sp)
	ld s6, 56(sp)
	ld s7, 64(sp)
	ld s8, 72(sp)
	ld s9, 80(sp)
	ld s10, 88(sp)
	ld s11, 96(sp)
	addi sp, sp, 128
	ret

.global isa_privileged_code
isa_privileged_code:
	csrw satp, zero
	unimp

.section .note.GNU-stack, "", %progbits

// SPDX-License-Identifier: MIT
//
// The switch of kernel contexts, and the FPU registers to and from memory.

#include <isa/csr.h>

#define SWITCH_SIZE 112

.text

// void isa_switch(struct arch_thread *previous, struct arch_thread *next)
//
// A fresh context (entry is not NULL) starts on an empty stack below its frame.
.global isa_switch
isa_switch:
	sd zero, THREAD_ENTRY(a0)
	addi sp, sp, -SWITCH_SIZE
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
	sd sp, THREAD_KERNEL_SP(a0)
	// Ends a reservation that the previous thread's user code may hold; if it does, stores sp there again.
	sc.d zero, sp, (a0)
	ld t0, THREAD_ENTRY(a1)
	bnez t0, 1f
	ld sp, THREAD_KERNEL_SP(a1)
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
	addi sp, sp, SWITCH_SIZE
	ret
1:	ld sp, THREAD_FRAME(a1)
	li s0, 0                    // backtraces end here
	li ra, 0
	jr t0

.option push
.option arch, +d

.macro each_fpu_register instruction
	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	\instruction f\n, 8 * \n(a0)
	.endr
.endm

// void isa_fpu_store(struct arch_fpu_state *state), with sstatus.FS on
.global isa_fpu_store
isa_fpu_store:
	each_fpu_register fsd
	frcsr t0
	sd t0, 256(a0)
	ret

// void isa_fpu_load(const struct arch_fpu_state *state), with sstatus.FS on
.global isa_fpu_load
isa_fpu_load:
	each_fpu_register fld
	ld t0, 256(a0)
	fscsr t0
	ret
.option pop

.section .note.GNU-stack, "", %progbits

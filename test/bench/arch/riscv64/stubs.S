// SPDX-License-Identifier: MIT
//
// The leanest IPC stubs as C functions: bench.h says what they do.

#define CALL            91
#define RECEIVE         93
#define REPLY_RECEIVE   94
#define FAULT_RESUME_INFO 0x100000000 // MESSAGE_INFO(FAULT_RESUME, 0, 0)

.text

// a0: handle, a1: info, a2 to a5: words
.global lean_call
lean_call:
	li a7, CALL
	ecall
	ret

// a0: handle, a1: info of each answer
.global lean_serve
lean_serve:
	addi sp, sp, -16
	sd s0, 0(sp)
	sd s1, 8(sp)
	mv s0, a0
	mv s1, a1
	li a1, 0
	li a7, RECEIVE
	ecall
1:	bnez a0, 2f
	mv a0, s0
	mv a1, s1
	li a7, REPLY_RECEIVE
	ecall
	j 1b
2:	ld s0, 0(sp)
	ld s1, 8(sp)
	addi sp, sp, 16
	ret

// a0: handle
.global lean_answer_fault
lean_answer_fault:
	li a1, FAULT_RESUME_INFO
	li a7, REPLY_RECEIVE
	ecall
	ret

.global lean_nothing
lean_nothing:
	ret

.section .note.GNU-stack, "", %progbits

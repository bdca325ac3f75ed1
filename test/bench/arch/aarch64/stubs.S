// SPDX-License-Identifier: MIT
//
// The leanest IPC stubs as C functions: bench.h says what they do.

#define CALL            91
#define RECEIVE         93
#define REPLY_RECEIVE   94
#define FAULT_RESUME_INFO 0x100000000 // MESSAGE_INFO(FAULT_RESUME, 0, 0)

.text

// x0: handle, x1: info, x2 to x5: words
.global lean_call
lean_call:
	mov x8, #CALL
	svc #0
	ret

// x0: handle, x1: info of each answer
.global lean_serve
lean_serve:
	stp x19, x20, [sp, #-16]!
	mov x19, x0
	mov x20, x1
	mov x1, xzr
	mov x8, #RECEIVE
	svc #0
1:	cbnz x0, 2f
	mov x0, x19
	mov x1, x20
	mov x8, #REPLY_RECEIVE
	svc #0
	b 1b
2:	ldp x19, x20, [sp], #16
	ret

// x0: handle
.global lean_answer_fault
lean_answer_fault:
	mov x1, #FAULT_RESUME_INFO
	mov x8, #REPLY_RECEIVE
	svc #0
	ret

.global lean_nothing
lean_nothing:
	ret

.section .note.GNU-stack, "", %progbits

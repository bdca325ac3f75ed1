// SPDX-License-Identifier: MIT
//
// The leanest IPC stubs as C functions: bench.h says what they do.

#define CALL            91
#define RECEIVE         93
#define REPLY_RECEIVE   94
#define FAULT_RESUME_INFO 0x100000000 // MESSAGE_INFO(FAULT_RESUME, 0, 0)

.text

// rdi: handle, rsi: info, rdx rcx r8 r9: words
.global lean_call
lean_call:
	movq %rcx, %r10
	movl $CALL, %eax
	syscall
	ret

// rdi: handle, rsi: info of each answer
.global lean_serve
lean_serve:
	pushq %rbx
	pushq %rbp
	movq %rdi, %rbx
	movq %rsi, %rbp
	xorl %esi, %esi
	movl $RECEIVE, %eax
	syscall
1:	testl %eax, %eax
	jnz 2f
	movq %rbx, %rdi
	movq %rbp, %rsi
	movl $REPLY_RECEIVE, %eax
	syscall
	jmp 1b
2:	popq %rbp
	popq %rbx
	ret

// rdi: handle
.global lean_answer_fault
lean_answer_fault:
	movabsq $FAULT_RESUME_INFO, %rsi
	movl $REPLY_RECEIVE, %eax
	syscall
	ret

.global lean_nothing
lean_nothing:
	ret

.section .note.GNU-stack, "", %progbits

// SPDX-License-Identifier: MIT
//
// switch_stacks(previous, next): the part of arch_context_switch that C cannot say.

#include <isa/asm.h>

.text
.global switch_stacks
switch_stacks:
	.irp register, rbp, rbx, r12, r13, r14, r15
	pushq %\register
	.endr
	movq %rsp, THREAD_STACK_POINTER(%rdi)
	movq $0, THREAD_ENTRY(%rdi)
	movq THREAD_ENTRY(%rsi), %rax
	testq %rax, %rax
	jnz 1f
	movq THREAD_STACK_POINTER(%rsi), %rsp
	.irp register, r15, r14, r13, r12, rbx, rbp
	popq %\register
	.endr
	ret

	// A fresh context: the stack ends at the frame, and there is nothing to return to.
1:	movq THREAD_FRAME(%rsi), %rsp
	xorl %ebp, %ebp
	pushq $0
	jmp *%rax

.section .note.GNU-stack, "", @progbits

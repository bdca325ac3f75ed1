// SPDX-License-Identifier: MIT
//
// switch_stacks(previous, next): the part of arch_context_switch that C cannot say.

#include <isa/asm.h>

.text
.global switch_stacks
switch_stacks:
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, THREAD_STACK_POINTER(%rdi)
	movq $0, THREAD_ENTRY(%rdi)
	movq THREAD_ENTRY(%rsi), %rax
	testq %rax, %rax
	jnz 1f
	movq THREAD_STACK_POINTER(%rsi), %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	ret

	// A fresh context: the stack ends at the frame, and there is nothing to return to.
1:	movq $0, THREAD_ENTRY(%rsi)
	movq THREAD_FRAME(%rsi), %rsp
	xorl %ebp, %ebp
	pushq $0
	jmp *%rax

.section .note.GNU-stack, "", @progbits

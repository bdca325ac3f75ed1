// SPDX-License-Identifier: MIT
//
// isa_call_with_registers(registers): a system call with the given registers, which are then what it left behind. Their order is
// that of ISA_CALL_REGISTERS in isa.h.

.text
.global isa_call_with_registers
isa_call_with_registers:
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	pushq %rdi
	movq %rdi, %rax
	movq 8(%rax), %rbx
	movq 16(%rax), %rdx
	movq 24(%rax), %rsi
	movq 32(%rax), %rdi
	movq 40(%rax), %rbp
	movq 48(%rax), %r8
	movq 56(%rax), %r9
	movq 64(%rax), %r10
	movq 72(%rax), %r12
	movq 80(%rax), %r13
	movq 88(%rax), %r14
	movq 96(%rax), %r15
	movq (%rax), %rax
	syscall
	popq %rcx
	movq %rax, (%rcx)
	movq %rbx, 8(%rcx)
	movq %rdx, 16(%rcx)
	movq %rsi, 24(%rcx)
	movq %rdi, 32(%rcx)
	movq %rbp, 40(%rcx)
	movq %r8, 48(%rcx)
	movq %r9, 56(%rcx)
	movq %r10, 64(%rcx)
	movq %r12, 72(%rcx)
	movq %r13, 80(%rcx)
	movq %r14, 88(%rcx)
	movq %r15, 96(%rcx)
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	ret

.global isa_privileged_code
isa_privileged_code:
	cli
	ud2

.section .note.GNU-stack, "", %progbits

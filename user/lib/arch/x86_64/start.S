// SPDX-License-Identifier: MIT
//
// Where programs and their threads begin on x86_64, and where threads end that free their own stack.

.text

// rdi: struct start_block or struct boot_info
.global _start
.type _start, %function
_start:
	xorl %ebp, %ebp
	andq $-16, %rsp
	call runtime_start
	ud2

// rdi: struct thread_record
.global runtime_thread_entry
.type runtime_thread_entry, %function
runtime_thread_entry:
	xorl %ebp, %ebp
	andq $-16, %rsp
	call runtime_thread_start
	ud2

// rdi: number of address_space_unmap, rsi: address, rdx: length, rcx: number of thread_exit
.global runtime_unmap_and_exit
.type runtime_unmap_and_exit, %function
runtime_unmap_and_exit:
	movq %rcx, %rbx
	movq %rdi, %rax
	movq $-1, %rdi
	syscall
	movq %rbx, %rax
	xorl %edi, %edi
	syscall
	ud2

.section .note.GNU-stack, "", %progbits

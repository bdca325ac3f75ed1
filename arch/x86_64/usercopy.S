// SPDX-License-Identifier: MIT
//
// Copies to and from user memory. A fault that vm_kernel_fault cannot resolve continues at the fix-up of its instruction.

#include <isa/asm.h>

.macro FIXUP instruction, continuation
	.pushsection .fixups, "a"
	.quad \instruction, \continuation
	.popsection
.endm

.text
.global arch_copy_from_user, arch_copy_to_user
arch_copy_from_user:
arch_copy_to_user:
	USER_ACCESS_BEGIN
	movq %rdx, %rcx
	shrq $3, %rcx
copy_words:
	rep movsq
	movl %edx, %ecx
	andl $7, %ecx
copy_bytes:
	rep movsb
	xorl %eax, %eax
	USER_ACCESS_END
	ret

// Bytes of the word that faulted may still be accessible.
copy_words_failed:
	andl $7, %edx
	leaq (%rdx, %rcx, 8), %rcx
	jmp copy_bytes

copy_bytes_failed:
	movq %rcx, %rax
	USER_ACCESS_END
	ret

	FIXUP copy_words, copy_words_failed
	FIXUP copy_bytes, copy_bytes_failed

.section .note.GNU-stack, "", @progbits

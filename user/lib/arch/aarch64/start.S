// SPDX-License-Identifier: MIT
//
// Where programs and their threads begin on AArch64, and where threads end that free their own stack.

.text

// x0: struct start_block or struct boot_info
.global _start
.type _start, %function
_start:
	mov x29, #0
	mov x30, #0
	b runtime_start

// x0: struct thread_record
.global runtime_thread_entry
.type runtime_thread_entry, %function
runtime_thread_entry:
	mov x29, #0
	mov x30, #0
	b runtime_thread_start

// x0: number of address_space_unmap, x1: address, x2: length, x3: number of thread_exit
.global runtime_unmap_and_exit
.type runtime_unmap_and_exit, %function
runtime_unmap_and_exit:
	mov x19, x3
	mov x8, x0
	mov x0, #-1
	svc #0
	mov x8, x19
	mov x0, #0
	svc #0
	udf #0

.section .note.GNU-stack, "", %progbits
